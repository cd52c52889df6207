"""Package managers and build tools of languages other than JavaScript."""

from __future__ import annotations

from enforcers.intent.shell import hosts
from enforcers.intent.shell.calls import (
    INSTALLS,
    WRAPPER,
    Call,
    Reading,
    connect,
    union,
)
from enforcers.intent.shell.codes import Code
from enforcers.intent.shell.options import read_options
from enforcers.intent.shell.tables import Table, Tool, read_tool

_PIP = Tool(
    """
        -i|--index-url|--extra-index-url=h -f|--find-links= -r|--requirement=r -c|--constraint=r
        -t|--target=w --proxy=h --log=w --python=x -e|--editable= --prefix=w --root=w
        --src=w --cache-dir= --trusted-host= -d|--dest=w -w|--wheel-dir=w -o|--output-file=w
    """,
    read="""
        list; show; freeze; check; search; help; debug; index; config list; config get; cache dir;
        cache info; cache list; inspect; index versions; hash; completion
    """,
    install="install; download; wheel; lock; sync; compile",
    delete="uninstall; cache purge; cache remove",
    configure="config set; config unset; config edit",
)


_CARGO = Tool(
    """
        --manifest-path=r -C=m --target-dir=w --config=x -p|--package= --features= --bin= --test=
        --example= --bench= --target= -j= -Z=x --index=h --registry= --git= --path=
        --message-format= -F=
    """,
    read="""
        tree; metadata; search; version; help; locate-project; pkgid; verify-project; read-manifest;
        list; config get; audit; deny; outdated; expand; info; report
    """,
    build="""
        build; b; check; c; test; t; run; r; bench; clippy; doc; d; rustc; rustdoc; fmt; nextest;
        llvm-cov; fix; miri; udeps; hack; machete; make; package; tarpaulin
    """,
    install="""
        install; add; update; fetch; vendor; generate-lockfile; init; new; binstall
    """,
    delete="clean; uninstall; remove; rm; yank",
    export="publish",
    grant="owner; login; logout",
)


_GO = Tool(
    """
        -C=m -o=w -toolexec=x -exec=x -overlay=r -modfile=r -mod= -tags= -ldflags=x -gcflags= -run=
        -bench= -count= -timeout= -coverprofile=w -cpuprofile=w -memprofile=w -vettool=x -p=
        -w!k -u!k -f= -json -m -race -v -cover -x -a -n
    """,
    read="""
        version; list; doc; help; mod graph; mod why; mod verify; tool; bug; telemetry; env
    """,
    build="""
        build; test; vet; run; fmt; generate; fix; tool cover; tool pprof
    """,
    install="""
        get; install; mod download; mod tidy; mod vendor; mod init; mod edit; work init; work use;
        work sync; work edit; mod edit
    """,
    delete="clean",
    configure="",
    single=True,
)


_POETRY = Tool(
    """
        -C|--directory|--project=m -P= --index-url=h --default-index=h --index=h --config-file=x
        --python= -p= -e= -E= --group= --with= --extra= -r=r -G=
    """,
    read="""
        show; check; version; about; list; search; env info; env list; source show; tree; cache
        list; config --list; graph; python list; tool list; cache dir; pip list; pip show;
        pip freeze; pip check; pip tree; tool dir; export; help; python find; python dir;
        info
    """,
    install="""
        install; add; update; lock; sync; init; new; self update; tool install; python install; pip
        install; pip sync; pip compile; venv; python pin; upgrade; create; env create; env
        update; tool upgrade; python upgrade; inject; ensurepath
    """,
    build="build",
    delete="""
        remove; env remove; cache clear; cache clean; cache prune; uninstall; pip uninstall; tool
        uninstall; python uninstall; clean; env delete; uninject; self remove
    """,
    export="publish",
    configure="""
        config; source add; source remove; activate; deactivate
    """,
    run="shell",
)


def _environment(call: Call) -> Reading:
    """`poetry run CMD`, `uv run CMD` …: a command in the project's environment."""
    if "run" in call.args[:3]:
        rest = call.args[call.args.index("run") + 1 :]
        options = read_options(
            rest,
            """
        --with= --with-requirements=r --python= -p= --env-file=r --extra= --group= -m|--module=
        --project= --directory= -n= -s --frozen --locked --no-sync -q --active
    """,
            stop=True,
        )
        if options.has("module"):
            return call.command(
                ("python", "-m", *options.values("module"), *options.operands)
            ).tagged(WRAPPER)
        odd = (
            Reading(opaque=(Code.HIDDEN_COMMAND,))
            if options.unknown or not options.operands
            else Reading()
        )
        return (call.command(options.operands) + odd).tagged(WRAPPER)
    return read_tool(call, _POETRY)


def _bundle(call: Call) -> Reading:
    """`bundle exec CMD`, and Ruby's packages."""
    if call.args[:1] == ("exec",):
        return call.command(call.args[1:]).tagged(WRAPPER)
    return read_tool(
        call,
        Tool(
            read="""
        list; show; info; outdated; check; platform; env; doctor; search; query; environment;
        contents; dependency; specification; which
    """,
            install="""
        install; update; add; lock; cache; package; pristine; fetch
    """,
            delete="remove; clean; uninstall; cleanup; yank",
            export="push",
            build="build",
            configure="config; sources",
            grant="owner; signin; signout",
            run="open; console",
            bare="",
        ),
    )


def _go(call: Call) -> Reading:
    """`go run address@version` fetches what it runs."""
    reading = read_tool(call, _GO)
    words = [arg for arg in call.args if not arg.startswith("-")]
    remote = [word for word in words[1:] if "@" in word and words[0] in ("run", "install", "get")]
    found = [connect(hosts.from_url(word.partition("@")[0])) for word in remote]
    return reading + union(found) + Reading(tags=(INSTALLS,) if found else ())


PROGRAMS: Table = (
    ("pip pip-tools conda mamba micromamba easy_install", _PIP),
    ("cargo rustup", _CARGO),
    ("go", _go),
    ("poetry uv pipenv pdm hatch rye pipx pixi", _environment),
    ("bundle bundler gem", _bundle),
    (
        "composer",
        Tool(
            "-d|--working-dir=m",
            read="""
        show; info; outdated; validate; licenses; check-platform-reqs; depends; why; prohibits;
        search; status; diagnose; about; audit; suggests; fund
    """,
            install="""
        install; update; require; create-project; init; upgrade; bump
    """,
            delete="remove; clear-cache; uninstall",
            build="run-script; test; dump-autoload",
            run="exec; run; global; config",
            configure="self-update",
        ),
    ),
    (
        "dotnet",
        Tool(
            "-c= -o=w -f= -r= -p= -v= --project=r --source=h",
            read="""
        list; sln list; nuget list
    """,
            build="""
        build; test; run; publish; pack; msbuild; format; vstest; watch
    """,
            install="""
        add; restore; new; tool install; workload install; tool restore; tool update
    """,
            delete="""
        clean; remove; tool uninstall; nuget delete; nuget locals
    """,
            export="nuget push",
            run="exec; script; fsi; dev-certs; user-secrets",
        ),
    ),
)
