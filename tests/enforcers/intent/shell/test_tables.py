"""The tables themselves: every entry can be read, every code is explained."""

from __future__ import annotations

from itertools import product
from types import ModuleType

import pytest

from enforcers.intent.model import Intent
from enforcers.intent.shell import Code, read_argv, read_line
from enforcers.intent.shell.codes import EXPLAINED
from enforcers.intent.shell.names import names
from enforcers.intent.shell.options import parse_table, read_options
from enforcers.intent.shell.programs import FAMILIES
from enforcers.intent.shell.tables import _FIELDS, Row, Tool, _phrases

ENTRIES = [(group, entry) for family in FAMILIES for group, entry in family.PROGRAMS]
CLASSES = {"read_only", "described", "wrapper", "builds", "installs", "interpreter", "unknown"}


def test_every_code_is_explained_in_one_line() -> None:
    assert set(EXPLAINED) == set(Code)
    for message, remedy in EXPLAINED.values():
        assert message[:1].islower() or message.startswith("SQL")
        assert remedy
        assert "\n" not in message + remedy


@pytest.mark.parametrize(
    ("group", "entry"), ENTRIES, ids=[group.split()[0] for group, _ in ENTRIES]
)
def test_an_entry_is_well_formed(group: str, entry: object) -> None:
    assert names(group)
    if isinstance(entry, Row | Tool):
        parse_table(entry.options)
    if isinstance(entry, Tool):
        for field in _FIELDS:
            for phrase in _phrases(getattr(entry, field)):
                # Options are no operands: such a phrase would never be found.
                assert not any(word.startswith("-") for word in phrase.split()), (field, phrase)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__.rpartition(".")[2])
def test_every_program_reads_odd_arguments(family: ModuleType) -> None:
    odd = [(), ("a",), ("-x",), ("--zz", "a"), ("-abc=d", "e", "f"), ("run", "a", "-")]
    for name, args in product((name for group, _ in family.PROGRAMS for name in names(group)), odd):
        intent = read_argv((name, *args))
        assert "unreadable" not in [finding.code for finding in intent.opaque], (name, args)
        tags = set(intent.effects[0].resource.tags)
        assert len(tags & CLASSES) == 1, (name, args)
        assert tags <= CLASSES | {"privileged"}, (name, args)


@pytest.mark.parametrize(
    ("args", "given", "operands"),
    [
        (("-abo", "x", "y"), ["a", "b", "out"], ("y",)),
        (("-abox", "y"), ["a", "b", "out"], ("y",)),
        (("y", "--out=x"), ["out"], ("y",)),
        (("--ou", "x", "y"), ["out"], ("y",)),
        (("--", "-a"), [], ("-a",)),
        (("-", "-a"), ["a"], ("-",)),
        (("-z", "y"), ["z"], ("y",)),
        (("-zv", "y"), ["z"], ("y",)),
    ],
)
def test_options_are_read_like_getopt(
    args: tuple[str, ...], given: list[str], operands: tuple[str, ...]
) -> None:
    options = read_options(args, "-a -b -o|--out= -z?")
    assert [option.name for option in options.given] == given
    assert options.operands == operands


def test_an_abbreviation_is_everything_it_may_mean() -> None:
    options = read_options(("--re", "x"), "--recursive --remove!D --output=")
    assert {option.name for option in options.given} == {"recursive", "remove"}


def test_a_badly_written_table_is_refused() -> None:
    with pytest.raises(ValueError, match="not well formed"):
        parse_table("output=")


def test_a_resolved_program_must_be_where_programs_are() -> None:
    def tags(argv: tuple[str, ...], program: str) -> tuple[str, ...]:
        return read_argv(argv, program=program).effects[0].resource.tags

    assert tags(("ls",), "/usr/bin/ls") == ("read_only",)
    assert tags(("ls",), "/home/dev/app/ls") == ("unknown",)
    assert tags(("ls",), "/usr/bin/rm") == ("unknown",)
    assert tags(("/bin/ls",), "/bin/ls") == ("read_only",)


def test_facts_hold_the_argv_and_the_program() -> None:
    shell = read_argv(("ls", "-l"), program="/usr/bin/ls").shell
    assert shell is not None
    assert (shell.commands, shell.connectors, shell.program) == ((("ls", "-l"),), (), "/usr/bin/ls")
    line = read_line("ls | wc -l").shell
    assert line is not None
    assert (line.commands, line.connectors) == ((("ls",), ("wc", "-l")), ("|",))


def test_what_is_nested_is_kept_and_counted() -> None:
    intent = read_line("sudo sh -c 'rm x'")
    (first,) = intent.nested
    (second,) = first.nested
    assert set(second.effects) <= set(first.effects) <= set(intent.effects)
    assert [code.code for code in read_line("sudo " * 9 + "ls").opaque] == ["too_deep"]


def test_sql_is_given_to_its_reader_with_its_dialect() -> None:
    seen = []

    def reader(text: str, dialect: str) -> Intent:
        seen.append((text, dialect))
        return Intent("sql")

    read_line("psql -c 'select 1' && mysql -e 'select 2'", read_sql=reader)
    assert seen == [("select 1", "postgres"), ("select 2", "mysql")]
    assert [code.code for code in read_line("psql -c 'select 1'").opaque] == ["sql_unread"]


def test_a_span_shows_the_place() -> None:
    text = "ls && python -c 'x' | wc"
    (finding,) = read_line(text).opaque
    assert finding.span is not None
    assert text[slice(*finding.span)] == "python -c 'x'"
    (finding,) = read_line("cat *.md").opaque
    assert finding.span == (4, 5)


def test_short_texts_ask_for_no_endless_work() -> None:
    many = "find " + "x " * 1000 + "-exec rm '{}' ';' " * 300
    assert "too_entangled" in [finding.code for finding in read_line(many).opaque]
    pairs = "curl " + "".join(f"-d @{n} http://h{n} " for n in range(300))
    assert "too_entangled" in [finding.code for finding in read_line(pairs).opaque]
