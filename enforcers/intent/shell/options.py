"""
One reader for options, in the way of GNU getopt, with a table for each program.

A table is a string of tokens: `-o|--output=w -r|-R|--recursive!D -k= --color?`. Names that mean
the same are joined by `|`; `=` takes a value, `?` takes one only when it is attached, and the
letter at the end says what the option does (see `table.py`); `!` gives a letter to an option
without a value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_TOKEN = re.compile(r"(?P<names>-[^=?!]+)(?P<kind>[=?!]?)(?P<action>[A-Za-z-]?)$")


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a program."""

    name: str
    """Its longest name without dashes."""
    valued: bool = False
    attached_only: bool = False
    action: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """An option as it was given."""

    name: str
    value: str
    action: str


@dataclass(frozen=True, slots=True)
class Options:
    """What the arguments of a program say."""

    given: tuple[Given, ...]
    operands: tuple[str, ...]
    unknown: tuple[str, ...]
    """Options that the table does not name; taken to have no value."""

    def has(self, *names: str) -> bool:
        """Whether one of `names` is given."""
        return any(option.name in names for option in self.given)

    def certain(self, args: tuple[str, ...], *flags: str) -> bool:
        """
        Whether one of `flags` (with dashes) is given, and is the value of no other option.

        After an option that the table does not name, a flag may be that option's value.
        """
        return any(
            arg.partition("=")[0] in flags and (not place or self._ends(args[place - 1]))
            for place, arg in enumerate(args)
        )

    def _ends(self, before: str) -> bool:
        """Whether `before` cannot take the next word as its value."""
        return not before.startswith("-") or "=" in before or before not in self.unknown

    def flagged(self, *names: str) -> bool:
        """Whether one of `names` is given without a value."""
        return any(option.name in names and not option.value for option in self.given)

    def values(self, *names: str) -> tuple[str, ...]:
        """Every value given to one of `names`."""
        return tuple(option.value for option in self.given if option.name in names)


@lru_cache(maxsize=512)
def parse_table(table: str) -> dict[str, Option]:
    """
    The options that `table` names, by each of their names with dashes.

    Raises ValueError for a token that is not well formed: a mistake in a table of this package.
    """
    found: dict[str, Option] = {}
    for token in table.split():
        match = _TOKEN.match(token)
        if match is None:
            raise ValueError(f"option table token {token!r} is not well formed; see options.py")
        names = match["names"].split("|")
        kind = match["kind"]
        option = Option(
            max(names, key=len).lstrip("-"), kind in ("=", "?"), kind == "?", match["action"]
        )
        found.update(dict.fromkeys(names, option))
    return found


def read_options(
    args: tuple[str, ...], table: str, *, stop: bool = False, single: bool = False
) -> Options:
    """
    Read `args` by `table`.

    `stop` ends the options at the first operand, as programs do that run another command;
    `single` reads `-word` as one long option, as Go's flag package and `find` do.
    """
    known = parse_table(table)
    given: list[Given] = []
    operands: list[str] = []
    unknown: list[str] = []
    rest = list(reversed(args))
    while rest:
        arg = rest.pop()
        if arg == "--":
            operands.extend(reversed(rest))
            break
        if len(arg) < 2 or arg[0] != "-":
            operands.append(arg)
            if stop:
                operands.extend(reversed(rest))
                break
        elif arg.startswith("--") or single:
            _long(arg, known, rest, given, unknown)
        else:
            _short(arg, known, rest, given, unknown)
    return Options(tuple(given), tuple(operands), tuple(unknown))


def _long(
    arg: str, known: dict[str, Option], rest: list[str], given: list[Given], unknown: list[str]
) -> None:
    """Read a long option; an abbreviation stands for every option that it may mean."""
    name, equals, value = arg.partition("=")
    options = [known[name]] if name in known else _abbreviated(name, known)
    if not options:
        unknown.append(name)
        return
    needs = [option.valued and not option.attached_only for option in options]
    if not equals and all(needs):
        value = rest.pop() if rest else ""
    given.extend(Given(option.name, value, option.action) for option in options)


def _abbreviated(name: str, known: dict[str, Option]) -> list[Option]:
    """Every option that getopt may take `name` for."""
    if len(name) < 3:
        return []
    found = {option.name: option for key, option in known.items() if key.startswith(name)}
    return list(found.values())


def _short(
    arg: str, known: dict[str, Option], rest: list[str], given: list[Given], unknown: list[str]
) -> None:
    """Read a cluster of short options: `-rf`, `-ofile`, `-o file`."""
    for place, letter in enumerate(arg[1:], start=2):
        option = known.get("-" + letter)
        if option is None:
            unknown.append("-" + letter)
            continue
        value = ""
        if option.valued:
            value = arg[place:]
            if not value and not option.attached_only:
                value = rest.pop() if rest else ""
        given.append(Given(option.name, value, option.action))
        if option.valued:
            return
