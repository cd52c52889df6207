"""
`read_sql`: a statement's text → its Intent. Total: it never raises.

The steps are files of this package, in order: lexical gate, token shape, the statements of a
script, session statements, parser, root allowlist, walk, columns, second reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from enforcers.catalog import Catalog
from enforcers.catalog.held import Held
from enforcers.intent.model import (
    Effect,
    Extent,
    Finding,
    Intent,
    Resource,
    ResourceType,
    SqlFacts,
    Verb,
)
from enforcers.intent.sql import columns
from enforcers.intent.sql.called import called_in
from enforcers.intent.sql.calls import screen_called
from enforcers.intent.sql.codes import INADMISSIBLE, Code, finding
from enforcers.intent.sql.dialects import Reading, reading_of
from enforcers.intent.sql.exact import Facts, join, precise, second_readings
from enforcers.intent.sql.explain import read_explain, runs_behind
from enforcers.intent.sql.identifiers import screen_calls
from enforcers.intent.sql.lexical import screen_text
from enforcers.intent.sql.limits import row_limit
from enforcers.intent.sql.lost import screen_lost
from enforcers.intent.sql.outcome import effects_of
from enforcers.intent.sql.parse import COMMANDS, first_word, parse_tokens, screen_names, tokenize
from enforcers.intent.sql.script import Part, read_script, statements_of
from enforcers.intent.sql.session.statements import read_session
from enforcers.intent.sql.shape import screen_tokens
from enforcers.intent.sql.state import State
from enforcers.intent.sql.statements import READS, ROOTS
from enforcers.intent.sql.tables import describes_server
from enforcers.intent.sql.walk import walk

CACHED = 4_096


def read_sql(text: str, dialect: str, catalog: Catalog) -> Intent:
    """
    What the statement would do. Never raises; the same text is read once per catalog.

    Whether PostgreSQL's own parser reads it as well is no part of the key: it holds for the process.
    """
    return _cached(text, dialect, catalog.fingerprint, Held(catalog))


@lru_cache(maxsize=CACHED)
def _cached(text: str, dialect: str, fingerprint: str, held: Held) -> Intent:
    reading = reading_of(dialect, text)
    try:
        return _read(text, reading, held.catalog)
    except (RecursionError, ValueError, TypeError, AttributeError, LookupError) as error:
        # A tree of a shape that no step expects: the statement is not understood.
        return _refused(reading, finding(Code.UNPARSABLE, type(error).__name__.lower()))


def _read(text: str, reading: Reading, catalog: Catalog) -> Intent:
    problem = screen_text(text, reading)
    if problem is not None:
        return _refused(reading, problem)
    tokens = tokenize(text, reading)
    if isinstance(tokens, Finding):
        return _refused(reading, tokens)
    problem = screen_names(tokens, text) or screen_tokens(tokens)
    if problem is not None:
        return _refused(reading, problem, first_word(tokens))
    parts = statements_of(tokens, reading)
    seconds = second_readings(text, reading, len(parts))
    if not parts:
        return join(Intent("sql", sql=SqlFacts(reading.name, "empty")), next(seconds, None))

    def read(part: Part) -> Intent:
        intent, second = _statement(part, text, reading, catalog), next(seconds)
        if intent.opaque and isinstance(second, Facts):
            return _more_precise(intent, second, State(reading, catalog, text))
        return join(intent, second)

    return read(parts[0]) if len(parts) == 1 else read_script(parts, read)


def _statement(part: Part, text: str, reading: Reading, catalog: Catalog) -> Intent:
    tokens = part.tokens
    # Athena's tokenizer puts a mark for its parser before what goes to Hive.
    marked = tokens[0].token_type is TokenType.HIVE_TOKEN_STREAM
    said = tokens[1:] if marked else tokens
    explained = read_explain(said, reading)
    if explained is not None and runs_behind(explained, said, reading):
        word = first_word(said)
        return _refused(reading, finding(Code.UNPARSABLE, word), word)
    session = read_session(said, reading)
    if session is not None:
        return Intent("sql", session.effects, sql=SqlFacts(reading.name, session.statement))
    executes = explained is None or explained.executes
    inner = said[explained.start :] if explained else said
    if inner[0].token_type in COMMANDS:
        return _refused(reading, _unknown_word(inner), first_word(said))
    tree = parse_tokens(inner if explained else tokens, text, reading)
    if isinstance(tree, Finding):
        return _refused(reading, tree, first_word(said))
    if type(tree) not in ROOTS:
        return _refused(reading, _unknown(tree, said), first_word(said))
    state = State(reading, catalog, text, executes, part.piped)
    walk(state, tree)
    screen_called(state, called_in(tree))
    return _intent(state, tree, said, text, "explain" if explained else "")


def _more_precise(intent: Intent, second: Facts, state: State) -> Intent:
    """The effects of a statement that only PostgreSQL's own parser knows; else the intent as it is."""
    statement = precise.fill(state, second) if precise.is_unknown(intent) else ""
    if not statement:
        return intent
    if state.catalog.unknown_tables == "opaque":
        _unknown_tables(state)
    return Intent(
        "sql",
        effects_of(state),
        opaque=tuple(state.findings.values()),
        assumed=_assumed(state, (), state.text),
        sql=SqlFacts(state.reading.name, statement),
    )


def _unknown_word(tokens: Sequence[Token]) -> Finding:
    return finding(Code.UNKNOWN_STATEMENT, first_word(tokens))


def _unknown(tree: exp.Expr, tokens: Sequence[Token]) -> Finding:
    name = first_word(tokens) or type(tree).__name__.lower()
    return finding(Code.UNKNOWN_STATEMENT, name)


def _intent(
    state: State, tree: exp.Expr, tokens: Sequence[Token], text: str, wrapper: str
) -> Intent:
    reading = state.reading
    _quoted_names(state, tokens, text)
    screen_calls(state, tokens)
    screen_lost(state, tree, tokens)
    columns.attribute(state)
    effects = effects_of(state)
    if not reading.known and any(effect.verb is not Verb.READ for effect in effects):
        state.doubt(Code.UNKNOWN_DIALECT)
    if state.catalog.unknown_tables == "opaque":
        _unknown_tables(state)
    found = tuple(state.findings.values())
    facts = SqlFacts(
        reading.name,
        wrapper or ROOTS[type(tree)],
        tuple(state.functions),
        columns.written(state),
        row_limit(tree) if type(tree) in READS else None,
    )
    return Intent(
        "sql",
        effects,
        tuple(state.flows),
        opaque=found,
        assumed=_assumed(state, tokens, text),
        sql=facts,
    )


def _quoted_names(state: State, tokens: Sequence[Token], text: str) -> None:
    """In MySQL a double-quoted string is a column under ANSI_QUOTES: take it as both."""
    if state.reading.doubles_are_strings and '"' in text:
        for token in tokens:
            if text[token.start : token.start + 1] == '"':
                state.columns.append(("", token.text.lower()))


def _unknown_tables(state: State) -> None:
    read = [one for one in state.reads if not describes_server(one, state.reading)]
    for table in [*read, *(target for _, target, _ in state.writes)]:
        if table.table is None and not table.tags:
            state.doubt(Code.UNKNOWN_TABLE, table.name.lower())


def _assumed(state: State, tokens: Sequence[Token], text: str) -> tuple[tuple[str, str], ...]:
    tables = [*state.reads, *(table for _, table, _ in state.writes)]
    structure = state.catalog.structure if tables else ""
    scanned = (("catalog_structure", structure),) if structure else ()
    return (*_settings(state, [table.namespace for table in tables], text), *scanned)


def _settings(state: State, namespaces: Sequence[str], text: str) -> tuple[tuple[str, str], ...]:
    """What a session must be set to for the text to mean what was read."""
    family = state.reading.family
    if family == "mysql":
        return (("sql_mode", "not ANSI_QUOTES, not NO_BACKSLASH_ESCAPES, not PIPES_AS_CONCAT"),)
    if family not in ("postgres", "redshift"):
        return ()
    path = (("search_path", "public"),) if not all(namespaces) else ()
    escapes = (("standard_conforming_strings", "on"),) if "\\" in text else ()
    return path + escapes


_VERBS = {
    "drop": Verb.DROP,
    "truncate": Verb.TRUNCATE,
    "delete": Verb.DELETE,
    "update": Verb.WRITE,
    "insert": Verb.WRITE,
    "replace": Verb.WRITE,
    "merge": Verb.WRITE,
    "upsert": Verb.WRITE,
    "create": Verb.CREATE,
    "alter": Verb.ALTER,
    "rename": Verb.ALTER,
    "grant": Verb.GRANT,
    "revoke": Verb.GRANT,
    "deny": Verb.GRANT,
    "copy": Verb.EXPORT,
    "unload": Verb.EXPORT,
    "export": Verb.EXPORT,
    "backup": Verb.EXPORT,
    "load": Verb.IMPORT,
    "import": Verb.IMPORT,
    "restore": Verb.IMPORT,
    "bulk": Verb.IMPORT,
    "set": Verb.CONFIGURE,
    "reset": Verb.CONFIGURE,
    "lock": Verb.CONFIGURE,
    "call": Verb.EXECUTE,
    "exec": Verb.EXECUTE,
    "execute": Verb.EXECUTE,
    "do": Verb.EXECUTE,
}


def _refused(reading: Reading, problem: Finding, word: str = "") -> Intent:
    """An intent that is not understood; its first word names what it seems to do."""
    verb = _VERBS.get(word)
    unknown = Resource(ResourceType.UNKNOWN, "*")
    effects = (Effect(verb, unknown, Extent.NONE),) if verb else ()
    facts = SqlFacts(reading.name, "unknown")
    if Code(problem.code) in INADMISSIBLE:
        return Intent("sql", effects, inadmissible=(problem,), sql=facts)
    return Intent("sql", effects, opaque=(problem,), sql=facts)
