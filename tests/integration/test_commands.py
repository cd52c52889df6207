"""The command line as users have it: `sluicegate up` with a Kafka of its own, and commands in other processes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pytest

pytestmark = pytest.mark.kafka

Found = TypeVar("Found")

PATIENCE_S = 60.0
SETTINGS = """
session = "errands"
[targets.shop]
system = "duckdb"
path = "shop.duckdb"
"""


class Home:
    """A state directory, a database beside it, and the commands that use them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = path / "shop.duckdb"
        path.mkdir(mode=0o700)
        (path / "sluicegate.toml").write_text(SETTINGS)
        with duckdb.connect(str(self.database)) as shop:
            shop.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, total INTEGER)")
            shop.execute("INSERT INTO orders VALUES (1, 5), (2, 7)")

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "console", "--home", str(self.path), *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            env=environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def tables(self) -> list[str]:
        with duckdb.connect(str(self.database), read_only=True) as shop:
            return [name for (name,) in shop.execute("SHOW TABLES").fetchall()]


class Up:
    """One running `sluicegate up`; what it says goes to a file."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._said = home.path / "up.out"
        with self._said.open("w") as said:
            self.process = subprocess.Popen(
                home.command("up"), env=environment(), stdout=said, stderr=said
            )

    @property
    def said(self) -> str:
        return self._said.read_text()

    def wait_until_it_says(self, text: str) -> None:
        eventually(lambda: text in self.said or self.process.poll() is not None)
        assert text in self.said, self.said

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


def environment() -> dict[str, str]:
    """The caller's, without settings: no test may find a stack that somebody else runs."""
    # SLUICEGATE_HOME stays: `--home` is stronger, and the jars that were fetched lie there.
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("SLUICEGATE_") or name == "SLUICEGATE_HOME"
    }


def eventually(look: Callable[[], Found]) -> Found:
    """What there is as soon as there is something, and nothing when patience is over."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def parents() -> dict[int, int]:
    """The parent of every process that has not ended."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            found[int(stat.parent.name)] = int(parent)
    return found


def command_line(pid: int) -> bytes:
    """The words of a process, with NULs between them; empty where it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def below(root: int) -> set[int]:
    """Every process that descends from `root`."""
    tree = parents()
    found: set[int] = set()
    while new := {pid for pid, parent in tree.items() if parent in found | {root}} - found:
        found |= new
    return found


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A `sluicegate up` that has said that it is ready."""
    started = Up(Home(tmp_path_factory.mktemp("commands") / "home"))
    try:
        started.wait_until_it_says("\nready\n")
        yield started
    finally:
        started.end(signal.SIGTERM)


@pytest.fixture
def home(up: Up) -> Home:
    return up.home


COMMANDS = [
    pytest.param(("sql", "--target", "shop", "SELECT id, total FROM orders"), 0, "│ 2  │ 7     │", id="a-read-prints-its-rows"),
    pytest.param(("sql", "--target", "shop", "--json", "SELECT sum(total) AS s FROM orders"), 0, '{"columns": ["s"], "rows": [[12]], "affected": null}', id="json-is-for-programs"),
    pytest.param(("run", "--", "echo", "hi"), 0, "hi\n", id="a-command-that-is-known-runs"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "code", "printed"), COMMANDS)
def test_what_is_admitted_runs(
    home: Home, arguments: tuple[str, ...], code: int, printed: str
) -> None:
    done = home.run(*arguments)
    assert (done.returncode, done.stderr) == (code, "")
    assert printed in done.stdout


def test_the_exit_code_of_a_command_is_passed_on(home: Home) -> None:
    done = home.run("run", "--", "ls", "/nowhere/at/all")
    assert done.returncode == 2
    assert done.stderr.startswith("ls: ")


SHOWN = "action ID: `sluicegate audit action ID` shows it\n"


def without_ids(said: str) -> str:
    """What was said, with ID for each id."""
    return re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "ID", said)


REFUSED = [
    pytest.param(("run", "--", "rm", "-rf", "/etc"), 3, "error: denied: files of the system, or the workspace as a whole, would be removed; name the files in the workspace that are to be removed", id="a-removal-of-the-system"),
    pytest.param(("run", "--", "rm", "notes.txt"), 4, "error: approval needed: the file is in production, outside the workspace, secret, or run by other programs; change ordinary files in the workspace, or have a person approve it; `sluicegate approve ID --reason WHY` approves it, then propose the same again", id="a-removal-that-a-person-may-approve"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "code", "said"), REFUSED)
def test_what_is_refused_says_why_and_what_would_pass(
    home: Home, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = home.run(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert without_ids(done.stderr) == f"{said}\n{SHOWN}"


def test_a_drop_is_denied_and_another_process_reads_back_who_asked_and_what_was_decided(
    home: Home,
) -> None:
    denied = home.run("sql", "--target", "shop", "--reason", "cleaning up", "DROP TABLE orders")
    assert (denied.returncode, denied.stdout) == (3, "")
    assert without_ids(denied.stderr) == (
        "error: denied: structure and rights of a production database are not changed by hand;"
        f" put the change into a reviewed migration\n{SHOWN}"
    )
    assert home.tables() == ["orders"]

    def session() -> list[dict[str, Any]]:
        told = home.run("audit", "session", "errands", "--json")
        actions = json.loads(told.stdout)["actions"] if told.returncode == 0 else []
        return [
            one for one in actions if one["reason"] == "cleaning up" and one["status"] != "none"
        ]

    (found,) = eventually(session)
    told_in_short = (found["text"], found["decision"], found["status"])
    assert told_in_short == ("DROP TABLE orders", "deny", "blocked")
    told = home.run("audit", "action", found["id"])
    assert told.returncode == 0
    for line in (
        f"action    {found['id']}",
        "who       agent:local (agent), session errands",
        "why       cleaning up",
        "verdict   deny by judge-1, signature valid",
        "outcome   blocked",
    ):
        assert line in told.stdout


def test_a_second_up_in_the_same_home_says_which_process_is_in_the_way(home: Home) -> None:
    second = home.run("up")
    assert second.returncode == 2
    assert second.stderr == (
        f"error: `sluicegate up` runs in `{home.path}` already, as process"
        f" {(home.path / 'up.lock').read_text()}; stop that one, or give another --home\n"
    )
    assert (home.path / "bootstrap").exists()


def test_doctor_says_where_each_value_came_from_and_that_all_is_well(home: Home) -> None:
    done = home.run("doctor", "--json")
    body = json.loads(done.stdout)
    origins = {one["name"]: one["origin"] for one in body["settings"]}
    assert (origins["home"], origins["zone"]) == ("flag", "default")
    assert origins["session"] == origins["targets"] == f"file {home.path / 'sluicegate.toml'}"
    assert [one for one in body["checks"] if not one["ok"]] == []
    assert done.returncode == 0


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs a list of processes")
@pytest.mark.prove
def test_a_kafka_that_dies_by_itself_is_started_again(up: Up, home: Home) -> None:
    started = below(up.process.pid)
    (java,) = [pid for pid in started if command_line(pid).split(b"\0")[0].endswith(b"java")]
    os.kill(java, signal.SIGKILL)
    up.wait_until_it_says("kafka ended by itself and was started again")
    asked = ("sql", "--target", "shop", "SELECT count(*) FROM orders")
    assert eventually(lambda: home.run(*asked).returncode == 0)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs a list of processes")
def test_nothing_outlives_up_however_it_ends(up: Up, home: Home) -> None:
    """The last test of the file, for it ends what the others use."""
    assert outlived(up, signal.SIGTERM) == set()
    assert (up.process.returncode, up.said.endswith("stopped\n")) == (0, True)
    again = Up(home)
    again.wait_until_it_says("Ctrl-C stops all of it")
    assert outlived(again, signal.SIGKILL) == set()
    after = home.run("sql", "--target", "shop", "SELECT 1")
    assert after.returncode == 5
    assert after.stderr.count("\n") == 1
    assert "run `sluicegate up` again" in after.stderr


def outlived(up: Up, number: signal.Signals) -> set[int]:
    """What is still there some time after `up` was ended so."""
    # Judge, archiver and its watch for what is odd, the broker's warden and Java.
    eventually(lambda: len(below(up.process.pid)) == 5)
    started = below(up.process.pid)
    up.end(number)
    eventually(lambda: not started & parents().keys())
    return started & parents().keys()
