"""`kubectl`, by its verbs."""

from __future__ import annotations

from dataclasses import replace

from enforcers.intent.model import Extent, Verb
from enforcers.intent.shell import hosts
from enforcers.intent.shell.calls import (
    DESCRIBED,
    READ_ONLY,
    UNKNOWN,
    WRAPPER,
    Call,
    Reading,
    configure,
    connect,
    thing,
    unclear,
    union,
)
from enforcers.intent.shell.codes import Code
from enforcers.intent.shell.names import names
from enforcers.intent.shell.options import Options, read_options
from enforcers.intent.shell.tables import Table, act

_OPTIONS = """
        -n|--namespace= --context= --cluster= --user= --kubeconfig=x -s|--server=h --token= --as=g
        --as-group=g --as-uid=g --certificate-authority=r --client-key=r
        --client-certificate=r --cache-dir= --request-timeout= --password= --username=
        --tls-server-name= -v|--v= --profile= --profile-output=w --log-file=w -o|--output=
        -l|--selector= -f|--filename= -k|--kustomize= -c|--container= --field-selector=
        --sort-by= --template= --raw=r --chunk-size= -L= --subresource= --tail= --since=
        --since-time= --limit-bytes= --max-log-requests= --dry-run? --replicas=
        --current-replicas= --timeout= --grace-period= --cascade? --prune --all --force
        --image= --overrides=x --env= --port= --restart= --labels= --annotations= --type=
        -p|--patch= --patch-file=r --from-file= --from-literal= --from-env-file= --for=
        --target= --copy-to= --pod-running-timeout= --field-manager= --serviceaccount=
        --role= --clusterrole= --group= --resource= --verb= --to-revision= --duration=
        --bound-object-kind= --limits= --requests= --min= --max= --cpu-percent= --name=
        --protocol= --target-port= --external-ip= --resource-version= --record
        --output-directory=w --output-watch-events -A|--all-namespaces -w|--watch
        --watch-only --show-labels --no-headers --ignore-not-found -R|--recursive -i|--stdin
        -t|--tty -q|--quiet --previous --timestamps --follow --prefix --all-containers
        --wait --now --server-side --overwrite --list --raw-config --minify --flatten --rm
        --attach --command --expose --ignore-daemonsets --delete-emptydir-data
        --disable-eviction --allow-missing-template-keys --show-managed-fields
        --insecure-skip-tls-verify --warnings-as-errors --client --short --help -h
        --validate? --show-kind --interactive --as-json --api-group= --namespaced? --verbs=
        --categories= --enable-helm!x --enable-exec!x --enable-alpha-plugins!x
        --helm-command=x
    """
_READ = names("""
        get describe logs log top explain api-resources api-versions cluster-info version wait diff
        events kustomize completion options
    """)
_EXTENTS = {
    "delete": (Verb.DELETE, Extent.WHOLE),
    "drain": (Verb.DELETE, Extent.WHOLE),
    "replace": (Verb.WRITE, Extent.WHOLE),
    "apply": (Verb.WRITE, Extent.UNPROVEN),
    "create": (Verb.CREATE, Extent.UNPROVEN),
    "patch": (Verb.ALTER, Extent.KEY_BOUND),
    "set": (Verb.ALTER, Extent.KEY_BOUND),
    "label": (Verb.ALTER, Extent.KEY_BOUND),
    "annotate": (Verb.ALTER, Extent.KEY_BOUND),
    "scale": (Verb.ALTER, Extent.KEY_BOUND),
    "autoscale": (Verb.CREATE, Extent.KEY_BOUND),
    "expose": (Verb.CREATE, Extent.KEY_BOUND),
    "taint": (Verb.CONFIGURE, Extent.KEY_BOUND),
    "cordon": (Verb.CONFIGURE, Extent.KEY_BOUND),
    "uncordon": (Verb.CONFIGURE, Extent.KEY_BOUND),
    "certificate": (Verb.GRANT, Extent.WHOLE),
}
_GRANTS = (
    "role",
    "clusterrole",
    "rolebinding",
    "clusterrolebinding",
    "token",
    "serviceaccount",
    "sa",
)


def _kubectl(call: Call) -> Reading:
    """`kubectl [options] verb …`."""
    before, inner = _split(call.args)
    table = _OPTIONS
    verb = next((arg for arg in before if arg in ("logs", "log", "attach")), "")
    if verb:  # there `-f` and `-p` take no value
        table = table.replace("-f|--filename=", "-f --filename=").replace(
            "-p|--patch=", "-p --patch="
        )
    options = read_options(before, table)
    found = [act(call, o.action, o.value) for o in options.given if o.action in ("x", "h", "w")]
    found += [
        thing(Verb.GRANT, f"kubernetes identity {o.value}", Extent.WHOLE)
        for o in options.given
        if o.action == "g"
    ]
    found += [_manifest(call, name) for name in options.values("filename", "kustomize")]
    return union(found) + _verb(call, options, inner)


def _split(args: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The arguments before and after `--`."""
    if "--" not in args:
        return args, ()
    place = args.index("--")
    return args[:place], args[place + 1 :]


def _manifest(call: Call, name: str) -> Reading:
    """A manifest: a file, or a host that sends it."""
    return connect(hosts.from_url(name)) if "://" in name else call.file("r", name)


def _verb(call: Call, options: Options, inner: tuple[str, ...]) -> Reading:
    """What the verb does."""
    if options.flagged("help", "h") and options.certain(call.args, "--help", "-h") and not inner:
        return Reading(tags=(READ_ONLY,))
    if not options.operands:
        return Reading(tags=(READ_ONLY,)) if not inner else Reading(tags=(UNKNOWN,))
    verb, *rest = options.operands
    words = tuple(rest)
    subject = " ".join(("kubernetes", *words, *(f"-n {n}" for n in options.values("namespace"))))
    if verb in _READ:
        return _look(verb, words, options, subject)
    if verb in ("exec", "debug", "run", "attach"):
        return _inside(call, options, words, inner)
    if verb in _EXTENTS:
        if options.has("dry-run") and not options.certain(call.args, "--dry-run"):
            return Reading(tags=(UNKNOWN,))
        return _change(verb, words, options, subject)
    if verb in ("config", "rollout", "auth"):
        return _group(verb, words, options, subject)
    if verb == "cp":
        return union(
            [call.file("rw"[i > 0], w) for i, w in enumerate(words) if ":" not in w]
        ) + thing(Verb.WRITE, subject).tagged(DESCRIBED)
    if verb == "plugin" and words[:1] == ("list",):
        return Reading(tags=(READ_ONLY,))
    if verb in ("port-forward", "proxy", "edit"):
        return unclear(Code.UNREAD_INPUT)
    return Reading(tags=(UNKNOWN,))


def _look(verb: str, words: tuple[str, ...], options: Options, subject: str) -> Reading:
    """A verb that reads; secrets, tokens and raw paths are secret."""
    kinds = {
        part.partition("/")[0].partition(".")[0].lower()
        for word in words
        for part in word.split(",")
    }
    secret = verb in ("get", "describe") and bool(kinds & {"secret", "secrets"})
    raw = options.values("raw")
    hidden = any("secret" in path.lower() or "proxy" in path.lower() for path in raw)
    if verb == "cluster-info" and words[:1] == ("dump",):
        secret = True
    return thing(Verb.READ, subject, tags=("secret",) if secret or hidden else ()).tagged(READ_ONLY)


def _inside(
    call: Call, options: Options, words: tuple[str, ...], inner: tuple[str, ...]
) -> Reading:
    """A command inside a pod."""
    there = replace(call, scope=call.scope.elsewhere("kubernetes"))
    argv = inner or words[1:]
    ran = there.command(argv) if argv else Reading(opaque=(Code.UNREAD_INPUT,))
    made = thing(Verb.EXECUTE, "kubernetes " + " ".join(words[:1]), Extent.NONE)
    return (ran + made).tagged(WRAPPER)


def _change(verb: str, words: tuple[str, ...], options: Options, subject: str) -> Reading:
    """A verb that changes objects."""
    dry = options.values("dry-run")
    if dry and dry[-1] in ("client", "server"):
        return thing(Verb.READ, subject).tagged(READ_ONLY)
    effect, extent = _EXTENTS[verb]
    if verb == "scale" and "0" in options.values("replicas"):
        effect, extent = Verb.DELETE, Extent.WHOLE
    if (
        verb in ("create", "set", "label", "annotate", "patch")
        and words
        and words[0].partition("/")[0].lower() in _GRANTS
    ):
        effect, extent = Verb.GRANT, Extent.WHOLE
    if verb == "apply" and words[:1] == ("view-last-applied",):
        return thing(Verb.READ, subject).tagged(READ_ONLY)
    if options.has("prune", "force") or (options.has("all") and verb != "delete"):
        return thing(Verb.DELETE, subject, Extent.WHOLE).tagged(DESCRIBED)
    named = options.values("filename", "kustomize")
    opaque = (Code.UNREAD_INPUT,) if named else ()
    return thing(effect, subject, extent).tagged(DESCRIBED) + Reading(opaque=opaque)


def _group(verb: str, words: tuple[str, ...], options: Options, subject: str) -> Reading:
    """`config`, `rollout`, `auth`."""
    word = words[0] if words else ""
    reads = {
        "config": ("view", "current-context", "get-contexts", "get-clusters", "get-users"),
        "rollout": ("status", "history"),
        "auth": ("can-i", "whoami"),
    }[verb]
    if word in reads:
        secret = verb == "config" and (options.has("raw", "flatten"))
        return thing(Verb.READ, subject, tags=("secret",) if secret else ()).tagged(READ_ONLY)
    if verb == "config":
        return configure(subject).tagged(DESCRIBED)
    if verb == "auth":
        return thing(Verb.GRANT, subject, Extent.WHOLE).tagged(DESCRIBED)
    return (
        thing(Verb.ALTER, subject, Extent.KEY_BOUND).tagged(DESCRIBED)
        if word
        else Reading(tags=(UNKNOWN,))
    )


PROGRAMS: Table = (("kubectl k oc kubecolor microk8s.kubectl", _kubectl),)
