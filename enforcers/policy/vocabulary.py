"""
Every attribute that a rule may name, in one table, and the CEL environment made from it.

    MESSAGES ──▶ protobuf descriptor ──▶ cel.Env (types of every expression)
        └─────▶ attribute_table()    ──▶ docs/policy.md

INVARIANT: variables are messages, never maps, so an unknown attribute is refused when a bundle
loads and every attribute has a value when it is evaluated.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from cel_expr_python import cel
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

PACKAGE = "sluicegate.policy"
_SCALARS = {
    "string": descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
    "bool": descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
    "int": descriptor_pb2.FieldDescriptorProto.TYPE_INT64,
}


@dataclass(frozen=True, slots=True)
class Attribute:
    """One field of a message. `type` is a scalar, a message's name, or either in `list(…)`."""

    name: str
    type: str
    meaning: str

    @property
    def repeated(self) -> bool:
        """Whether it is a list."""
        return self.type.startswith("list(")

    @property
    def element(self) -> str:
        """Its type, or the type of its elements."""
        return self.type[5:-1] if self.repeated else self.type


MESSAGES: dict[str, tuple[Attribute, ...]] = {
    "Principal": (
        Attribute("id", "string", "who proposes"),
        Attribute("kind", "string", "`human`, `agent`, `service` or `ci`"),
        Attribute("enrolled", "bool", "known to the judge; always true when a rule decides"),
        Attribute("permissions", "list(string)", "what it was granted, such as `read`"),
        Attribute("on_behalf_of", "string", "for whom; empty: for itself"),
        Attribute("session", "string", "the session it belongs to; empty: none"),
        Attribute("owner", "string", "the person who answers for it; empty: none"),
        Attribute("groups", "list(string)", "groups that it was enrolled in"),
    ),
    "Target": (
        Attribute("system", "string", "the system that would act"),
        Attribute("environment", "string", "the environment's name as declared"),
        Attribute("production", "bool", "not one of the bundle's `non_production` names"),
        Attribute("catalog", "string", "the catalog's name; empty: none"),
        Attribute("dialect", "string", "the target's SQL dialect; empty: none"),
    ),
    "Action": (
        Attribute("reason", "string", "the reason that the principal gave"),
        Attribute("ticket", "string", "the ticket that it named"),
        Attribute("capabilities", "list(string)", "what its executor carries out, such as `mask`"),
    ),
    "Effect": (
        Attribute("verb", "string", "what is done, such as `read` or `drop`"),
        Attribute("type", "string", "type of the resource, such as `table` or `program`"),
        Attribute("name", "string", "the resource as the action names it"),
        Attribute("base", "string", "`name` after its last `/`"),
        Attribute("namespace", "string", "schema or other container; empty: not written"),
        Attribute("tags", "list(string)", "tags of what is touched, such as `pii`"),
        Attribute(
            "unnamed_tags", "list(string)", "those of declared columns that only `*` reaches"
        ),
        Attribute("extent", "string", "`none`, `unproven`, `filtered`, `key_bound` or `whole`"),
    ),
    "Flow": (
        Attribute("source_type", "string", "type of the resource that data comes from"),
        Attribute("source_name", "string", "its name"),
        Attribute("source_tags", "list(string)", "its tags"),
        Attribute("sink_type", "string", "type of the resource that data goes to"),
        Attribute("sink_name", "string", "its name"),
        Attribute("sink_tags", "list(string)", "its tags"),
    ),
    "Sql": (
        Attribute("statement", "string", "kind of the outermost statement; empty: no SQL"),
        Attribute("statements", "list(string)", "kinds of all statements, nested ones too"),
        Attribute("dialect", "string", "dialect that the text was read in"),
        Attribute("functions", "list(string)", "functions that are called"),
        Attribute("columns", "list(string)", "columns that are named, such as `users.email`"),
        Attribute("row_limit", "int", "most rows that a read returns; -1: no limit"),
    ),
    "Command": (
        Attribute("path", "string", "the program as it is written"),
        Attribute("program", "string", "`path` after its last `/`"),
        Attribute("arguments", "list(string)", "every word after the program"),
    ),
    "Shell": (
        Attribute("program", "string", "absolute path that the executor runs; empty: unknown"),
        Attribute("programs", "list(string)", "every program, without directory"),
        Attribute("commands", "list(Command)", "every simple command, in order"),
        Attribute("words", "list(string)", "every argument of every command"),
        Attribute("connectors", "list(string)", "what joins the commands, such as `|`"),
    ),
    "Time": (
        Attribute("hour", "int", "hour of the day in UTC, 0 to 23"),
        Attribute("minute", "int", "minute of the day in UTC, 0 to 1439"),
        Attribute("weekday", "string", "`mon` to `sun`, in UTC"),
        Attribute("date", "string", "such as `2026-11-22`, in UTC; text order is time order"),
        Attribute("calendars", "list(string)", "the bundle's calendars that are open now"),
    ),
    "Window": (
        Attribute("actions", "int", "actions that were judged"),
        Attribute("denials", "int", "those of them that were denied"),
        Attribute("asks", "int", "requests for approval that were sent to people"),
        Attribute("writes", "int", "things that allowed actions changed"),
        Attribute("exports", "int", "things that they moved out"),
        Attribute("rows", "int", "rows returned or changed, as executors reported"),
        Attribute("bytes", "int", "bytes that came back, as executors reported"),
        Attribute("tables", "int", "different tables touched"),
        Attribute("resources", "int", "different resources touched, tables too"),
        Attribute("tags_read", "list(string)", "tags of what was read, such as `secret`"),
    ),
    "Grants": (
        Attribute("names", "list(string)", "names of the grants that cover some effect of it"),
    ),
    "Approvals": (
        Attribute("groups", "list(string)", "groups that approved exactly this proposal"),
        Attribute("asking", "bool", "people would be asked about it now, and were not before"),
    ),
    "Budgets": (Attribute("spent", "list(string)", "the bundle's budgets that are used up"),),
    "Intent": (
        Attribute("kind", "string", "kind of the action: `sql`, `shell`, …"),
        Attribute("kinds", "list(string)", "its kind and the kinds of what is nested in it"),
        Attribute("effects", "list(Effect)", "everything it would do, nested actions too"),
        Attribute("flows", "list(Flow)", "where it would move data"),
        Attribute("verbs", "list(string)", "verbs of all effects"),
        Attribute("types", "list(string)", "resource types of all effects"),
        Attribute("tags", "list(string)", "tags of all effects"),
        Attribute("opaque", "bool", "some of it could not be read"),
        Attribute("opaque_codes", "list(string)", "why it could not be read"),
        Attribute("nested", "bool", "another action is inside it, such as SQL in a command"),
        Attribute("sql", "Sql", "what is particular to SQL"),
        Attribute("shell", "Shell", "what is particular to command lines"),
    ),
}

VARIABLES = {
    "principal": "Principal",
    "target": "Target",
    "action": "Action",
    "intent": "Intent",
    "time": "Time",
    "history": "Window",
    "session": "Window",
    "grants": "Grants",
    "approvals": "Approvals",
    "budgets": "Budgets",
    "effect": "Effect",
}
"""Variables of an expression and their messages. `effect` stands only in `effect:` conditions."""


def new_message(message: str, /, **fields: Any) -> Message:
    """Return a message of the vocabulary. Raises ValueError for a field that it does not have."""
    return _classes()[message](**fields)


@cache
def environment(with_effect: bool = False) -> cel.Env:
    """Return the CEL environment of `when:` conditions, or the one of `effect:` conditions."""
    types = {
        variable: cel.Type(f"{PACKAGE}.{message}")
        for variable, message in VARIABLES.items()
        if with_effect or variable != "effect"
    }
    return cel.NewEnv(_pool(), variables=types)


def attribute_table() -> str:
    """Return the table of attributes for the manual, as Markdown."""
    head = "| attribute | type | meaning |\n| --- | --- | --- |\n"
    return head + "".join(
        f"| `{path}` | {attribute.type} | {attribute.meaning} |\n"
        for variable, message in VARIABLES.items()
        for path, attribute in _paths(variable, message)
    )


def _paths(prefix: str, message: str) -> list[tuple[str, Attribute]]:
    found: list[tuple[str, Attribute]] = []
    for attribute in MESSAGES[message]:
        path = f"{prefix}.{attribute.name}"
        found.append((path, attribute))
        # The fields of an effect are listed under the variable `effect`, once.
        if attribute.element in MESSAGES and attribute.element != "Effect":
            found += _paths(f"{path}[]" if attribute.repeated else path, attribute.element)
    return found


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(
        name="sluicegate/policy.proto", package=PACKAGE, syntax="proto3"
    )
    for name, attributes in MESSAGES.items():
        _declare(file.message_type.add(name=name), attributes)
    # A pool of its own: nothing that another library registers can change the vocabulary.
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


def _declare(message: descriptor_pb2.DescriptorProto, attributes: tuple[Attribute, ...]) -> None:
    field = descriptor_pb2.FieldDescriptorProto
    for number, attribute in enumerate(attributes, start=1):
        added = message.field.add(name=attribute.name, number=number)
        added.label = field.LABEL_REPEATED if attribute.repeated else field.LABEL_OPTIONAL
        if attribute.element in _SCALARS:
            added.type = _SCALARS[attribute.element]
        else:
            added.type = field.TYPE_MESSAGE
            added.type_name = f".{PACKAGE}.{attribute.element}"


@cache
def _classes() -> dict[str, type[Message]]:
    pool = _pool()
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))
        for name in MESSAGES
    }
