"""
Which topic holds what, declared once: how its values are read, and what makes a record readable.

    topic `payments.grants` ──role──▶ `grants` ──READINGS──▶ fields ──KINDS──▶ it holds a `grant`

What there is much of has typed columns. What people and judges say now and then stands as text in
the column `word`, and its view reads the fields out of it: a column costs each of a day's
thousands of segments, also where it is empty.

INVARIANT: what a record holds follows from its topic and its value, which are what its signature
and its place in the log stand for; headers decide nothing, for anybody may write them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from string import Template
from typing import Any

from analytics.archive.structures import (
    ACTION,
    APPROVAL_REQUEST,
    CHECKPOINT,
    CONTROL,
    DENIAL,
    ENROLMENT,
    FINDING,
    GRANT,
    GRANT_REQUEST,
    OUTCOME,
    PUBLICATION,
    VERDICT,
    VOTE,
    Structure,
)


@dataclass(frozen=True, slots=True)
class Reading:
    """How the values of a topic are read; two readings of one topic tell what it is."""

    topic: str
    structure: Structure


READINGS: dict[str, Reading] = {
    "action": Reading("actions", ACTION),
    "verdict": Reading("verdicts", VERDICT),
    "outcome": Reading("outcomes", OUTCOME),
    "denial": Reading("denials", DENIAL),
    "asked": Reading("requests", APPROVAL_REQUEST),
    "wished": Reading("requests", GRANT_REQUEST),
    "vote": Reading("approvals", VOTE),
    "granted": Reading("grants", GRANT),
    "control": Reading("controls", CONTROL),
    "enrolment": Reading("principals", ENROLMENT),
    "publication": Reading("policies", PUBLICATION),
    "finding": Reading("findings", FINDING),
    "checkpoint": Reading("checkpoints", CHECKPOINT),
}

TYPED = ("action", "verdict", "outcome")
"""Readings that are columns of `records`; the text of all others is the column `word`."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a record can hold, and by what it is known."""

    reading: str
    there: tuple[str, ...]
    """Fields without which views have nothing to show."""
    true: tuple[str, ...] = ()
    """What else must be true, as SQL."""


_STOPPED = ("principal", "session", "system", "catalog", "environment")
_NAMED = f"coalesce({', '.join(f'control.stops.{name}' for name in _STOPPED)})"

KINDS: dict[str, Kind] = {
    "action": Kind(
        "action",
        (
            "id",
            "executor",
            "proposal.principal.id",
            "proposal.target.system",
            "proposal.payload.kind",
        ),
    ),
    "verdict": Kind(
        "verdict",
        ("id", "action_id", "action_digest"),
        ("verdict.decision IN ('allow', 'deny', 'require_approval')",),
    ),
    "outcome": Kind("outcome", ("id", "action_id", "status")),
    "denial": Kind("denial", ("action_id", "decision")),
    "request": Kind(
        "asked",
        ("id", "action_id", "action_digest", "judge", "principal.id"),
        ("coalesce(asked.kind, 'approval') = 'approval'",),
    ),
    "grant_request": Kind(
        "wished",
        ("id", "executor", "principal", "name"),
        # One record is never both: without a kind, what names an action asks for an approval.
        ("coalesce(wished.kind = 'grant', asked.action_id IS NULL)",),
    ),
    "vote": Kind(
        "vote",
        ("id", "request", "issue.by"),
        ("vote.choice IN ('approve', 'deny', 'revoke', 'review')",),
    ),
    "grant": Kind(
        "granted",
        ("id", '"grant"', "name", "principal", "issue.by"),
        ("coalesce(granted.status, 'active') IN ('active', 'completed', 'revoked')",),
    ),
    "control": Kind(
        "control",
        ("id", "control", "issue.by"),
        # Of something: a target, or everything.
        (f"({_NAMED} IS NOT NULL OR control.stops.everything)",),
    ),
    "enrolment": Kind("enrolment", ("id", "issue.by", "principal.id")),
    "publication": Kind("publication", ("id", "issue.by", "bundle", "digest")),
    "finding": Kind(
        "finding",
        ("id", "code", "about", "source"),
        ("finding.severity IN ('notice', 'warning', 'alert')",),
    ),
    "checkpoint": Kind("checkpoint", ("size",)),
}
"""Values of the column `holds`, which is null where a record cannot be read or has no kind."""

ABOUT = ("action.id", *(f"{name}.action_id" for name in ("verdict", "outcome", "denial", "asked")))
"""Where a record names the action that it is about; at most one of these stands in it."""

NOT_HASHED = ("verdicts", "outcomes", "denials", "history")
"""What nobody names by the digest of its value: views make it when they are asked for it."""

ROLE = "split_part(topic, '.', -1)"
"""What a topic is for: its name without a trust zone (`payments.actions` holds actions)."""

_VALUE_SHA256 = f"CASE WHEN role NOT IN ({', '.join(map(repr, NOT_HASHED))}) THEN sha256(value) END"
_CHECKPOINT = r"^([^\n]+)\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/]{43}=)\n"
"""The first lines of a signed note whose text is a checkpoint."""


def sql_type(structure: Any) -> str:
    """The DuckDB type of a structure."""
    if isinstance(structure, dict):
        fields = ", ".join(f'"{name}" {sql_type(field)}' for name, field in structure.items())
        return f"STRUCT({fields})"
    if isinstance(structure, list):
        return f"{sql_type(structure[0])}[]"
    return str(structure)


def read_sql(name: str, **values: str) -> str:
    """A statement from `sql/`, with its `$names` filled in."""
    text = resources.files("analytics.archive").joinpath("sql", f"{name}.sql").read_text()
    return Template(text).substitute(values)


def quoted(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def parsed(name: str, text: str, only: Structure | None = None) -> str:
    """The expression that reads one reading's fields out of a text; null where it has none."""
    if name == "checkpoint":
        found = f"regexp_extract({text}, {quoted(_CHECKPOINT)}, {list(CHECKPOINT)})"
        return f"TRY_CAST({found} AS {sql_type(CHECKPOINT)})"
    structure = only or READINGS[name].structure
    # TRY: one value that even the JSON reader refuses must not stop a batch or a view.
    return f"TRY(from_json({text}, {quoted(json.dumps(structure))}))"


def milliseconds(action_id: str) -> str:
    """
    The time that stands in an id, for those of version 7; of any other, always the same number.

    DuckDB 1.5 passes over row groups by numbers, not by ids.
    """
    return f"('0x' || left(replace(({action_id})::VARCHAR, '-', ''), 12))::BIGINT"


def day_sql(schema: str) -> str:
    """Statements that make a day file: the writer's tables, and the view that types what is in them."""
    view = f"CREATE VIEW {schema}.records AS\n{typed_sql('raw', _VALUE_SHA256)};\n"
    return read_sql("day", schema=schema) + view


def ingest_sql(schema: str) -> str:
    """The statement that appends the relation `batch`."""
    return read_sql("ingest", schema=schema)


def typed_sql(source: str, value_sha256: str = "value_sha256") -> str:
    """What readers get of raw rows that are in `source`, and in which the values' digests are."""
    typed = [f"  {_of_topic(name)} AS {name}" for name in READINGS]
    about = f"coalesce({', '.join(ABOUT)})"
    return read_sql(
        "typed",
        source=source,
        typed=",\n".join(typed),
        value_sha256=value_sha256,
        holds=_holds(),
        readable=_readable(),
        action_id=about,
        columns=f"{milliseconds(about)} AS action_ms, holds, {', '.join(TYPED)}, {_word()} AS word",
    )


def _of_topic(name: str) -> str:
    reading = READINGS[name]
    read = parsed(name, "text") if name in TYPED else parsed(name, "text", _needed(name))
    return f"CASE WHEN {ROLE} = {quoted(reading.topic)} THEN {read} END"


def _needed(name: str) -> Structure:
    """The fields of a reading by which a kind is known: to plan for others takes as long as to read."""
    conditions = _holds().replace('"', "")
    structure = READINGS[name].structure
    return {field: of for field, of in structure.items() if f"{name}.{field}" in conditions}


def _holds() -> str:
    cases = " ".join(f"WHEN {_is(kind)} THEN {quoted(name)}" for name, kind in KINDS.items())
    return f"CASE {cases} END"


def _is(kind: Kind) -> str:
    topic = READINGS[kind.reading].topic
    there = (f"{kind.reading}.{field} IS NOT NULL" for field in kind.there)
    return " AND ".join((f"role = {quoted(topic)}", *there, *kind.true))


def _readable() -> str:
    """Whether views can show a record; null for a tombstone, which holds nothing."""
    topics = ", ".join(quoted(one.topic) for one in READINGS.values())
    return (
        "CASE WHEN value IS NULL THEN NULL"
        f" WHEN role IN ({topics}) THEN holds IS NOT NULL ELSE text IS NOT NULL END"
    )


def _word() -> str:
    typed = ", ".join(map(quoted, TYPED))
    return f"CASE WHEN holds NOT IN ({typed}) THEN text END"
