"""
Facts as messages of the vocabulary.

An action and everything nested in it are read as one: their effects, flows and findings are put
together, so no rule can be passed by wrapping one action in another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from google.protobuf.message import Message

from enforcers.intent.model import Effect, Finding, Flow, Intent, ShellFacts, SqlFacts
from enforcers.policy.engine import PrincipalFacts, TargetFacts, WindowFacts
from enforcers.policy.matching import Touch, touch_of
from enforcers.policy.vocabulary import new_message

T = TypeVar("T")

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

MAX_PARTS = 4_096
"""Most effects, flows or words of one action. More would take the judge's time from others."""


@dataclass(frozen=True, slots=True)
class IntentView:
    """An intent with all that is nested in it, ready to be judged."""

    intent: Intent
    message: Message
    effects: tuple[Effect, ...]
    kinds: frozenset[str]
    touches: tuple[Touch, ...]
    """What `match` looks at, for each effect."""
    touched: frozenset[Touch]
    inadmissible: tuple[Finding, ...]
    opaque: tuple[Finding, ...]
    oversized: bool
    """More parts than `MAX_PARTS`: it is denied without asking a rule."""


def view_intent(intent: Intent) -> IntentView:
    """Put together what `intent` and everything nested in it would do."""
    tree = tuple(_walk(intent)) if intent.nested else (intent,)
    effects = _unique(effect for one in tree for effect in one.effects)
    opaque = tuple(finding for one in tree for finding in one.opaque)
    oversized = _count(tree) > MAX_PARTS
    touches = tuple(map(touch_of, effects))
    return IntentView(
        intent=intent,
        message=new_message("Intent") if oversized else _message(tree, effects, opaque),
        effects=effects,
        kinds=frozenset(one.kind for one in tree),
        touches=touches,
        touched=frozenset(touches),
        inadmissible=tuple(finding for one in tree for finding in one.inadmissible),
        opaque=opaque,
        oversized=oversized,
    )


def action_message(reason: str, ticket: str, capabilities: frozenset[str]) -> Message:
    """Return the `action` variable."""
    return new_message("Action", reason=reason, ticket=ticket, capabilities=sorted(capabilities))


def principal_message(facts: PrincipalFacts) -> Message:
    """Return the `principal` variable."""
    return new_message(
        "Principal",
        id=facts.id,
        kind=facts.kind,
        enrolled=facts.enrolled,
        permissions=facts.permissions,
        on_behalf_of=facts.on_behalf_of,
        session=facts.session,
        owner=facts.owner,
        groups=facts.groups,
    )


def time_message(now: datetime, calendars: Iterable[str]) -> Message:
    """Return the `time` variable."""
    return new_message(
        "Time",
        hour=now.hour,
        minute=now.hour * 60 + now.minute,
        weekday=WEEKDAYS[now.weekday()],
        date=now.date().isoformat(),
        calendars=calendars,
    )


def window_message(facts: WindowFacts) -> Message:
    """Return the `history` or the `session` variable."""
    return new_message(
        "Window",
        actions=facts.actions,
        denials=facts.denials,
        asks=facts.asks,
        writes=facts.writes,
        exports=facts.exports,
        rows=facts.rows,
        bytes=facts.bytes,
        tables=facts.tables,
        resources=facts.resources,
        tags_read=facts.tags_read,
    )


def target_message(facts: TargetFacts, production: bool) -> Message:
    """Return the `target` variable."""
    return new_message(
        "Target",
        system=facts.system,
        environment=facts.environment,
        production=production,
        catalog=facts.catalog,
        dialect=facts.dialect,
    )


def _walk(intent: Intent) -> Iterator[Intent]:
    yield intent
    for nested in intent.nested:
        yield from _walk(nested)


def _unique(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))


def _count(tree: tuple[Intent, ...]) -> int:
    return sum(len(one.effects) + len(one.flows) + _words(one) for one in tree)


def _words(intent: Intent) -> int:
    words = sum(len(argv) for argv in intent.shell.commands) if intent.shell else 0
    return words + (len(intent.sql.functions) + len(intent.sql.columns) if intent.sql else 0)


def _message(
    tree: tuple[Intent, ...], effects: tuple[Effect, ...], opaque: tuple[Finding, ...]
) -> Message:
    return new_message(
        "Intent",
        kind=tree[0].kind,
        kinds=_unique(one.kind for one in tree),
        effects=[_effect(effect) for effect in effects],
        flows=[_flow(flow) for one in tree for flow in one.flows],
        verbs=_unique(effect.verb.value for effect in effects),
        types=_unique(effect.resource.type.value for effect in effects),
        tags=_unique(tag for effect in effects for tag in effect.resource.tags),
        opaque=bool(opaque),
        opaque_codes=_unique(finding.code for finding in opaque),
        nested=len(tree) > 1,
        sql=_sql([one.sql for one in tree if one.sql]),
        shell=_shell([one.shell for one in tree if one.shell]),
    )


def _effect(effect: Effect) -> Message:
    resource = effect.resource
    return new_message(
        "Effect",
        verb=effect.verb.value,
        type=resource.type.value,
        name=resource.name,
        base=_base(resource.name),
        namespace=resource.namespace,
        tags=resource.tags,
        unnamed_tags=resource.unnamed_tags,
        extent=effect.extent.value,
    )


def _flow(flow: Flow) -> Message:
    return new_message(
        "Flow",
        source_type=flow.source.type.value,
        source_name=flow.source.name,
        source_tags=flow.source.tags,
        sink_type=flow.sink.type.value,
        sink_name=flow.sink.name,
        sink_tags=flow.sink.tags,
    )


def _sql(found: list[SqlFacts]) -> Message:
    if not found:
        return new_message("Sql", row_limit=-1)
    limits = [one.row_limit for one in found]
    return new_message(
        "Sql",
        statement=found[0].statement,
        statements=[one.statement for one in found],
        dialect=found[0].dialect,
        functions=_unique(name for one in found for name in one.functions),
        columns=_unique(name for one in found for name in one.columns),
        row_limit=-1 if None in limits else max(limit for limit in limits if limit is not None),
    )


def _shell(found: list[ShellFacts]) -> Message:
    if not found:
        return new_message("Shell")
    commands = [argv for one in found for argv in one.commands if argv]
    return new_message(
        "Shell",
        program=found[0].program,
        programs=_unique(_base(argv[0]) for argv in commands),
        commands=[
            new_message("Command", path=argv[0], program=_base(argv[0]), arguments=argv[1:])
            for argv in commands
        ],
        words=[word for argv in commands for word in argv[1:]],
        connectors=_unique(one for facts in found for one in facts.connectors),
    )


def _base(name: str) -> str:
    return name.rpartition("/")[2]
