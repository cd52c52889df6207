"""
One bundle out of a file and all that it extends.

    Family ──merge(name)──▶ Merged: rules, adjusted; variables, calendars, budgets; and where each stands

INVARIANT: what does not fit together is a complaint; nothing takes the place of something else unsaid,
but for a bundle's own calendars, budgets and break-glass terms, which take the place of extended ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from enforcers.policy.adjusting import changed, changes_of, check_changes
from enforcers.policy.bundle import BreakGlass, Bundle, Rule, Sheet
from enforcers.policy.complaints import Complaint, Path, Remark
from enforcers.policy.extending import Family
from enforcers.policy.packs import OWN


@dataclass(frozen=True)
class Origin:
    """Where a rule is written, and who changed it."""

    name: str
    """The file."""
    index: int
    adjusted: int | None = None
    """Place of the last change, in the file that is merged."""


@dataclass(frozen=True)
class Merged:
    """A file with all that it extends."""

    name: str
    sheet: Sheet
    bundle: Bundle
    origins: tuple[Origin, ...]
    """For each rule of `bundle`."""
    remarks: tuple[Remark, ...] = ()
    """What does not fit together."""

    def own(self, remark: Remark) -> Complaint | None:
        """The remark as a complaint about this very file; None where it is about another."""
        path = self._own_path(remark.path)
        if path is None:
            return None
        return self.sheet.complaint(Remark(path, remark.code, str(remark), remark.offset))

    def _own_path(self, path: Path) -> Path | None:
        if path[0] in ("variables", "calendars", "budgets") and len(path) > 1:
            return path if path[1] in getattr(self.sheet.bundle, path[0]) else None
        if path[0] != "rules" or len(path) == 1 or not isinstance(path[1], int):
            return path
        origin = self.origins[path[1]]
        if origin.adjusted is not None and path[2:3] in (("mode",), ("approval",)):
            return ("adjust", origin.adjusted, *path[2:])
        return ("rules", origin.index, *path[2:]) if origin.name == self.name else None


def merge(family: Family, name: str) -> Merged:
    """Put a file and what it extends together."""
    line = family.line(name)
    bundles = {one: family.sheets[one].bundle for one in line}
    own = bundles[name]
    remarks = [*_clashing_rules(bundles), *_clashing_variables(bundles)]
    rules, origins = _rules(family, name)
    if not rules:
        remarks.append(Remark(("rules",), "no-rule", "no rule is left; write one, or enable one"))
    merged: dict[str, Any] = {
        # What is put together extends nothing any more.
        "extends": (),
        "adjust": (),
        "rules": rules,
        "variables": _joined(bundles, "variables"),
        "calendars": _joined(bundles, "calendars"),
        "budgets": _joined(bundles, "budgets"),
        "non_production": tuple(
            dict.fromkeys(one for bundle in bundles.values() for one in bundle.non_production)
        ),
        "break_glass": own.break_glass or _inherited(bundles),
    }
    for what in ("calendars", "budgets"):
        remarks += _clashing_names(bundles, name, what)
    remarks += [*check_changes(family, name), *_clashing_terms(own, bundles)]
    bundle = own.model_copy(update=merged)
    return Merged(name, family.sheets[name], bundle, origins, tuple(remarks))


def _joined(bundles: Mapping[str, Bundle], what: str) -> dict[str, Any]:
    """All of what the files define, in the order in which it can be read: extended ones first."""
    found: dict[str, Any] = {}
    for bundle in reversed(tuple(bundles.values())):
        found.update(getattr(bundle, what))
    return found


def _clashing_rules(bundles: Mapping[str, Bundle]) -> Iterator[Remark]:
    """Two files with a rule of the same id. Two in one file are lint's work."""
    own = {rule.id: index for index, rule in enumerate(next(iter(bundles.values())).rules)}
    named = [(name, rule.id) for name, one in bundles.items() for rule in one.rules]
    for rule, first, second in _twice(named):
        yield Remark(
            ("rules", own[rule], "id") if rule in own else ("extends",),
            "clash",
            f"rule `{rule}` is written in {first} and {second}; rename one, or change the extended"
            " one by `adjust`",
        )


def _clashing_variables(bundles: Mapping[str, Bundle]) -> Iterator[Remark]:
    own = next(iter(bundles.values())).variables
    named = [(name, variable) for name, one in bundles.items() for variable in one.variables]
    for variable, first, second in _twice(named):
        yield Remark(
            ("variables", variable) if variable in own else ("extends",),
            "clash",
            f"variable `{variable}` is written in {first} and {second}; rename one",
        )


def _twice(named: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """What two files have both, and the files as they are shown."""
    seen: dict[str, str] = {}
    for file, what in named:
        first = seen.setdefault(what, file)
        if first != file:
            yield what, _shown(first), _shown(file)


def _clashing_names(bundles: Mapping[str, Bundle], own: str, what: str) -> Iterator[Remark]:
    """Two extended files that define a name differently, where the bundle does not say which holds."""
    seen: dict[str, tuple[str, object]] = {}
    for name, bundle in bundles.items():
        for key, value in getattr(bundle, what).items():
            other, first = seen.setdefault(key, (name, value))
            if first != value and own not in (other, name):
                yield Remark(
                    ("extends",),
                    "clash",
                    f"`{what}`: `{key}` is written in {_shown(other)} and {_shown(name)}; write"
                    " the one that holds in the bundle itself",
                )


def _clashing_terms(own: Bundle, bundles: Mapping[str, Bundle]) -> Iterator[Remark]:
    found = {one.break_glass for one in bundles.values() if one.break_glass}
    if own.break_glass is None and len(found) > 1:
        yield Remark(
            ("extends",),
            "clash",
            "`break_glass` is written differently in extended files; write the one that holds",
        )


def _inherited(bundles: Mapping[str, Bundle]) -> BreakGlass | None:
    return next((one.break_glass for one in bundles.values() if one.break_glass), None)


def _shown(name: str) -> str:
    return "the bundle itself" if name == OWN else f"`{name}`"


def _rules(family: Family, name: str) -> tuple[tuple[Rule, ...], tuple[Origin, ...]]:
    """Every rule that holds, and where it is written."""
    changes = changes_of(family, name)
    own = {one.rule: index for index, one in enumerate(family.sheets[name].bundle.adjust)}
    found: list[tuple[Rule, Origin]] = []
    for file in family.line(name):
        for index, rule in enumerate(family.sheets[file].bundle.rules):
            change = changes.get(rule.id)
            if change is None:
                found.append((rule, Origin(file, index)))
            elif not change.disabled:
                found.append((changed(rule, change), Origin(file, index, own.get(rule.id))))
    return tuple(rule for rule, _ in found), tuple(origin for _, origin in found)
