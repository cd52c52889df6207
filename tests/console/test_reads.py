"""The auditors are audited: every `audit` command leaves a record, and says so where it cannot."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import time
from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from typer.main import get_command
from typer.testing import Result

from console.cli import audit
from console.cli.app import app
from console.identity import load_trust_of
from console.reads.journal import NAME, Journal, first_break
from console.reads.reading import CODE, LONGEST, finding_of, reader, reading_of
from console.reads.recording import RecordedCommand
from console.settings import Settings
from enforcers.contract.base import utc_now, uuid7
from enforcers.contract.finding import Finding
from enforcers.contract.record import check_headers, check_signature
from enforcers.contract.signing import RootMemory
from enforcers.contract.trust import Role
from enforcers.contract.wire import decode, header_map
from streams.broker import EmbeddedBroker
from streams.control_log import ControlLog
from streams.topic_making import create_topics
from streams.topics import FINDINGS, in_zone
from tests.console.cli.archived import Scene

Sluicegate = Callable[..., Result]


@pytest.fixture
def archived() -> Scene:
    scene = Scene()
    scene.done()
    scene.store()
    return scene


def lines(home: Path) -> list[dict[str, Any]]:
    return [json.loads(one) for one in (home / NAME).read_text().splitlines()]


def test_no_audit_command_can_be_forgotten() -> None:
    group: Any = get_command(app).commands["audit"]  # type: ignore[attr-defined]
    assert {
        name for name, one in group.commands.items() if not isinstance(one, RecordedCommand)
    } == set()
    assert len(group.commands) >= 6


def test_every_file_with_an_audit_command_is_registered() -> None:
    files = Path(audit.__file__).parent.glob("*.py")
    modules = {one.stem: import_module(f"console.cli.audit.{one.stem}") for one in files}
    found = {
        one.register
        for name, one in modules.items()
        if name != "__init__" and hasattr(one, "register")
    }
    assert found == set(audit.COMMANDS)


def test_who_asked_what_is_written_before_the_answer_and_its_rows_after_it(
    archived: Scene, home: Path, sluicegate: Sluicegate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "somebody-else")
    monkeypatch.setattr(
        "console.auditing.lines.told_population", lambda _: [("seen", str(len(lines(home))))]
    )
    result = sluicegate("audit", "population", "--from", "24h", "--sample", "1")
    assert "seen      1" in result.stdout
    assert result.stderr == ""
    asked, answered = lines(home)
    assert (asked["command"], asked["question"]) == (
        "population", {"since": "24h", "sample": "1", "seed": "1"},
    )  # fmt: skip
    assert asked["by"] == reader()
    assert "somebody-else" not in asked["by"]
    assert asked["archive"] == str(archived.settings.archive)
    assert (answered["id"], answered["rows"], answered["result"]) == (asked["id"], 1, "answered")
    assert (home / NAME).stat().st_mode & 0o777 == 0o600


def test_what_failed_is_recorded_and_help_is_not(
    archived: Scene, home: Path, sluicegate: Sluicegate
) -> None:
    assert sluicegate("audit", "action", "--help").exit_code == 0
    assert sluicegate("audit", "action").exit_code == 2
    assert not (home / NAME).exists()
    assert sluicegate("audit", "action", str(UUID(int=1))).exit_code == 1
    assert lines(home)[-1]["result"] == "failed with ArchiveError"
    assert lines(home)[-1]["rows"] == 0
    assert sluicegate("audit", "checkpoint").exit_code == 1
    assert "rows" not in lines(home)[-1]


def test_a_line_that_was_changed_or_taken_out_shows(
    archived: Scene, home: Path, sluicegate: Sluicegate
) -> None:
    for _ in range(2):
        sluicegate("audit", "session", "s-1")
    journal = home / NAME
    written = journal.read_text().splitlines(keepends=True)
    assert (len(written), first_break(journal)) == (4, None)
    journal.write_text("".join([*written[:1], *written[2:]]))
    assert first_break(journal) == 2
    journal.write_text(written[0].replace("s-1", "s-2") + "".join(written[1:]))
    assert first_break(journal) == 2
    journal.write_text("".join(written) + '{"half')
    sluicegate("audit", "session", "s-1")
    assert first_break(journal) == 5
    assert lines_that_parse(journal)[-1]["result"] == "answered"


def test_people_see_who_read_what_and_whether_the_journal_is_whole(
    archived: Scene, home: Path, sluicegate: Sluicegate
) -> None:
    assert "every line" in sluicegate("audit", "reads").stdout
    sluicegate("audit", "session", "s-1\x1b[2J")
    told = sluicegate("audit", "reads")
    assert told.exit_code == 0
    assert f"{reader()} audit session " in told.stdout
    assert "failed with ArchiveError, 0 rows, not in kafka" in told.stdout
    assert "\x1b" not in told.stdout
    body = json.loads(sluicegate("audit", "reads", "--limit", "2", "--json").stdout)
    assert ([one["command"] for one in body["readings"]], body["left_out"]) == (["reads"] * 2, 2)
    journal = home / NAME
    journal.write_text(journal.read_text().replace("s-1", "s-2"))
    broken = sluicegate("audit", "reads")
    assert (broken.exit_code, "line 4 of the journal does NOT follow" in broken.stdout) == (1, True)
    journal.unlink()
    journal.mkdir()
    assert sluicegate("audit", "reads").exit_code == 2


def lines_that_parse(path: Path) -> list[Any]:
    found = []
    for one in path.read_text().splitlines():
        try:
            found.append(json.loads(one))
        except ValueError:
            continue
    return found


def test_a_link_in_the_place_of_the_journal_is_not_followed(
    archived: Scene, home: Path, tmp_path: Path, sluicegate: Sluicegate
) -> None:
    target = tmp_path / "elsewhere"
    (home / NAME).symlink_to(target)
    result = sluicegate("audit", "session", "s-1")
    assert result.exit_code == 0
    assert "this reading is not in the journal" in result.stderr
    assert "is recorded nowhere" in result.stderr
    assert not target.exists()


def test_who_holds_the_journal_for_ever_holds_up_nobody(
    archived: Scene, home: Path, sluicegate: Sluicegate
) -> None:
    with (home / NAME).open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        result = sluicegate("audit", "session", "s-1")
    assert (result.exit_code, "this reading is not in the journal" in result.stderr) == (0, True)
    (home / NAME).unlink()
    os.mkfifo(home / NAME)
    result = sluicegate("audit", "session", "s-1")
    assert (result.exit_code, "it is no file" in result.stderr) == (0, True)


def test_odd_and_endless_questions_are_recorded(home: Path) -> None:
    question = {"text": "x" * 100_000, "odd": "\udcff\x1b[2J", "no": None, "empty": ()}
    one = reading_of("who-changed", question, "\udcff")
    Journal(home).asked(one)
    (said,) = lines(home)
    assert len(said["question"]["text"]) == LONGEST + 1
    assert set(said["question"]) == {"text", "odd"}
    many = reading_of("who-changed", {f"option-{n}": "x" * 400 for n in range(50)}, "/archive")
    finding = finding_of(many, 3, "answered", "archiver-1")
    assert len(finding.message) == 2_000
    assert "3 rows" in finding.message


def test_junk_in_the_journal_stops_nobody(home: Path) -> None:
    home.mkdir()
    (home / NAME).write_bytes(
        b'\xff\n[]\n{"asked": 1}\n{"id": "x", "asked": "y", "question": []}\n{}'
    )
    one = reading_of("session", {}, "a")
    journal = Journal(home)
    assert journal.untold() == ()
    journal.asked(one)
    journal.answered(one.id, 2, "answered")
    (found,) = journal.untold()
    assert (found.reading.id, found.rows) == (one.id, 2)


def test_a_reading_under_way_is_told_without_its_end_only_when_it_is_given_up(home: Path) -> None:
    journal, one = Journal(home), reading_of("session", {}, "a")
    journal.asked(one)
    assert journal.untold() == ()
    old = type(one)(uuid7(), utc_now() - timedelta(hours=2), one.by, one.command, {}, "a")
    journal.asked(old)
    assert [(found.reading.id, found.result) for found in journal.untold()] == [(old.id, "")]
    journal.told(old.id, "findings/0/1")
    assert journal.untold() == ()


def test_without_an_answer_of_kafka_the_reading_goes_on_and_it_is_said(
    archived: Scene, home: Path, sluicegate: Sluicegate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICEGATE_BOOTSTRAP", "127.0.0.1:9")
    result = sluicegate("audit", "session", "s-1")
    assert result.exit_code == 0
    assert f"note: this reading is recorded only in {home / NAME}, not in kafka: " in result.stderr


def test_without_a_key_that_somebody_trusts_it_is_said(
    archived: Scene, home: Path, sluicegate: Sluicegate, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in (home / "keys").iterdir():
        key.unlink()
    monkeypatch.setenv("SLUICEGATE_BOOTSTRAP", "127.0.0.1:9")
    result = sluicegate("audit", "session", "s-1")
    assert "no key lies here that the trust file names" in result.stderr


def test_kafka_hears_of_every_reading_signed_also_of_those_before(
    archived: Scene, broker: EmbeddedBroker, sluicegate: Sluicegate, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = f"reads-{time.time_ns()}"
    settings = archived.settings.model_copy(update={"zone": zone})
    asyncio.run(create_topics(broker.bootstrap, in_zone(zone), ours=True))
    sluicegate("audit", "session", "s-1")
    monkeypatch.setenv("SLUICEGATE_ZONE", zone)
    monkeypatch.setenv("SLUICEGATE_BOOTSTRAP", broker.bootstrap)
    monkeypatch.setattr("console.reads.telling.PATIENCE_S", 30.0)
    result = sluicegate("audit", "who-changed", "users", "--from", "24h")
    assert (result.exit_code, result.stderr) == (0, "")
    found = asyncio.run(findings(broker.bootstrap, settings))
    assert [one.code for one in found] == [CODE, CODE]
    newest, before = found
    assert newest.message.startswith("audit who-changed: answered, ")
    assert '"users"' in newest.message
    assert before.message.startswith("audit session: answered, 1 rows")
    assert {one.about for one in found} == {reader()}
    assert Journal(settings.home).untold() == ()
    assert sluicegate("audit", "session", "s-1").stderr == ""
    assert len(asyncio.run(findings(broker.bootstrap, settings))) == 3


async def findings(bootstrap: str, settings: Settings) -> list[Finding]:
    async with ControlLog(bootstrap, settings.zone) as log:
        records = await log.read(FINDINGS)
    trust, said = load_trust_of(settings), []
    for one in sorted(records, key=lambda one: one.offset):
        headers, value = header_map(one.headers), one.value or b""
        finding = decode(Finding, value)
        check_headers(finding, headers, finding.source)
        key = check_signature(
            Finding, value, headers, trust, Role.ADMINISTRATOR, utc_now(), RootMemory()
        )
        assert key.id == finding.source
        assert one.key == finding.about.encode()
        said.append(finding)
    return said
