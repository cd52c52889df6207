"""Heads are shown to a witness over HTTP: it cosigns what continues, and nothing else is ever kept."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from analytics.archive.witnessed import keep, newest
from analytics.log.checkpoint import Checkpoint, parse_checkpoint
from analytics.log.cosignature import cosigned_at
from analytics.log.note import NoteSigner, parse_note
from analytics.log.verifier_key import encoded
from enforcers.errors import SettingsError
from streams.witnessing import Submitter, submitting
from streams.witnessing.client import client
from streams.witnessing.serving import LocalWitness
from tests.analytics.lived import SIGNING, live, opened, settle
from tests.analytics.records import append, raw
from tests.streams.witnessing.served import COSIGNER, STRANGER, Heard, hearing, local, named, ours


def grow(directory: Path, first: int = 0, value: bytes = b"1") -> int:
    """Three more heads; how many there are."""
    with opened(directory, 0) as archive:
        for part in range(3):
            append(archive, [raw("findings", first, value, part)])
    return own(directory).size


def own(directory: Path) -> Checkpoint:
    return parse_checkpoint(parse_note((directory / "log" / "checkpoint").read_text()).text)


@pytest.fixture(scope="module")
def _archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One history, and another one that the same key signed under the same name."""
    base = tmp_path_factory.mktemp("archives")
    for name, value in (("true", b"1"), ("forged", b"2")):
        grow(base / name, value=value)
        grow(base / name, 1)
    return base / "true", base / "forged"


@pytest.fixture
def archive(_archives: tuple[Path, Path], tmp_path: Path) -> Path:
    return moved(_archives[0], tmp_path / "archive")


@pytest.fixture
def forged(_archives: tuple[Path, Path], tmp_path: Path) -> Path:
    return moved(_archives[1], tmp_path / "forged")


def moved(source: Path, target: Path) -> Path:
    shutil.copytree(source, target)
    views = target / "views.sql"
    views.write_text(views.read_text().replace(f"'{source}/", f"'{target}/"))
    return target


class Told:
    """What a submitter reported."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def __call__(self, name: str, message: str) -> None:
        assert name == "w1"
        self.messages.append(message)


async def rounds(directory: Path, url: str, count: int = 1, told: Told | None = None) -> float:
    """So many rounds of one submitter; the last one's wait."""
    submitter = Submitter(directory, named(url), told or Told(), settle_s=0)
    async with client(named(url)) as session:
        for _ in range(count):
            wait = await submitter.round(session)
    return wait


def kept(directory: Path) -> int:
    """Heads that the witness is known to have cosigned."""
    found = newest(directory, "w1")
    if found is None:
        return 0
    note = parse_note(found.text)
    assert cosigned_at(note, COSIGNER.public, time.time())
    assert note.signed_by(SIGNING.public)
    assert len(note.signatures) == 2
    return parse_checkpoint(note.text).size


async def test_a_head_is_cosigned_kept_and_shown_to_continue(archive: Path, tmp_path: Path) -> None:
    async with hearing(ours(local(tmp_path / "w"))) as heard:
        assert await rounds(archive, heard.url) == 60
        first = own(archive).size
        assert kept(archive) == first
        # Nothing new, nothing asked.
        await rounds(archive, heard.url)
        assert len(heard.bodies) == 1
        assert heard.bodies[0].startswith(b"old 0\n\nsluicegate/c/archive\n")
        more = await asyncio.to_thread(grow, archive, 2)
        await rounds(archive, heard.url)
        assert (kept(archive), len(heard.bodies)) == (more, 2)
        assert heard.bodies[1].startswith(b"old %d\n" % first)
        assert heard.bodies[1].partition(b"\n\n")[0].count(b"\n") > 0


async def test_who_forgot_where_the_witness_stands_is_told_and_goes_on(
    archive: Path, tmp_path: Path
) -> None:
    async with hearing(ours(local(tmp_path / "w"))) as heard:
        await rounds(archive, heard.url)
        shutil.rmtree(archive / "log" / "witnessed")
        await asyncio.to_thread(grow, archive, 2)
        await rounds(archive, heard.url)
        assert [body.partition(b"\n")[0] for body in heard.bodies] == [b"old 0", b"old 0", b"old 6"]
        # The answer was lost: the same head once more.
        shutil.rmtree(archive / "log" / "witnessed")
        await rounds(archive, heard.url)
    assert kept(archive) == 9


def elsewhere(directory: Path, what: str) -> Checkpoint:
    """A head that the witness did cosign, and that is none of this archive's at that size."""
    head = own(directory)
    return {
        "another log of the same size": Checkpoint(
            "sluicegate/other/archive", head.size, head.root
        ),
        "another log that is larger": Checkpoint("sluicegate/other/archive", 10**6, head.root),
        "another root": Checkpoint(head.origin, head.size, bytes(32)),
    }[what]


@pytest.mark.parametrize(
    "what", ["another log of the same size", "another log that is larger", "another root"]
)
async def test_what_lies_there_of_another_log_does_not_keep_it_from_asking(
    archive: Path, tmp_path: Path, what: str
) -> None:
    text = str(elsewhere(archive, what))
    signed = NoteSigner(text.partition("\n")[0], SIGNING.key).sign(text)
    line = COSIGNER.cosign(text, int(time.time()))
    tomorrow = int(time.time()) + 86_400
    keep(archive, "w1", str(replace(signed, signatures=(*signed.signatures, line))), tomorrow)
    told = Told()
    async with hearing(ours(local(tmp_path / "w"))) as heard:
        await rounds(archive, heard.url, told=told)
        assert len(heard.bodies) == 1
    assert told.messages == []


async def test_a_witness_that_cannot_be_shown_growth_any_more_is_told_of(tmp_path: Path) -> None:
    directory, told = tmp_path / "archive", Told()
    live(directory, 0, 1)
    async with hearing(ours(local(tmp_path / "w"))) as heard:
        await rounds(directory, heard.url)
        live(directory, 1, 3)
        settle(directory, 4, keep=1)
        await rounds(directory, heard.url, 2, told)
        # Each time it is asked from the beginning as well: it might have begun anew.
        assert len(heard.bodies) == 3
    [message] = told.messages
    assert "were dropped" in message


async def test_a_witness_that_began_anew_is_shown_what_is_left(tmp_path: Path) -> None:
    directory, told = tmp_path / "archive", Told()
    live(directory, 0, 1)
    async with hearing(ours(local(tmp_path / "w"))) as heard:
        await rounds(directory, heard.url)
    live(directory, 1, 3)
    settle(directory, 4, keep=1)
    async with hearing(ours(local(tmp_path / "anew"))) as heard:
        await rounds(directory, heard.url, 2, told)
        assert len(heard.bodies) == 1
    assert told.messages == []


async def test_what_lies_there_of_another_key_is_not_believed(
    archive: Path, tmp_path: Path
) -> None:
    text = (archive / "log" / "checkpoint").read_text()
    now = int(time.time())
    name, value = STRANGER.cosign(parse_note(text).text, now)
    keep(archive, "w1", f"{text}— {name} {encoded(value)}\n", now)
    async with hearing(ours(local(tmp_path / "w"))) as heard:
        await rounds(archive, heard.url)
    assert (len(heard.bodies), kept(archive)) == (1, 6)


# ---- another history -----------------------------------------------------------------------------------------


async def refused_loudly(
    directory: Path, heard: Heard, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    told = Told()
    with caplog.at_level(logging.ERROR):
        await rounds(directory, heard.url, 2, told)
    said = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
    assert len(said) == 2
    assert all(one.startswith("THE ARCHIVE DOES NOT CONTINUE what witness `w1`") for one in said)
    assert why in said[0]
    # Whoever is told by alerts is told once.
    assert told.messages == said[:1]


async def test_a_forked_head_is_refused_and_told_loudly(
    archive: Path, forged: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with hearing(ours(local(tmp_path / "w"))) as heard:
        await rounds(archive, heard.url)
        await refused_loudly(forged, heard, "another root at size 6", caplog)
        caplog.clear()
        await asyncio.to_thread(grow, forged, 2)
        await refused_loudly(forged, heard, "the proof does not lead", caplog)
    assert (kept(archive), kept(forged)) == (6, 0)


async def test_a_shorter_history_than_was_seen_is_told_loudly(
    archive: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with hearing(ours(local(tmp_path / "w"))) as heard:
        older = moved(archive, tmp_path / "older")
        await asyncio.to_thread(grow, archive, 2)
        await rounds(archive, heard.url)
        await refused_loudly(older, heard, "cosigned 9 heads, and the archive has 6", caplog)
        caplog.clear()
        # And from what lies in the archive itself, without asking.
        shutil.copytree(archive / "log" / "witnessed", older / "log" / "witnessed")
        asked = len(heard.bodies)
        await refused_loudly(older, heard, "cosigned 9 heads, and the archive has 6", caplog)
        assert len(heard.bodies) == asked


# ---- witnesses that do not cosign ------------------------------------------------------------------------------


async def test_a_witness_that_is_away_is_asked_again_and_later_each_time(
    archive: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with hearing(ours(local(tmp_path / "w"))) as heard:
        url = heard.url
    submitter = Submitter(archive, named(url), told := Told(), settle_s=0)
    async with client(named(url)) as session:
        waits = [await submitter.round(session) for _ in range(9)]
    assert waits[0] <= 1 < waits[3] < waits[6] <= waits[8] == 60
    assert kept(archive) == 0
    assert "witness `w1`" in caplog.text
    assert "cannot be reached" in caplog.text
    # No alarm for a network: `doctor` says how old the newest cosignature is.
    assert told.messages == []


async def test_a_witness_that_does_not_know_us_says_so(
    archive: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = NoteSigner(SIGNING.name, STRANGER.key).public
    nobody = NoteSigner("sluicegate/other/archive", SIGNING.key).public
    for keys, why in (((other,), "archiver's key"), ((nobody,), "this log")):
        told = Told()
        async with hearing(ours(LocalWitness(tmp_path, COSIGNER, keys))) as heard:
            await rounds(archive, heard.url, 2, told)
        assert len(told.messages) == 1
        assert f"it does not know {'the ' if 'key' in why else ''}{why}" in told.messages[0]


async def test_a_witness_that_names_another_size_each_time_is_not_followed(archive: Path) -> None:
    sizes = iter(range(1, 6))

    async def script(request: web.Request, body: bytes) -> web.StreamResponse:
        return web.Response(status=409, text=f"{next(sizes)}\n", content_type="text/x.tlog.size")

    async with hearing(script) as heard:
        await rounds(archive, heard.url, told=(told := Told()))
    assert len(heard.bodies) == 3
    assert "another size each time" in told.messages[0]


async def test_an_archive_without_a_signed_head_submits_nothing(tmp_path: Path) -> None:
    async with hearing(ours(local(tmp_path / "w"))) as heard:
        (tmp_path / "archive").mkdir()
        await rounds(tmp_path / "archive", heard.url)
    assert heard.bodies == []


async def test_it_runs_beside_an_archiver_and_ends_with_it(archive: Path, tmp_path: Path) -> None:
    async with hearing(ours(local(tmp_path / "w"))) as heard:
        witness = replace(named(heard.url), interval_s=0.01)
        async with submitting([Submitter(archive, witness, settle_s=0)]), asyncio.timeout(30):
            while kept(archive) != own(archive).size:
                await asyncio.sleep(0.01)
            await asyncio.to_thread(grow, archive, 2)
            while kept(archive) != 9:
                await asyncio.sleep(0.01)


def test_certificates_that_are_none_are_refused_with_their_setting(tmp_path: Path) -> None:
    witness = replace(named("https://localhost:1"), ca_file=tmp_path / "none.pem")

    async def make() -> None:
        client(witness)

    with pytest.raises(SettingsError, match=r"\[witnesses\.w1\]"):
        asyncio.run(make())
