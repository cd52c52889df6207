"""
Package managers: looking, installing, removing, publishing, and running what a package brings.
"""

from __future__ import annotations

from dataclasses import replace

from enforcers.intent.model import Extent, Verb
from enforcers.intent.shell.calls import (
    BUILDS,
    INSTALLS,
    Call,
    Reading,
    thing,
    union,
)
from enforcers.intent.shell.options import read_options
from enforcers.intent.shell.tables import Table, Tool, act, read_tool

_NODE = Tool(
    """
        -C|--prefix|--dir|--cwd=m --registry=h -w|--workspace= --filter= --loglevel= --tag= --depth=
        --userconfig=x --script-shell=x --node-options=x -g --global --json -D --save-dev
    """,
    read="""
        ls; list; ll; la; view; info; show; outdated; audit; why; explain; doctor; fund; ping; root;
        prefix; bin; search; help; docs; repo; bugs; version; whoami; licenses; config get;
        config list; get; query; find-dupes; workspaces list; workspaces info; store path;
        npm ls; pkg get; versions; node; diff; home; issues; team ls; access list; profile
        get
    """,
    secret="token list; config ls --all",
    build="""
        test; t; tst; start; run; run-script; build; lint; check; format; typecheck; dev; watch;
        serve; compile; workspaces run; preview; rebuild; e2e; tsc; coverage
    """,
    install="""
        install; i; ci; add; update; upgrade; up; dedupe; install-test; it; link; import; fetch;
        init; create; in; clean-install; install-ci-test; cit; patch; deploy; audit fix;
        store add; global add; import-lock; pack
    """,
    delete="""
        uninstall; remove; rm; un; unlink; prune; cache clean; store prune; unpublish; deprecate;
        global remove; undeprecate; cache rm; clean; r; dist-tag rm
    """,
    export="publish; dist-tag add",
    grant="""
        owner add; owner rm; access grant; access revoke; access set; token create; token revoke;
        login; adduser; logout; org set; team create; team add; star; hook add; profile set;
        access public; access restricted
    """,
    configure="""
        config set; config delete; config edit; set; config rm; config; pkg set; pkg delete; pkg
        fix; env use; env add; env remove; shrinkwrap; setup; completion; policies
        set-version; set version; cache; version patch; version minor; version major
    """,
    run="exec; x; explore; edit; dlx; npx; debug",
)
_SYSTEM = Tool(
    "-c|--config-file|--config=x -o|--option=x -y -q -t= --root=w --installroot=w",
    read="""
        list; search; show; info; policy; depends; rdepends; check; check-update; madison; showpkg;
        stats; dump; provides; repolist; history; deplist; moo; help; query; outdated; deps;
        desc; cat; home; leaves; uses; config; doctor; log; options; formulae; casks; commands; tap-info;
        missing; linkage; services list; changelog; group list; grouplist; repoquery;
        whatprovides; version; shellenv; livecheck; audit; analytics state; bundle list;
        bundle check
    """,
    install="""
        install; reinstall; upgrade; dist-upgrade; full-upgrade; update; add; build-dep; source;
        download; localinstall; tap; fetch; groupinstall; distro-sync; refresh; dup; patch;
        group install; bundle; bundle install; link; switch; pin; unpin; sync; selfupdate;
        module install
    """,
    delete="""
        remove; purge; autoremove; auto-remove; erase; clean; autoclean; uninstall; del; rm;
        autopurge; untap; cleanup; unlink; groupremove; history undo; services stop;
        downgrade; zap; bundle cleanup
    """,
    configure="""
        edit-sources; edit; set-selections; mark; hold; unhold; config-manager; services start;
        services restart; services run; analytics off; analytics on; addrepo; removerepo;
        modifyrepo; swap; developer; completions
    """,
    run="sh; irb; ruby; bundle exec; shell; test; create; tests; pyenv-sync; vendor-install",
)


def _node(call: Call) -> Reading:
    """
    `npm`, `yarn`, `pnpm`, `bun`: a script of the package by its name, too, where the tool allows
    that.
    """
    words = tuple(arg for arg in call.args if not arg.startswith("-"))
    if words[:1] in (("exec",), ("x",), ("dlx",)):
        rest = call.args[call.args.index(words[0]) + 1 :]
        return _runner(replace(call, args=tuple(arg for arg in rest if arg != "--")))
    if not words and call.name in ("yarn",):
        return Reading(tags=(INSTALLS,))
    reading = read_tool(call, _NODE)
    # Where the name of a script is enough, anything that is no subcommand is one.
    scripted = (
        call.name in ("yarn", "pnpm") and not reading.effects and reading.tags == ("unknown",)
    )
    return Reading(tags=(BUILDS,)) if scripted else reading


def _runner(call: Call) -> Reading:
    """
    `npx`, `uvx`, `pipx run`: fetches a package where it is not installed, and runs its command.
    """
    options = read_options(
        call.args,
        """
        -p|--package|--from|--spec|--with= -y|--yes --no-install -q --quiet -c|--call= --python=
        --no
    """,
        stop=True,
    )
    found = [call.script(value) for value in options.values("call")]
    found.append(call.command(options.operands))
    return union(found).tagged(BUILDS if options.has("no-install", "no") else INSTALLS)


def _deb(call: Call) -> Reading:
    """`dpkg`, `rpm`, `pacman`, `pkg` …: queries by their first option."""
    options = read_options(
        call.args,
        """
        --root=w --admindir= --dbpath= -E=x --eval=x --pipe=x --define=x -D=x --import=x
    """,
    )
    query = call.args[:1] and call.args[0].startswith(
        (
            "-l",
            "-L",
            "-S",
            "-s",
            "-p",
            "--list",
            "--search",
            "--status",
            "-q",
            "--query",
            "-V",
            "--verify",
            "-Q",
            "-Si",
            "-Ss",
            "-F",
            "--print",
            "--get-selections",
            "--audit",
            "--version",
        )
    )
    found = [act(call, o.action, o.value) for o in options.given if o.action]
    if query:
        return union(found).tagged("read_only")
    removes = call.args[:1] and call.args[0].startswith(
        ("-r", "-P", "--remove", "--purge", "-e", "--erase", "-R")
    )
    lost = (
        thing(Verb.DELETE, " ".join((call.name, *call.args)), Extent.WHOLE, ("system",))
        if removes
        else Reading()
    )
    return union(found) + lost + Reading(tags=(INSTALLS,))


PROGRAMS: Table = (
    ("npm yarn pnpm", _node),
    ("npx bunx uvx", _runner),
    (
        """
        apt apt-get aptitude apt-cache dnf yum microdnf zypper apk brew port pkg snap flatpak emerge
        nix-channel choco scoop winget tdnf opkg xbps-install
    """,
        _SYSTEM,
    ),
    ("dpkg rpm pacman yay paru dpkg-query rpmquery", _deb),
    (
        """
        nix nix-env nix-shell nix-build nix-store asdf mise nvm pyenv rbenv rustup-init sdk volta
        fnm virtualenv venv ensurepip pre-commit lefthook husky
    """,
        Tool(
            read="""
        list; current; which; where; versions; version; ls; help; latest; doctor; flake
        show; flake metadata; search; path-info; show-config; list-all; plugins ls;
        outdated; validate-config; validate-manifest
    """,
            install="""
        install; use; global; local; update; upgrade; plugin add; plugin install; add; profile
        install; flake update; autoupdate; install-hooks; default; set; reshim; sync; .venv;
        venv; env
    """,
            build="build; flake check",
            delete="""
        uninstall; remove; prune; gc; clean; collect-garbage
    """,
            run="""
        exec; run; shell; develop; repl; eval; try-repo; x
    """,
        ),
    ),
)
