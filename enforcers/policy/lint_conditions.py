"""
What conditions compare, read from their trees: values that cannot be, names that nothing defines.

    effect.verb == "reed"   effect.verb has few values, and this is none of them
    "freez" in time.calendars   the bundle has no such calendar
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from enforcers.contract.action import Capability, PrincipalKind
from enforcers.errors import PolicyError
from enforcers.intent.model import Extent, ResourceType, Verb
from enforcers.policy import fragments, tree
from enforcers.policy.bundle import Bundle, Rule
from enforcers.policy.calendars import WEEKDAYS
from enforcers.policy.compared import Compared, comparisons, needless, strings
from enforcers.policy.compiling import CompiledRule, compile_expression
from enforcers.policy.complaints import Path, Remark
from enforcers.policy.form import closest

KINDS = ("sql", "shell", "http", "file", "kubernetes", "terraform", "tool")

CLOSED: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("Principal", "kind"): tuple(PrincipalKind),
    ("Action", "capabilities"): tuple(Capability),
    ("Effect", "verb"): tuple(Verb),
    ("Effect", "type"): tuple(ResourceType),
    ("Effect", "extent"): tuple(Extent),
    ("Flow", "source_type"): tuple(ResourceType),
    ("Flow", "sink_type"): tuple(ResourceType),
    ("Intent", "kind"): KINDS,
    ("Intent", "kinds"): KINDS,
    ("Intent", "verbs"): tuple(Verb),
    ("Intent", "types"): tuple(ResourceType),
    ("Time", "weekday"): WEEKDAYS,
}
"""Attributes that have few values, and these."""

_Place = Callable[[int | None], tuple[Path, int | None]]


def lint_conditions(bundle: Bundle, compiled: Sequence[CompiledRule]) -> Iterator[Remark]:
    """Every complaint about conditions that compile."""
    places = {rule.id: index for index, rule in enumerate(bundle.rules)}
    named: set[str] = set()
    for one in compiled:
        for part, text in (("when", one.when), ("where", one.where)):
            if text is None:
                continue
            checked = _tree(text, part == "where")
            named.update(strings(checked.root))
            path: Path = ("rules", places[one.rule.id], part)
            where = f"rule `{one.rule.id}`, `{part}`"
            for remark in _remarks(bundle, checked):
                offset = _written_at(one.rule, part, bundle, text, remark.offset)
                yield Remark(path, remark.code, f"{where}: {remark}", offset)
        yield from _idle_where(one, places)
    if len(compiled) == len(bundle.rules):
        yield from _unread(bundle, named, compiled)


@lru_cache(maxsize=4_096)
def _tree(text: str, with_effect: bool) -> tree.Checked:
    """Read once, though each file that extends a rule looks at it."""
    return tree.checked_tree(compile_expression(text, with_effect))


def _idle_where(one: CompiledRule, places: Mapping[str, int]) -> Iterator[Remark]:
    if one.where is not None and "effect" not in fragments.names_in(one.where):
        message = f"rule `{one.rule.id}`, `where`: says nothing about `effect`; write it as `when`"
        yield Remark(("rules", places[one.rule.id], "where"), "condition", message)


def _written_at(rule: Rule, part: str, bundle: Bundle, text: str, offset: int | None) -> int | None:
    """Where in the text that the author wrote, if nothing but its own fragments was put in."""
    written: str = getattr(rule, part)
    if offset is None or written == text:
        return offset
    try:
        expanded = fragments.expand_all(bundle.variables)
    except PolicyError:
        # A fragment that grows too long has a complaint of its own.
        return None
    return fragments.source_offset(written, expanded, offset)


def _remarks(bundle: Bundle, checked: tree.Checked) -> Iterator[Remark]:
    # Each value once, at its first place.
    found = {(one.message, one.attribute, one.value): one for one in comparisons(checked.root)}
    for one in found.values():
        message = _impossible(one) or _undefined(one, bundle)
        if message:
            yield Remark((), "value", message, checked.offset(one.node))
    for node, what in needless(checked.root):
        yield Remark((), "constant", f"{what}; remove it", checked.offset(node))


def _impossible(one: Compared) -> str:
    known = CLOSED.get((one.message, one.attribute))
    if known is None or one.value in known:
        return ""
    hint = closest(one.value, known) or f"; it is one of: {', '.join(known)}"
    return f"`{one.attribute}` is never `{one.value}`{hint}"


def _undefined(one: Compared, bundle: Bundle) -> str:
    defined: Mapping[tuple[str, str], tuple[str, str, Iterable[str]]] = {
        ("Time", "calendars"): ("calendar", "calendars", bundle.calendars),
        ("Budgets", "spent"): ("budget", "budgets", bundle.budgets),
    }
    if (one.message, one.attribute) not in defined:
        return ""
    what, key, known = defined[one.message, one.attribute]
    if one.value in known:
        return ""
    hint = closest(one.value, known) or f"; define it in `{key}`"
    return f"no {what} is called `{one.value}`{hint}"


def _unread(bundle: Bundle, named: set[str], compiled: Sequence[CompiledRule]) -> Iterator[Remark]:
    """Calendars and budgets that no condition names."""
    read = frozenset[str]().union(*(one.reads for one in compiled))
    for key, variable, names in (
        ("calendars", "time", bundle.calendars),
        ("budgets", "budgets", bundle.budgets),
    ):
        for name in names:
            if name not in named or variable not in read:
                message = f"`{key}`: `{name}` is never read; name it in a condition, or remove it"
                yield Remark((key, name), "unused", message)
