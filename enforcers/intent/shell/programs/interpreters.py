"""Interpreters, compilers and build tools: code that is not read, or code of the checkout."""

from __future__ import annotations

from enforcers.intent.shell.calls import BUILDS, READ_ONLY, WRAPPER, Call, Reading, unclear, union
from enforcers.intent.shell.codes import Code
from enforcers.intent.shell.names import names
from enforcers.intent.shell.options import Options, read_options
from enforcers.intent.shell.tables import Table

_VERSION = names("--version -V -v -version --help -h version")
# Modules of Python that only run the checkout's own code, or look.
_MODULES = names("""
        pytest unittest doctest mypy ruff black flake8 pylint isort coverage compileall tox nox
        build
    """)


def _interpreter(call: Call) -> Reading:
    """
    An interpreter: only its version is harmless; a file is code of the checkout, and code is
    opaque.
    """
    if call.args and set(call.args) <= _VERSION:
        return Reading(tags=(READ_ONLY,))
    files = [arg for arg in call.args if not arg.startswith("-")]
    found = union([call.file("r", name) for name in files[:1]])
    return found + unclear(Code.INTERPRETER_CODE)


def _python(call: Call) -> Reading:
    """`python`: a file or a module of the checkout is run; `-c` and standard input are opaque."""
    if call.args and set(call.args) <= _VERSION:
        return Reading(tags=(READ_ONLY,))
    table = "-c= -m= -W= -X= -B -b -d -E -i -I -O -P -q -R -s -S -u -v -V -x"
    options = read_options(call.args, table, stop=True)
    modules = options.values("m")
    if modules and not options.has("c"):
        return _module(call, modules[0])
    return _interpreter(call)


def _module(call: Call, name: str) -> Reading:
    """`python -m name …`."""
    rest = call.args[call.args.index(name) + 1 :] if name in call.args else ()
    if name in _MODULES:
        return Reading(tags=(BUILDS,))
    if name in ("pip", "venv", "virtualenv", "ensurepip"):
        return call.command((name, *rest)).tagged(WRAPPER)
    if name == "json.tool":
        return union(
            [call.file(letter, path) for letter, path in zip("rw", rest, strict=False)]
        ).tagged(READ_ONLY)
    return unclear(Code.INTERPRETER_CODE)


def _build(call: Call) -> Reading:
    """A build or test tool: it runs the checkout's own code."""
    if call.args and set(call.args) <= _VERSION:
        return Reading(tags=(READ_ONLY,))
    return Reading(tags=(BUILDS,))


def _make(call: Call) -> Reading:
    """
    `make`: targets of the checkout's file; `--eval` and settings of SHELL bring code of their
    own.
    """
    table = """
        -C|--directory=m -f|--file|--makefile=r -j|--jobs? -I|--include-dir=r -E|--eval=x -l? -o=
        -W= -k -n -s -B
    """
    options = read_options(call.args, table)
    if options.has("eval") or any("=" in word for word in options.operands):
        return unclear(Code.INTERPRETER_CODE)
    named = options.values("directory") + options.values("file") + options.values("include-dir")
    return union([call.file("r", name) for name in named]).tagged(BUILDS)


def _rewrites(name: str, options: Options) -> bool:
    """Whether a checker writes the files that it looks at: formatters do unless told not to."""
    if options.has("fix", "write", "in-place"):
        return True
    formats = name in ("black", "isort", "rustfmt") or "format" in options.operands[:1]
    return formats and not options.has("check", "diff")


def _checker(call: Call) -> Reading:
    """A formatter, linter or type checker: files that are fixed in place are written."""
    options = read_options(
        call.args,
        """
        -c|--config|--config-file=r --fix -w|--write -i|--in-place --diff --check -o|--output=w
        --output-file=w --select= --ignore= --line-length= -l= -q --load-plugins=x
        --rulesdir=x --plugin=x --resolve-plugins-relative-to=x --require=x --init-hook=x
    """,
    )
    if any(option.action == "x" for option in options.given):
        return unclear(Code.CONFIGURED_COMMAND)
    found = [call.file("w", o.value) for o in options.given if o.action == "w"]
    letter = "W" if _rewrites(call.name, options) else "r"
    words = [name for name in options.operands if name not in ("check", "format", "lint")]
    found += [call.file(letter, name) for name in words]
    return union(found).tagged(BUILDS)


PROGRAMS: Table = (
    ("python pypy ipython", _python),
    (
        """
        perl ruby irb node nodejs php lua luajit deno bun tclsh osascript Rscript R julia groovy
        scala kotlin java jshell ghc runghc guile racket sbcl clojure bb elixir iex erl
        escript swift crystal nim dart raku tcl octave gnuplot jython ts-node tsx tsc-node
        m4 autohotkey wscript cscript mshta rundll32 regsvr32 certutil.exe qemu-system wine
    """,
        _interpreter,
    ),
    ("make gmake", _make),
    (
        """
        ninja just task rake bazel bazelisk meson scons waf mage invoke nox tox pytest py.test jest
        mocha vitest ava karma cypress playwright phpunit rspec gradle gradlew mvn mvnw ant
        sbt lein ctest coverage nosetests tap bats go-task
    """,
        _build,
    ),
    (
        """
        ruff black isort mypy flake8 pylint pyright autopep8 prettier eslint stylelint rubocop gofmt
        goimports rustfmt clang-format clang-tidy golangci-lint biome dprint standard xo
        tslint bandit vulture pyflakes pycodestyle pydocstyle
    """,
        _checker,
    ),
    (
        """
        gcc g++ cc c++ clang clang++ tsc rustc javac ld as ar strip objcopy nasm protoc webpack vite
        rollup esbuild swc babel sass tailwindcss cmake next nuxt astro hugo jekyll mkdocs
        sphinx-build pdflatex latexmk pandoc turbo nx lerna
    """,
        _build,
    ),
)
