"""
What bundles change in the rules that they extend.

INVARIANT: a file's own word holds before those of the files that it extends; where these differ and it
says nothing, that is a complaint.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from enforcers.policy.bundle import Adjustment, Rule, suggest
from enforcers.policy.complaints import Path, Remark
from enforcers.policy.extending import Family

Changes = dict[str, tuple[Adjustment, ...]]
"""By rule, what the files say of it that one file extends, each thing once."""


def changes_of(family: Family, name: str) -> dict[str, Adjustment]:
    """What holds of each rule that a file or one that it extends changes."""
    return {rule: found[0] for rule, found in _Reading(family).of(name).items()}


def check_changes(family: Family, name: str) -> Iterator[Remark]:
    """What is wrong with a file's own changes, and where those of extended files differ."""
    own = family.sheets[name].bundle.adjust
    named = [one.rule for one in own]
    for rule, found in _Reading(family).extended(name).items():
        if len(found) > 1 and rule not in named:
            message = f"rule `{rule}` is adjusted differently in extended files; adjust it here"
            yield Remark(("extends",), "clash", message)
    for index, change in enumerate(own):
        yield from _check(change, ("adjust", index, "rule"), named[:index], family, name)


def _check(
    change: Adjustment, path: Path, before: Sequence[str], family: Family, name: str
) -> Iterator[Remark]:
    sheets = family.sheets
    extended = [one.id for file in family.line(name)[1:] for one in sheets[file].bundle.rules]
    if change.rule in {one.id for one in sheets[name].bundle.rules}:
        message = f"rule `{change.rule}` is this file's own; change it there"
        yield Remark(path, "needless", message)
    elif change.rule not in extended:
        hint = suggest(change.rule, extended)
        yield Remark(path, "unknown-rule", f"`adjust` names unknown rule `{change.rule}`{hint}")
    if change.rule in before:
        yield Remark(path, "needless", f"rule `{change.rule}` is adjusted twice; keep one")


class _Reading:
    """Reads each file's changes once."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self._known: dict[str, Changes] = {}

    def of(self, name: str) -> Changes:
        """What holds where a file is extended: its own changes over those of what it extends."""
        if name not in self._known:
            found = self.extended(name)
            for own in self._family.sheets[name].bundle.adjust:
                base = found.get(own.rule, (own,))
                found[own.rule] = (_over(own, base[0]),)
            self._known[name] = found
        return self._known[name]

    def extended(self, name: str) -> Changes:
        """What the files say that a file extends."""
        found: Changes = {}
        for parent in self._family.parents(name):
            for rule, changes in self.of(parent).items():
                found[rule] = tuple(dict.fromkeys([*found.get(rule, ()), *changes]))
        return found


def _over(own: Adjustment, base: Adjustment) -> Adjustment:
    if own.disabled or base.disabled:
        return own
    return Adjustment(
        rule=own.rule, mode=own.mode or base.mode, approval=own.approval or base.approval
    )


def changed(rule: Rule, change: Adjustment) -> Rule:
    """The rule as it is after the change."""
    fields = {name: getattr(rule, name) for name in rule.model_fields_set}
    if change.mode is not None:
        fields["mode"] = change.mode
    if change.approval is not None:
        fields["approval"] = change.approval
    # Made anew, since a copy would keep what was computed of the old one.
    return Rule.model_construct(_fields_set=set(fields), **fields)
