"""
A policy on its way to every judge.

    file ──loads and passes its tests here──▶ Publication ──signed──▶ topic `policies`

INVARIANT: what does not load here is not published.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.administering import Desk
from console.contracted import held_to_contract
from console.world import load_publication
from enforcers.contract.base import uuid7
from enforcers.contract.publication import PolicyFile, Publication
from enforcers.errors import PolicyError
from enforcers.policy.bundle import Rule
from enforcers.policy.cases import run_case
from enforcers.policy.loading import NamedFiles, files_of, load_policy_files
from enforcers.policy.policy import Policy

TOPIC = "policies"
SUBJECT = "policy"


@dataclass(frozen=True, slots=True)
class Draft:
    """A policy that loads, with the files that make it."""

    policy: Policy
    files: NamedFiles


@dataclass(frozen=True, slots=True)
class Differences:
    """What a policy has that another has not, by the ids of the rules."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    elsewhere: tuple[str, ...]
    """Parts besides rules and tests that differ, such as `default`."""

    @property
    def nothing(self) -> bool:
        """Whether the two decide alike."""
        return not (self.added or self.removed or self.changed or self.elsewhere)


def draft_of(path: Path) -> Draft:
    """The policy in a file, checked as every judge will. Raises BundleError."""
    files = files_of(path)
    return Draft(load_policy_files(files, run_case), files)


def refuse_again(last: Sequence[Publication], draft: Draft) -> None:
    """Publishing the same once more says nothing new. Raises PolicyError."""
    for one in last:
        if one.digest == draft.policy.hash:
            raise PolicyError(
                f"{one.digest[:12]} is published already, as version {one.issue.version} by"
                f" {one.issue.by}; change it first"
            )


def publication_of(draft: Draft, desk: Desk, reason: str) -> Publication:
    """What is to be published. Raises ContractError for what no record can hold."""
    with held_to_contract():
        return Publication(
            id=uuid7(),
            issue=desk.issue(TOPIC, SUBJECT, reason),
            bundle=draft.policy.bundle.name,
            digest=draft.policy.hash,
            files=tuple(PolicyFile(name=name, text=data.decode()) for name, data in draft.files),
        )


def published_policy(publication: Publication) -> Policy | None:
    """The policy of a publication; None where it does not load here."""
    try:
        return load_publication(publication)
    except PolicyError:
        return None


def changes_since(last: Publication | None, draft: Draft) -> Differences | None:
    """What changes against the last publication; None where there is nothing to compare with."""
    before = published_policy(last) if last else None
    return differences(before, draft.policy) if before else None


def told(changes: Differences | None, published_before: bool) -> Iterator[str]:
    """What changes, in lines for people."""
    if changes is None:
        what = "the last one does not load here" if published_before else "it is the first one"
        yield f"{what}; nothing to compare with"
        return
    yield from (f"+ rule {name}" for name in changes.added)
    yield from (f"- rule {name}" for name in changes.removed)
    yield from (f"~ rule {name}" for name in changes.changed)
    yield from (f"~ {name}" for name in changes.elsewhere)
    if changes.nothing:
        yield "it decides as the last one does"


def entry(one: Publication) -> dict[str, Any]:
    """A publication as it is listed, without its files."""
    return {
        "version": one.issue.version,
        "bundle": one.bundle,
        "digest": one.digest,
        "by": one.issue.by,
        "at": one.issue.at.isoformat(),
        "reason": one.issue.reason,
    }


def differences(old: Policy, new: Policy) -> Differences:
    """What changes from one policy to the other."""
    before, after = _by_id(old), _by_id(new)
    both = before.keys() & after.keys()
    return Differences(
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        changed=tuple(sorted(one for one in both if before[one] != after[one])),
        elsewhere=_elsewhere(old, new),
    )


Written = tuple[Rule, str | None, str | None]


def _by_id(policy: Policy) -> dict[str, Written]:
    # With conditions as they are expanded: a fragment that changes changes the rules that read it.
    return {one.rule.id: (_plain(one.rule), one.when, one.where) for one in policy.compiled}


def _plain(rule: Rule) -> Rule:
    return rule.model_copy(update={"when": None, "where": None})


def _elsewhere(old: Policy, new: Policy) -> tuple[str, ...]:
    names: Sequence[str] = ("default", "non_production", "break_glass", "calendars", "budgets")
    return tuple(one for one in names if getattr(old.bundle, one) != getattr(new.bundle, one))
