"""Clients of forges: `gh`, `glab`."""

from __future__ import annotations

from dataclasses import replace

from enforcers.intent.shell.calls import Call, Reading, union
from enforcers.intent.shell.options import read_options
from enforcers.intent.shell.tables import Table, Tool, read_tool, say

_GH = Tool(
    """
        -R|--repo= --hostname= -L|--limit= -q|--jq= -t|--template|--title= --json= -s|--state=
        -l|--label= -a|--assignee= -A|--author= -b|--body= -F|--body-file=r -B|--base=
        -H|--head= -w|--workflow= -m|--milestone= --log --log-failed --web -D|--dir=w
        -p|--pattern= -n|--name= -o|--output= -O=w -j= -e= --env= -u= -S|--search= --tag=
        --notes= --notes-file=r --target= --branch= -d -f -r= -c= --sort= --order= --owner=
    """,
    read="""
        pr view; pr list; pr diff; pr checks; pr status; issue view; issue list; issue status; repo
        view; repo list; run view; run list; run watch; release view; release list; workflow
        list; workflow view; gist list; gist view; label list; search; search repos; search
        issues; search prs; search code; search commits; status; auth status; cache list;
        project list; project view; project item-list; project field-list; ruleset list;
        ruleset view; ruleset check; ssh-key list; gpg-key list; org list; secret list;
        variable list; variable get; config get; config list; extension list; extension
        search; version; help; browse --no-browser; attestation verify; mr view; mr list; mr
        diff; ci status; ci list; ci view; ci trace; ci lint; codespace list; repo
        deploy-key list; issue develop --list; alias list; mr approvers; user events; repo
        autolink list; release verify; repo gitignore list; repo license list; agent-task
        list; agent-task view; cache ls; copilot explain; variable export; job view; repo
        search; mr issues; repo contributors; schedule list; snippet list
    """,
    secret="auth token; auth git-credential",
    create="""
        issue create; issue comment; pr create; pr comment; pr review; label create; gist create;
        repo fork; project create; discussion create; issue develop; mr create; mr note;
        issue note; project item-create; project item-add; label clone; project
        field-create; project link; project copy
    """,
    alter="""
        issue edit; issue close; issue reopen; issue pin; issue unpin; issue lock; issue unlock;
        issue transfer; pr edit; pr close; pr reopen; pr ready; pr lock; pr unlock; pr
        update-branch; pr checkout; label edit; gist edit; gist rename; run rerun; run
        cancel; workflow run; workflow enable; repo sync; release edit; project edit;
        project item-edit; mr update; mr close; mr checkout; mr reopen; ci retry; ci run; ci
        cancel; repo set-default; repo unarchive; project close; mr rebase; mr approve
    """,
    write="repo clone; run download; release download; gist clone; attestation download",
    delete="""
        repo delete; repo archive; repo rename; issue delete; release delete; release delete-asset;
        label delete; gist delete; run delete; cache delete; project delete; project
        item-delete; project field-delete; workflow disable; codespace delete; codespace
        stop; secret delete; variable delete; ssh-key delete; gpg-key delete; repo
        deploy-key delete; mr delete; ci delete; secret remove; variable remove; project
        unlink; project item-archive; repo autolink delete; schedule delete; repo transfer
    """,
    grant="""
        auth login; auth logout; auth refresh; auth setup-git; auth switch; secret set; variable
        set; ssh-key add; gpg-key add; repo edit; repo create; repo deploy-key add; pr
        merge; mr merge; release create; release upload; org invite; repo autolink create;
        mr revoke; repo mirror; schedule create; variable update; pr revert
    """,
    configure="config set; config clear-cache; alias delete; preview",
    install="extension install; extension upgrade; extension create; extension remove",
    run="""
        codespace ssh; codespace cp; codespace ports; codespace jupyter; codespace code; alias set;
        alias import; extension exec; codespace create; copilot suggest; agent-task create;
        duo ask
    """,
)
_API = """
        -X|--method= -f|--raw-field= -F|--field= -H|--header= --input=r -q|--jq= -t|--template=
        --hostname= -p|--preview= --cache= --paginate --slurp -i|--include --silent
        --verbose
    """


def _gh(call: Call) -> Reading:
    """`gh …`; `gh api` is read by its method."""
    words = read_options(call.args, _GH.options).operands
    if words[:1] == ("api",):
        return _api(replace(call, args=call.args[call.args.index("api") + 1 :]))
    return read_tool(call, _GH)


def _api(call: Call) -> Reading:
    """`gh api path`: fields make it a POST; GraphQL may change things by its text."""
    options = read_options(call.args, _API)
    path = options.operands[0] if options.operands else ""
    sends = options.has("raw-field", "field", "input")
    methods = [method.upper() for method in options.values("method")]
    method = methods[-1] if methods else "POST" if sends else "GET"
    files = [call.file("r", value.partition("=@")[2]) for value in options.values("field")]
    files += [call.file("r", value) for value in options.values("input")]
    subject = f"{call.name} api {method} {path}"
    if path.strip("/") == "graphql":
        texts = " ".join(options.values("raw-field", "field"))
        plain = (
            "mutation" not in texts
            and "query=" in texts
            and not options.has("input")
            and "query=@" not in texts
        )
        return union(files) + say("read" if plain else "alter", subject)
    if method in ("GET", "HEAD"):
        kind = "secret" if any(w in path for w in ("/token", "access_tokens", "/keys")) else "read"
        return union(files) + say(kind, subject)
    return union(files) + (say("delete", subject) if method == "DELETE" else say("grant", subject))


PROGRAMS: Table = (("gh glab", _gh),)
