"""Where our reading of a statement and PostgreSQL's differ."""

from __future__ import annotations

from collections.abc import Iterable

from enforcers.intent.model import Effect, Intent, ResourceType, Verb
from enforcers.intent.sql.exact.facts import Facts, Name
from enforcers.intent.sql.exact.kinds import agrees
from enforcers.intent.sql.functions import act_of, harmless, is_built_in

Change = tuple[Verb, Name]
_CHANGING = frozenset({Verb.WRITE, Verb.DELETE, Verb.TRUNCATE, Verb.CREATE, Verb.DROP, Verb.ALTER})
_QUERIES = frozenset({"SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"})
"""Statements in which a table that only we read is a misreading, and no new or implied name."""
_OF_GRAMMAR = frozenset({"like_escape", "similar_to_escape"})
_SAME_SETTING = {"time": "timezone", "names": "client_encoding"}


def difference(intent: Intent, facts: Facts) -> str:
    """What they differ in; empty where they agree."""
    statement = intent.sql.statement if intent.sql else ""
    if not agrees(statement, facts):
        return f"a {facts.kind}"
    return (
        _of_changes(changes_of(intent), changes_in(facts))
        or _of_reads(intent, facts)
        or _of_objects(intent, facts)
        or _of_functions(intent, facts)
        or _of_settings(intent, facts)
    )


def changes_of(intent: Intent) -> set[Change]:
    """What our reading does to tables beside reading them: the write set."""
    return {(effect.verb, _name(effect)) for effect in _tables(intent) if effect.verb in _CHANGING}


def changes_in(facts: Facts) -> set[Change]:
    """The write set by PostgreSQL's parser; a statement that is only explained has none."""
    if not facts.executes:
        return set()
    return facts.changes | {(Verb.WRITE, name) for name in facts.locked}


def _tables(intent: Intent) -> Iterable[Effect]:
    return (one for one in intent.effects if one.resource.type is ResourceType.TABLE)


def _name(effect: Effect) -> Name:
    return effect.resource.namespace.lower(), effect.resource.name.lower()


def _of_changes(ours: set[Change], exact: set[Change]) -> str:
    for verb, (_, name) in sorted(ours ^ exact):
        return f"{verb.value} of {name}"
    return ""


def _of_reads(intent: Intent, facts: Facts) -> str:
    ours = {_name(effect) for effect in _tables(intent) if effect.verb is Verb.READ}
    changed = {name for _, name in facts.changes}
    missing = facts.reads - ours
    if not facts.executes:
        missing |= changed - ours
    invented = ours - facts.reads - changed if facts.kind in _QUERIES else set()
    for _, name in sorted(missing | invented):
        return f"read of {name}"
    return ""


def _of_objects(intent: Intent, facts: Facts) -> str:
    ours = {(one.verb, _last(one.resource.name)) for one in intent.effects}
    acts = {one.verb for one in intent.effects}
    for verb, name in sorted(facts.objects - ours if facts.executes else ()):
        return f"{verb.value} of {name}"
    for verb in sorted(facts.reaches - acts):
        return verb.value
    return ""


def _last(name: str) -> str:
    return name.rpartition(".")[2].strip('"').lower()


def _of_functions(intent: Intent, facts: Facts) -> str:
    """A function that acts must have been seen to act; one that nobody knows is no built-in."""
    ours = set(intent.sql.functions) if intent.sql else set()
    plain = harmless("postgres")
    for schema, name in facts.functions:
        full = name if not schema or is_built_in(schema, "postgres") else f"{schema}.{name}"
        acts = act_of(full) or act_of(schema)
        known = ours & {name, full, schema} if acts else full in plain
        if not known and not _is_of_grammar(schema, name):
            return f"call of {full}"
    return ""


def _is_of_grammar(schema: str, name: str) -> bool:
    """Whether PostgreSQL's grammar itself writes the call, for LIKE and its like, or for operators."""
    return schema == "pg_catalog" and (name in _OF_GRAMMAR or not name.isidentifier())


def _of_settings(intent: Intent, facts: Facts) -> str:
    """A plain setting must be the one that PostgreSQL sets."""
    plain = {
        _SAME_SETTING.get(one.resource.name, one.resource.name)
        for one in intent.effects
        if one.verb is Verb.CONFIGURE and one.resource.type is ResourceType.SESSION
    }
    for name in sorted(plain - facts.settings if facts.settings else ()):
        return f"setting {name}"
    return ""
