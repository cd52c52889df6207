"""Nothing lies beside its registry: whoever adds a file adds its line, or a test says which is missing."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import pytest

from analytics.queries import load
from console.cli import archive, audit
from console.cli.app import COMMANDS, app
from console.roles import ROLES
from enforcers.administration.administration import BOOKS
from enforcers.administration.book import Book
from enforcers.contract.action import Payload
from enforcers.contract.base import Record
from enforcers.contract.wire import TYPES
from enforcers.executors import EXECUTORS
from enforcers.intent.read import READERS
from enforcers.intent.shell.programs import FAMILIES
from streams import topics
from streams.topics import CONTROL_TOPICS, TOPICS, Topic

ROOT = Path(__file__).parents[1]


def modules_in(folder: str) -> dict[str, ModuleType]:
    """Every module of a package by its name, itself left out."""
    package = folder.replace("/", ".")
    files = (ROOT / folder).glob("*.py")
    return {
        path.stem: import_module(f"{package}.{path.stem}")
        for path in files
        if path.stem != "__init__"
    }


def defined_in(module: ModuleType, kind: type) -> list[Any]:
    return [one for one in vars(module).values() if isinstance(one, kind)]


def test_every_topic_is_in_the_table() -> None:
    assert {one.name for one in defined_in(topics, Topic)} == {one.name for one in TOPICS}


def test_every_command_file_is_registered() -> None:
    registered = {command.__module__ for command in COMMANDS}
    groups = {path.parent.name for path in (ROOT / "console/cli").glob("*/__init__.py")}
    with_commands = {
        one.__name__
        for one in modules_in("console/cli").values()
        if hasattr(one, "register") and one.__name__ != "console.cli.app"
    }
    assert with_commands | {f"console.cli.{name}" for name in groups} == registered
    assert len(COMMANDS) == len(registered)


@pytest.mark.parametrize("group", [archive, audit], ids=["archive", "audit"])
def test_every_file_of_a_command_group_is_registered(group: ModuleType) -> None:
    folder = f"console/cli/{group.__name__.rpartition('.')[2]}"
    with_commands = {
        one.__name__ for one in modules_in(folder).values() if hasattr(one, "register")
    }
    assert with_commands == {command.__module__ for command in group.COMMANDS}
    assert len(group.COMMANDS) == len(with_commands)


def test_every_command_of_the_first_release_can_be_called() -> None:
    named = {command.name for command in app.registered_commands} | {
        group.name for group in app.registered_groups
    }
    assert {"up", "run", "sql", "keys", "judge", "eval", "audit", "bench", "doctor"} <= named


def test_every_role_can_be_run() -> None:
    assert set(ROLES) == {"judge", "archiver", "alerter"}


def test_every_control_topic_has_a_book_and_every_book_is_registered() -> None:
    found = {
        one
        for module in modules_in("enforcers/administration").values()
        for _, one in inspect.getmembers(module, inspect.isclass)
        if one.__module__ == module.__name__ and hasattr(one, "topic") and hasattr(one, "take")
    }
    assert found - {Book} == set(BOOKS)
    assert {one.topic for one in BOOKS} == {one.name for one in CONTROL_TOPICS}


def test_every_executor_is_registered() -> None:
    found = {
        one
        for module in modules_in("enforcers/executors").values()
        for name, one in inspect.getmembers(module, inspect.isclass)
        if one.__module__ == module.__name__ and name.endswith("Executor")
    }
    assert found == set(EXECUTORS)


def test_every_reader_of_an_intent_is_registered() -> None:
    folders = {path.parent.name for path in (ROOT / "enforcers" / "intent").glob("*/__init__.py")}
    assert folders == set(READERS)


def test_every_reader_reads_a_kind_that_travels() -> None:
    assert set(READERS) <= set(payload_kinds())


def payload_kinds() -> list[str]:
    union = get_args(Payload)[0]
    return [
        kind for one in get_args(union) for kind in get_args(one.model_fields["kind"].annotation)
    ]


def test_no_kind_of_payload_is_named_twice() -> None:
    assert sorted(set(payload_kinds())) == sorted(payload_kinds())


def test_every_family_of_programs_is_registered() -> None:
    found = {
        one
        for one in modules_in("enforcers/intent/shell/programs").values()
        if hasattr(one, "PROGRAMS")
    }
    assert found == set(FAMILIES)
    assert len(FAMILIES) == len(found)


def test_every_type_that_travels_is_named_once() -> None:
    assert len(set(TYPES.values())) == len(TYPES)
    assert all(issubclass(model, Record) for model in TYPES)
    assert all(
        name.startswith("io.sluicegate.") and name.endswith(".v1") for name in TYPES.values()
    )


@pytest.mark.parametrize(
    "path", sorted((ROOT / "analytics" / "queries").glob("*.sql")), ids=lambda path: path.stem
)
def test_every_query_is_asked_by_somebody(path: Path) -> None:
    sources = [one.read_text("utf-8") for one in (ROOT / "analytics").rglob("*.py")]
    assert any(f'"{path.stem}"' in text for text in sources)
    assert load(path.stem).strip()
