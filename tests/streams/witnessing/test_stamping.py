"""A time-stamp authority is asked over HTTP, and only an answer to this very request is kept."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

import pytest
from aiohttp import web

from analytics.log.timestamp import request
from enforcers.errors import ArchiveError
from streams.witnessing import stamping
from streams.witnessing.stamping import MOST_BYTES, stamp
from tests.analytics.log.stamped import ANSWER, AT, NONCE, NOTE, REFUSED
from tests.streams.witnessing.served import Script, hearing

MOMENT = datetime.fromisoformat(AT)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stamping, "utc_now", lambda: MOMENT + timedelta(seconds=3))


def says(body: bytes, status: int = 200, **headers: str) -> Script:
    async def script(request: web.Request, _: bytes) -> web.StreamResponse:
        assert request.content_type == "application/timestamp-query"
        return web.Response(status=status, body=body, headers=headers)

    return script


async def test_a_token_is_asked_for_and_comes_back_whole() -> None:
    async with hearing(says(ANSWER)) as heard:
        found = await stamp(f"{heard.url}/tsr?x=1", NOTE, NONCE)
    assert (found.at, found.answer) == (MOMENT, ANSWER)
    assert heard.bodies == [request(hashlib.sha256(NOTE).digest(), NONCE)]


REFUSALS = {
    "a refusal": (REFUSED, 200, "refused"),
    "an error": (b"sorry", 500, "answered 500"),
    "a redirect": (b"", 302, "answered 302"),
    "a page": (b"<html>", 200, "damaged"),
    "too much": (b"0" * (MOST_BYTES + 1), 200, "answered 200 with 65536 bytes or more"),
}


@pytest.mark.parametrize(("body", "status", "why"), REFUSALS.values(), ids=REFUSALS)
async def test_what_is_no_token_is_not_kept(body: bytes, status: int, why: str) -> None:
    async with hearing(says(body, status, Location="/elsewhere")) as heard:
        with pytest.raises(ArchiveError, match=why):
            await stamp(heard.url, NOTE, NONCE)
    assert len(heard.bodies) == 1


async def test_an_answer_that_is_played_again_is_not_kept() -> None:
    async with hearing(says(ANSWER)) as heard:
        with pytest.raises(ArchiveError, match="another request"):
            await stamp(heard.url, NOTE)
        with pytest.raises(ArchiveError, match="another request"):
            await stamp(heard.url, b"other", NONCE)


async def test_a_time_that_is_far_from_ours_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stamping, "utc_now", lambda: MOMENT - timedelta(days=2))
    async with hearing(says(ANSWER)) as heard:
        with pytest.raises(ArchiveError, match="says that it is 2026-11-22"):
            await stamp(heard.url, NOTE, NONCE)


async def test_an_authority_that_is_away_is_said() -> None:
    async with hearing(says(ANSWER)) as heard:
        url = heard.url
    with pytest.raises(ArchiveError, match="cannot be reached"):
        await stamp(url, NOTE, NONCE)
