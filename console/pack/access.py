"""
Who was given what in a period: words about enrolments and grants, and what held already when it began.

    topics `principals`, `grants` ──▶ the newest word on each before the period, all words within it ──▶ rows

INVARIANT: a word that does not count is a row too, and says why it does not; nothing else is left out of the period.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from analytics import hearing
from analytics.audit.period import Period
from analytics.evidence import UNSUSPECTED
from analytics.hearing import Heard, Hearing, Speech
from enforcers.contract.grant import GrantStatus

Row = dict[str, Any]
BEFORE = "before the period"
WITHIN = "in the period"
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_SAID = ("said", "recorded_at", "by", "version", "reason", "counts", "signature", "record")
_LIMITS = ("kinds", "systems", "environments", "catalogs")

ENROLMENTS = (
    *("principal", "kind", "owner", "groups", "permissions", "executors", *_LIMITS),
    *("keys", "disabled", "not_after", *_SAID),
)
"""Columns of `enrolments.csv`, one row a word about a principal."""
GRANTS = (
    *("grant", "name", "principal", "status", "verbs", "resources", "types", *_LIMITS, "condition"),
    *("ticket", "not_before", "expires_at", "max_uses", *_SAID),
)
"""Columns of `grants.csv`, one row a word about a grant."""


@dataclass(frozen=True, slots=True)
class Access:
    """What administrators said of rights."""

    enrolments: tuple[Row, ...]
    grants: tuple[Row, ...]


def access_of(said: Hearing, period: Period) -> Access:
    """Enrolments and grants of a period. Raises ArchiveError."""
    return Access(
        tuple(_rows(said, hearing.ENROLMENTS, period, _enrolment, lambda _: True)),
        tuple(_rows(said, hearing.GRANTS, period, _grant, lambda word: _lasts(word, period))),
    )


def _rows(
    said: Hearing,
    speech: Speech,
    period: Period,
    row: Callable[[Any], Row],
    held: Callable[[Any], bool],
) -> Iterator[Row]:
    before = _newest(said.between(speech, _FIRST, period.since))
    for label, words in (
        (BEFORE, [one for one in before if held(one.model)]),
        (WITHIN, said.between(speech, period.since, period.until)),
    ):
        yield from ({**row(one.model), **_word(one, label)} for one in words)


def _newest(words: Iterable[Heard]) -> list[Heard]:
    """The last word that counts on each thing."""
    counting = (one for one in words if one.signature in UNSUSPECTED)
    return list({one.model.subject: one for one in counting}.values())


def _lasts(word: Any, period: Period) -> bool:
    return word.status is GrantStatus.ACTIVE and word.expires_at > period.since


def _word(one: Heard, label: str) -> Row:
    at, issue = one.evidence, one.model.issue
    return {
        "said": label,
        "recorded_at": at.recorded_at,
        "by": issue.by,
        "version": issue.version,
        "reason": issue.reason,
        "counts": one.signature in UNSUSPECTED,
        "signature": one.signature,
        "record": f"{at.topic}/{at.partition}/{at.offset}",
    }


def _enrolment(word: Any) -> Row:
    one = word.principal
    return {
        "principal": one.id,
        "kind": one.kind.value,
        "owner": one.owner,
        "groups": one.groups,
        "permissions": one.permissions,
        "executors": one.executors,
        **_limits(one.scope),
        "keys": len(one.public_keys),
        "disabled": one.disabled,
        "not_after": one.not_after,
    }


def _grant(word: Any) -> Row:
    return {
        "grant": str(word.grant),
        "name": word.name,
        "principal": word.principal,
        "status": word.status.value,
        "verbs": word.scope.verbs,
        "resources": word.scope.resources,
        "types": word.scope.types,
        **_limits(word.scope),
        "condition": word.scope.condition,
        "ticket": word.ticket,
        "not_before": word.not_before,
        "expires_at": word.expires_at,
        "max_uses": word.max_uses,
    }


def _limits(scope: Any) -> Row:
    return {name: getattr(scope, name, ()) for name in _LIMITS}
