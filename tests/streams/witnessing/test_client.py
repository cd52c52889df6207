"""Whatever a witness answers: nothing is taken that its key did not sign, and no answer holds up or fills the memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
from aiohttp import web

from analytics.log.checkpoint import Checkpoint
from analytics.log.cosignature import AHEAD_S
from analytics.log.note import Note, parse_note
from analytics.log.verifier_key import encoded
from streams.witnessing import client as asking
from streams.witnessing.client import MOST_BYTES, Fate, Witness, client, request_of, submit
from tests.analytics.lived import SIGNING
from tests.streams.witnessing.served import COSIGNER, STRANGER, Script, hearing, named

TEXT = str(Checkpoint(SIGNING.name, 7, bytes(32)))
NOTE = str(SIGNING.sign(TEXT))


async def asked(url: str) -> tuple[Fate, str, Note | None]:
    witness: Witness = named(url)
    async with client(witness) as session:
        found = await submit(session, witness, NOTE, 0, [], time.time())
    return found.fate, found.said, found.note


def says(status: int, body: str | bytes = "", **headers: str) -> Script:
    async def script(request: web.Request, _: bytes) -> web.StreamResponse:
        content = body if isinstance(body, bytes) else body.encode()
        return web.Response(status=status, body=content, headers=headers)

    return script


def line(text: str = TEXT, at: int | None = None, by: object = COSIGNER) -> str:
    cosigner = by if by is STRANGER else COSIGNER
    name, value = cosigner.cosign(text, int(time.time()) if at is None else at)  # type: ignore[attr-defined]
    return f"— {name} {encoded(value)}\n"


TREE = {"Content-Type": "text/x.tlog.size"}
NOT_TAKEN: dict[str, tuple[Callable[[], Script], Fate]] = {
    "a cosignature of another text": (lambda: says(200, line(TEXT + "more\n")), Fate.REFUSED),
    "of another log": (lambda: says(200, line(TEXT.replace("/c/", "/d/"))), Fate.REFUSED),
    "of a larger checkpoint": (lambda: says(200, line(TEXT.replace("7", "8"))), Fate.REFUSED),
    "of another key by its name": (lambda: says(200, line(by=STRANGER)), Fate.REFUSED),
    "of a time to come": (
        lambda: says(200, line(at=int(time.time()) + AHEAD_S + 3_600)),
        Fate.REFUSED,
    ),
    "of last week": (lambda: says(200, line(at=int(time.time()) - 604_800)), Fate.REFUSED),
    "of no time": (lambda: says(200, line(at=0)), Fate.REFUSED),
    "a plain signature": (
        lambda: says(200, NOTE.partition("\n\n")[2].replace(SIGNING.name, COSIGNER.name)),
        Fate.REFUSED,
    ),
    "nothing": (lambda: says(200), Fate.REFUSED),
    "a page": (lambda: says(200, "<html>\x1b[2J</html>"), Fate.REFUSED),
    "no text": (lambda: says(200, b"\xff\xfe"), Fate.REFUSED),
    "a true line and another thing": (lambda: says(200, line() + "more\n"), Fate.REFUSED),
    "a true line, packed": (
        lambda: says(200, b"\x1f\x8b\x08\0", **{"Content-Encoding": "gzip"}),
        Fate.REFUSED,
    ),
    "a true line in the middle of a flood": (
        lambda: says(200, line() * (MOST_BYTES // 100)),
        Fate.REFUSED,
    ),
    "a size of the wrong type": (lambda: says(409, "5\n"), Fate.REFUSED),
    "no size": (lambda: says(409, "five\n", **TREE), Fate.REFUSED),
    "a size below nothing": (lambda: says(409, "-5\n", **TREE), Fate.REFUSED),
    "a size beyond everything": (lambda: says(409, "9" * 40 + "\n", **TREE), Fate.REFUSED),
    "a size": (lambda: says(409, "5\n", **TREE), Fate.ELSEWHERE),
    "no proof": (lambda: says(422, "no\n"), Fate.FORKED),
    "an unknown log": (lambda: says(404), Fate.REFUSED),
    "an unknown key": (lambda: says(403), Fate.REFUSED),
    "a wrong request": (lambda: says(400, "\x1b[2Jwhat\n"), Fate.REFUSED),
    "trouble": (lambda: says(500, "sorry"), Fate.AWAY),
    "too much": (lambda: says(429), Fate.AWAY),
    "no content": (lambda: says(204), Fate.AWAY),
}


@pytest.mark.parametrize(("script", "fate"), NOT_TAKEN.values(), ids=NOT_TAKEN)
async def test_what_is_no_cosignature_of_this_checkpoint_is_not_taken(
    script: Callable[[], Script], fate: Fate
) -> None:
    async with hearing(script()) as heard:
        found, said, note = await asked(heard.url)
    assert (found, note) == (fate, None)
    assert said
    assert said.isprintable()
    assert len(said) < 300


async def test_of_many_lines_one_is_kept_that_holds() -> None:
    true = line()
    lines = line(by=STRANGER) + line(TEXT + "x\n") + true + true + line(at=int(time.time()) - 5)
    async with hearing(says(200, lines)) as heard:
        fate, _, note = await asked(heard.url)
    assert fate is Fate.COSIGNED
    assert note is not None
    assert str(note) == NOTE + true
    assert parse_note(str(note)).signed_by(SIGNING.public)


async def test_lines_of_others_beside_the_checkpoints_own_are_left_behind() -> None:
    crowded = Note(TEXT, (*SIGNING.sign(TEXT).signatures, *[("x", bytes(9))] * 15))
    async with hearing(says(200, line())) as heard, client(named(heard.url)) as session:
        witness = named(heard.url)
        found = await submit(session, witness, str(crowded), 0, [], time.time())
    assert found.note is not None
    assert len(parse_note(str(found.note)).signatures) == 2


async def test_no_redirect_is_followed() -> None:
    async with hearing(says(200, line())) as elsewhere:
        script = says(307, Location=f"{elsewhere.url}/add-checkpoint")
        async with hearing(script) as heard:
            fate, said, _ = await asked(heard.url)
    assert (fate, elsewhere.bodies) == (Fate.AWAY, [])
    assert "it answered 307" in said


async def test_an_answer_without_an_end_is_not_read_to_its_end() -> None:
    async def floods(request: web.Request, _: bytes) -> web.StreamResponse:
        answer = web.StreamResponse(status=200)
        await answer.prepare(request)
        while True:
            await answer.write(b"x" * MOST_BYTES)

    async with hearing(floods) as heard:
        fate, said, _ = await asked(heard.url)
    assert (fate, "more than 16384 bytes" in said) == (Fate.REFUSED, True)


async def test_silence_ends_after_some_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PATIENCE_S", 0.1)
    ended = asyncio.Event()

    async def hangs(request: web.Request, _: bytes) -> web.StreamResponse:
        await ended.wait()
        return web.Response()

    async with hearing(hangs) as heard:
        fate, said, _ = await asked(heard.url)
        ended.set()
    assert (fate, said) == (Fate.AWAY, "no answer within 0.1 s")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://localhost", "http://[::1", "nowhere"])
async def test_what_is_no_address_is_nowhere(url: str) -> None:
    assert (await asked(url))[0] is Fate.AWAY


def test_what_is_posted_is_what_the_specification_writes() -> None:
    body = request_of(NOTE, 5, [bytes(32), b"\xff" * 32])
    assert body == f"old 5\n{'A' * 43}=\n{'/' * 42}8=\n\n{NOTE}".encode()
