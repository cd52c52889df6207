"""What the pages say is so: commands, settings, links and examples are held against the code."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from console.cases import CASE_KINDS, PAYLOADS
from console.circumstances import Changes
from console.cli.app import app
from console.cli.exits import EXIT_CODES
from console.layers import CONFIG_VARIABLE, PREFIX
from console.rows import LABELS, Row, labelled, parse_row
from console.scoring import CATCHING_OBLIGATIONS
from console.settings import Settings
from console.shipped import PRODUCTION_POLICY

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = [README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text("utf-8")
PACKAGED = [*PAGES, ROOT / "Dockerfile", ROOT / "docker-compose.yml", ROOT / "Makefile"]
FOLDERS = sorted(path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != ".")
VARIABLES = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | {CONFIG_VARIABLE}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(text: str) -> Iterator[str]:
    """Every block of code, whether it is fenced or indented."""
    yield from re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S)
    for block in re.findall(r"(?:^(?: {4}.*)?\n)+", text, re.M):
        yield re.sub(r"^ {4}", "", block, flags=re.M).strip("\n")


# ---- Commands -------------------------------------------------------------------------------------------


def command_lines(path: Path) -> Iterator[str]:
    """Every `sluicegate …` of a page, in the text and in its blocks."""
    text = path.read_text("utf-8")
    yield from re.findall(r"`(sluicegate\b[^`]*)`", text)
    for block in blocks(text):
        yield from re.findall(r"^(?:\$ )?(sluicegate\b.*)", block, re.M)


SLUICEGATE: Any = get_command(app)
"""Made once: to make it takes longer than to read a line."""
LINES = sorted({(named(path), line) for path in PAGES for line in command_lines(path)})


def parsed(line: str) -> tuple[str, ...]:
    """The names of the command that a line calls. What the command line would refuse is raised."""
    command = SLUICEGATE
    words = [word for word in shlex.split(re.split(r"[<>|]", line)[0], comments=True)[1:] if word]
    path: tuple[str, ...] = ()
    while words and hasattr(command, "commands"):
        word = words.pop(0)
        options = {name: one for one in command.params for name in one.opts}
        if word.startswith("-"):
            del words[: 0 if options[word].is_flag else 1]
        else:
            command, path = command.commands[word], (*path, word)
    if words:
        command.make_context(path[-1], words)
    return path


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The names of every command that does something."""
    if not hasattr(command, "commands"):
        yield path
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, (*path, name))


@pytest.mark.parametrize(("page", "line"), LINES, ids=[line for _, line in LINES])
def test_a_command_line_of_a_page_is_understood(page: str, line: str) -> None:
    parsed(line)


@pytest.mark.parametrize(
    "line", ["sluicegate dance", "sluicegate sql --fast x", "sluicegate --far up"]
)
def test_a_command_line_that_does_not_exist_is_noticed(line: str) -> None:
    with pytest.raises(Exception, match=r"dance|--fast|--far"):
        parsed(line)


@pytest.mark.parametrize("path", list(commands(SLUICEGATE)), ids=" ".join)
def test_every_command_is_named_in_a_page(path: tuple[str, ...]) -> None:
    assert path in named_in_pages()


@cache
def named_in_pages() -> frozenset[tuple[str, ...]]:
    return frozenset(parsed(line) for _, line in LINES)


def test_the_readme_names_every_exit_code() -> None:
    (said,) = re.findall(r"^Exit codes: (.*?)\n\n", README.read_text("utf-8"), re.M | re.S)
    assert set(re.findall(r"\b\d\b", said)) == {"0", "1", *map(str, EXIT_CODES.values())}


@pytest.mark.parametrize(
    "command", ["bench judge", "bench rtt", "catalog scan", "up", "run", "sql"]
)
def test_the_readme_has_a_command_in_its_table(command: str) -> None:
    assert re.search(rf"^\| `sluicegate {command}\b", README.read_text("utf-8"), re.M)


@pytest.mark.parametrize("group", sorted(SLUICEGATE.commands))
def test_the_readme_has_every_command_group_in_its_table(group: str) -> None:
    cells = re.findall(r"^\| (`sluicegate .*?) \| ", README.read_text("utf-8"), re.M)
    assert group in {name.split()[0] for one in cells for name in named_commands(one)}


def named_commands(cell: str) -> list[str]:
    """`sluicegate a b`, `c` … of a cell, without `sluicegate`."""
    return [name.removeprefix("sluicegate ") for name in re.findall(r"`(.*?)`", cell)]


STEPS = (
    "duckdb.connect(",
    "mkdir -p",
    "[targets.customers]",
    "sluicegate catalog scan customers",
    "sluicegate up ",
    "second terminal",
    "export SLUICEGATE_SESSION=maintenance-1",
    "sluicegate sql --target customers",
    "sluicegate run",
    "sluicegate audit session maintenance-1",
)


def test_the_readme_can_be_typed_from_the_top() -> None:
    use = README.read_text("utf-8").partition("## Use it\n")[2].partition("\n## ")[0]
    found = [use.find(step) for step in STEPS]
    assert found == sorted(found)
    assert -1 not in found


@pytest.mark.parametrize("target", re.findall(r"^    make (\w+)", README.read_text("utf-8"), re.M))
def test_make_knows_what_the_readme_asks_of_it(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), re.M)


# ---- Settings -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PACKAGED, ids=named)
def test_every_variable_that_is_named_is_one_of_ours(path: Path) -> None:
    assert set(re.findall(rf"{PREFIX}[A-Z_]+", path.read_text("utf-8"))) <= VARIABLES


def test_the_page_on_configuration_names_every_variable() -> None:
    assert set(re.findall(rf"{PREFIX}[A-Z_]+", CONFIGURATION)) == VARIABLES


DEFAULTS = dict(re.findall(r"^\| `(\w+)` \| `SLUICEGATE_\w+` \| (.*?) \|", CONFIGURATION, re.M))


def written(value: Any, home: Path) -> str:
    """A default as the table writes it."""
    if isinstance(value, Path):
        return f"`{value.relative_to(home)}` in `home`"
    return {"": "empty", "{}": "none", "None": "none"}.get(str(value), f"`{value}`")


@pytest.mark.parametrize("name", sorted(Settings.model_fields.keys() - {"home", "policy"}))
def test_the_page_on_configuration_gives_the_default(name: str, tmp_path: Path) -> None:
    assert DEFAULTS[name] == written(getattr(Settings(home=tmp_path), name), tmp_path)


EXAMPLES = [
    pytest.param(block, id=f"{named(path)}-{count}")
    for path in PAGES
    for count, block in enumerate(blocks(path.read_text("utf-8")))
    if re.search(r"^\[(targets|catalogs|alerts|witnesses)\b", block, re.M)
]


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_of_a_settings_file_is_accepted(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "sluicegate.toml").write_text(text)
    settings = Settings.load({"home": tmp_path})
    assert set(tomllib.loads(text)) == settings.model_fields_set - {"home"}


def test_every_page_with_a_settings_file_is_looked_at() -> None:
    assert len(EXAMPLES) == 4


# ---- Cases ----------------------------------------------------------------------------------------------

CASES = (ROOT / "docs" / "cases.md").read_text("utf-8")


def first_cells(title: str) -> list[str]:
    """Every name in the first column of the tables that follow a title."""
    part = CASES.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.*?) \|", part, re.M)
    return [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]


def test_the_page_on_cases_names_every_field_and_kind() -> None:
    names = first_cells("What a case holds")
    assert sorted(names) == sorted([*Row.model_fields, *(PAYLOADS.keys() | CASE_KINDS.keys())])


def test_the_page_on_cases_names_everything_that_a_context_changes() -> None:
    assert sorted(first_cells("Context")) == sorted(Changes.model_fields)


def test_the_page_on_cases_names_every_label() -> None:
    assert tuple(first_cells("What `eval` counts")) == LABELS


def test_the_page_on_cases_names_every_category_that_counts() -> None:
    assert all(f"`{category}`" in CASES for category in CATCHING_OBLIGATIONS)


def test_the_cases_that_the_page_shows_are_cases() -> None:
    (shown,) = re.findall(r"^```json\n(.*?)^```", CASES, re.M | re.S)
    assert all(isinstance(labelled(parse_row(line.encode())), Row) for line in shown.splitlines())


def test_the_page_on_policy_names_the_tags_of_columns_that_the_shipped_one_asks_for() -> None:
    page = (ROOT / "docs" / "policy.md").read_text("utf-8")
    (said,) = re.findall(r"The shipped policy asks for two of them: (.*?)\n\n", page, re.S)
    packs = [PRODUCTION_POLICY.with_name(f"{name}.yaml") for name in ("core", "data")]
    shipped = "".join(pack.read_text("utf-8") for pack in packs)
    masked = set(re.findall(r'columns: \["tag:(\w+)"\]', shipped))
    assert masked == {"secret", "pii"} == set(re.findall(r"tagged\s`(\w+)`", said))


# ---- Links and examples ---------------------------------------------------------------------------------


def anchors(path: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)", path.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page: Path) -> None:
    lost = []
    for link in re.findall(r"\]\((?!\w+:)([^)\s]+)\)", page.read_text("utf-8")):
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    paths = re.findall(rf"`((?:{'|'.join(FOLDERS)})/[^`\s]*)`", page.read_text("utf-8"))
    assert [path for path in paths if not list(ROOT.glob(path.rstrip("/")))] == []


def test_the_example_and_the_readme_hold_the_same_program() -> None:
    (shown,) = re.findall(r"^```python\n(.*?)^```", README.read_text("utf-8"), re.M | re.S)
    docstring, _, program = (ROOT / "examples/guard_a_statement.py").read_text().partition("\n\n")
    assert program == shown
    assert docstring.startswith('"""')
    assert len(shown.replace("\n\n", "\n").splitlines()) <= 10
