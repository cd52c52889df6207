"""What only SQLite has: triggers that are counted, other files, a busy database."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from enforcers.contract.verdict import Obligation
from enforcers.errors import ExecutionError
from enforcers.executors.limits import Limits
from enforcers.permit import Permit
from tests.enforcers.databases import SQLite
from tests.enforcers.executors.conftest import SHOP

Permits = Callable[..., Permit]
UPDATE = "UPDATE users SET n = 0 WHERE id = 1"
AT_MOST_1 = (Obligation(kind="max_rows_affected", value=1),)


@pytest.fixture
def sqlite(tmp_path: Path) -> SQLite:
    """SQLite alone, with `users`."""
    one = SQLite(tmp_path / "shop.db")
    one.script(*SHOP)
    return one


def test_the_driver_gets_exactly_the_judged_text(
    sqlite: SQLite, permit: Permits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law 4: it runs exactly what was judged."""
    seen: list[str] = []
    connect = sqlite3.connect

    def watched(*args: object, **more: object) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **more)  # type: ignore[call-overload]
        connection.set_trace_callback(seen.append)
        return connection

    monkeypatch.setattr(sqlite3, "connect", watched)
    text = "SELECT\t'é 漢', n /* ; */ FROM users  WHERE id=1 "
    sqlite.run(permit(text))
    assert text in seen


def test_rows_of_triggers_are_counted(sqlite: SQLite, permit: Permits) -> None:
    sqlite.script(
        "CREATE TABLE log (id)",
        "CREATE TRIGGER more AFTER UPDATE ON users BEGIN INSERT INTO log VALUES (1), (2); END",
    )
    with pytest.raises(ExecutionError, match="3 rows would change, and at most 1 may"):
        sqlite.run(permit(UPDATE, writes=True, obligations=AT_MOST_1))
    assert sqlite.rows("SELECT n FROM users WHERE id = 1") == [(10,)]
    assert sqlite.rows("SELECT * FROM log") == []


def test_a_trigger_that_came_is_another_structure(sqlite: SQLite, permit: Permits) -> None:
    before = sqlite.structure().digest
    sqlite.script("CREATE TRIGGER more AFTER UPDATE ON users BEGIN DELETE FROM users; END")
    assert sqlite.structure().digest != before


OUTSIDE = ["ATTACH '{0}/other.db' AS other", "VACUUM INTO '{0}/other.db'", "SAVEPOINT a", "BEGIN"]


@pytest.mark.parametrize("text", OUTSIDE)
def test_no_statement_reaches_another_file_or_our_transaction(
    sqlite: SQLite, permit: Permits, text: str, tmp_path: Path
) -> None:
    with pytest.raises(ExecutionError):
        sqlite.run(permit(text.format(tmp_path), writes=True))
    assert not (tmp_path / "other.db").exists()


def test_a_busy_database_is_waited_for_no_longer_than_allowed(
    sqlite: SQLite, permit: Permits
) -> None:
    other = sqlite3.connect(sqlite.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    one = permit(UPDATE, writes=True)
    with pytest.raises(ExecutionError):
        sqlite.run(one, Limits(timeout_s=0.2))
    assert time.monotonic() - started < 3
    assert not one.used
    other.close()


def test_references_hold_and_their_cascades_are_counted(sqlite: SQLite, permit: Permits) -> None:
    sqlite.script(
        "CREATE TABLE parts (id REFERENCES users ON DELETE CASCADE)",
        "INSERT INTO parts VALUES (1), (1)",
        "CREATE TABLE notes (id REFERENCES users)",
        "INSERT INTO notes VALUES (2)",
    )
    with pytest.raises(ExecutionError, match="3 rows would change"):
        sqlite.run(permit("DELETE FROM users WHERE id = 1", writes=True, obligations=AT_MOST_1))
    with pytest.raises(ExecutionError, match="FOREIGN KEY"):
        sqlite.run(permit("DELETE FROM users WHERE id = 2", writes=True))
    assert sqlite.rows("SELECT count(*) FROM users") == [(3,)]


@pytest.mark.parametrize("size", [1 << 20, 1 << 40])
def test_no_value_grows_over_the_limit(sqlite: SQLite, permit: Permits, size: int) -> None:
    with pytest.raises(ExecutionError, match="too big"):
        sqlite.run(permit("SELECT length(zeroblob(2147483647))"), Limits(bytes=size))
