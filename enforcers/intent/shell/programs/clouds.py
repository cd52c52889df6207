"""
Clients of clouds: the verb in the operation's name says what it does; a short list says what is
secret.
"""

from __future__ import annotations

import re

from enforcers.intent.model import Extent, Verb
from enforcers.intent.shell.calls import (
    READ_ONLY,
    UNKNOWN,
    Call,
    Reading,
    thing,
    union,
)
from enforcers.intent.shell.names import names
from enforcers.intent.shell.options import read_options
from enforcers.intent.shell.programs.cloud_verbs import CREATES, DELETES, GRANTS, MUTATES, effect
from enforcers.intent.shell.tables import Table, Tool, act

_GCLOUD = """
        --project= --format= --filter= --account= --region= --zone= --verbosity= --limit= --sort-by=
        --configuration= --flags-file=x --impersonate-service-account=g
        --access-token-file=r --billing-project= --log-http --quiet -q --uri --page-size=
        --command= --ssh-flag=x --secret= --location= --cluster= --version --help -h
        --dry-run --resource-group= -g= -n|--name= -o|--output= --subscription= --query=
        --vault-name= --ids= --method= --url= --body= --uri-parameters= --account-name=
        --only-show-errors
    """
_LOOKS = re.compile(
    r"^(?:list|describe|show|get|ls|info|version|search|tail|lookup|read|cat|help|diff|validate|exists|wait|check|count|preview"
    r"|(?:list|get|show|check|describe)-(?!.*(?:key|cred|secret|token|connection-string|password)).*)$"
)
_HIDDEN = re.compile(
    r"print-(?:access|identity)-token|get-access-token|list-keys|show-connection-string|list-connection-strings|.*credentials.*|create-for-rbac"
    r"|generate-sas|regenerate-key|get-credentials|print-.*|renew-key|list-.*(?:key|secret|token|password).*|(?:show|get)-.*(?:key|secret|token|password|cred).*"
)
_SECRET_GROUPS = frozenset(
    {
        "secret",
        "secrets",
        "keyvault",
        "versions",
        "keys",
        "access-keys",
        "credential",
        "credentials",
        "appsettings",
    }
)
_RUN_WORDS = names("""
        ssh scp call invoke execute-ddl run-command rest execute connect-to-serial-port
        start-iap-tunnel interactive repl shell browse component
    """)


def _tree(call: Call) -> Reading:
    """`gcloud group … verb`, `az group … verb`: the first word that is a verb decides."""
    options = read_options(call.args, _GCLOUD)
    found = [act(call, o.action, o.value) for o in options.given if o.action in ("x", "r")]
    found += [
        thing(Verb.GRANT, f"cloud identity {o.value}", Extent.WHOLE)
        for o in options.given
        if o.action == "g"
    ]
    words = options.operands
    subject = " ".join((call.name, *words))
    if options.flagged("version", "help") or words[:1] in (("version",), ("info",), ("help",)):
        return union(found) + Reading(tags=(READ_ONLY,))
    kind = _tree_kind(words)
    if kind == "read" and call.name == "az" and "keys" in words and "list" in words:
        kind = "secret"
    if options.has("dry-run") and kind not in ("run", "secret"):
        kind = "read"
    return union(found) + _effect_or_unknown(kind, subject)


def _effect_or_unknown(kind: str, subject: str) -> Reading:
    return effect(kind, subject) if kind else Reading(tags=(UNKNOWN,))


def _tree_kind(words: tuple[str, ...]) -> str:
    """The class of the first word that is a verb; groups come before it."""
    first = 1 if len(words) > 1 else 0
    for place, word in enumerate(words[first:], start=first):
        before = set(words[:place])
        if word in _GROUPS and _is_group(place, words):
            continue
        if _HIDDEN.fullmatch(word):
            return "secret"
        if word in _RUN_WORDS:
            return "run"
        if word == "access" and "versions" in before:
            return "secret"
        if _LOOKS.match(word):
            return _look_kind(word, before, words)
        head = word.split("-")[0]
        if head in DELETES:
            return "delete"
        if head in MUTATES:
            return (
                "grant"
                if GRANTS.search(word) or before & {"role", "iam", "service-accounts", "policy"}
                else ("create" if head in CREATES else "alter")
            )
    return ""


_GROUPS = names("run config failover-group")


def _is_group(place: int, words: tuple[str, ...]) -> bool:
    """
    Whether the word at `place` names a group: another verb follows at once, or it stands where
    groups do.
    """
    if words[place] == "run":
        return words[:place] in (("alpha",), ("beta",))
    following = words[place + 1 : place + 2]
    return bool(following) and (
        following[0] in ("list", "show") or following[0].split("-")[0] in MUTATES | DELETES
    )


def _look_kind(word: str, before: set[str], words: tuple[str, ...]) -> str:
    """Whether a verb that looks shows a secret."""
    listing = word in ("list", "ls", "list-versions", "exists")
    groups = before & _SECRET_GROUPS
    if word in ("cat", "show", "get", "read", "download") and groups & {
        "secret",
        "secrets",
        "credential",
        "credentials",
    }:
        return "secret"
    if listing and "keys" in before and "storage" in before:
        return "secret"
    return "read"


def _bq(call: Call) -> Reading:
    """`bq`: `query` holds SQL."""
    options = read_options(
        call.args,
        """
        --project_id= --dataset_id= --format= --location= --max_rows= -n= --use_legacy_sql?
        --nouse_legacy_sql --destination_table=x --replace!x --flagfile=x --bigqueryrc=x
        --udf_resource=x --dry_run --parameter= -q --quiet --external_table_definition=x
    """,
    )
    found = [act(call, o.action, o.value) for o in options.given if o.action]
    words = options.operands
    if words[:1] == ("query",) and len(words) == 2:
        return union(found) + call.sql(words[1], "bigquery").tagged("wrapper")
    if words[:1] in (("ls",), ("show",), ("head",), ("version",), ("help",), ("wait",)):
        return union(found) + effect("read", " ".join(("bq", *words)))
    kind = "delete" if words[:1] in (("rm",), ("cancel",), ("truncate",)) else "alter"
    return union(found) + effect(kind, " ".join(("bq", *words)))


def _other(call: Call) -> Reading:
    """Other clouds: a verb anywhere decides, the worst first."""
    words = [arg for arg in call.args if not arg.startswith("-")]
    heads = [word.partition(":")[2] or word for word in words]
    heads = [head.split("-")[0].lower() for head in heads]
    subject = " ".join((call.name, *words))
    if any(head in DELETES for head in heads):
        return effect("delete", subject)
    if any(
        head in MUTATES or head in _RUN_WORDS or head in ("run", "exec", "ssh", "console")
        for head in heads
    ):
        return effect("alter", subject) + Reading(tags=(UNKNOWN,))
    if any(
        "secret" in w
        or "token" in w
        or "credential" in w
        or "key" in w
        or "env" in w
        or w == "config"
        for w in words
    ):
        return effect("secret", subject)
    looks = any(
        head
        in ("list", "ls", "get", "show", "describe", "status", "info", "version", "logs", "whoami")
        for head in heads
    )
    return effect("read", subject) if looks else Reading(tags=(UNKNOWN,))


PROGRAMS: Table = (
    ("gcloud az", _tree),
    ("bq", _bq),
    (
        """
        doctl heroku flyctl fly vercel netlify railway linode-cli hcloud scw oci ibmcloud aliyun
        eksctl wrangler firebase supabase render ovhcloud exo auth0 okta eb copilot cf
        faas-cli rosa civo vultr-cli cloudctl stripe twilio sentry-cli datadog-ci snowcli
        pscale turso neonctl neon
    """,
        _other,
    ),
    (
        "sam cdk serverless sls chalice amplify",
        Tool(
            """
        --profile= --region= -a= --stack-name= -c= --stage= -s= --reset=k --clear!k
    """,
            read="""
        validate; list; ls; diff; synth; doctor; metadata; info; print; logs; status; version;
        context; notices; docs
    """,
            build="build; test; package",
            delete="delete; destroy; remove; gc",
            alter="""
        deploy; bootstrap; sync; publish; import; rollback; push; init
    """,
            run="local; invoke; remote",
        ),
    ),
)
