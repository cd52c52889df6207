"""
Asks a time-stamp authority (RFC 3161) for a token over some bytes, by HTTP.

No redirect is followed, no proxy and no cookie is taken from anywhere, and of an answer a few KiB are read.
"""

from __future__ import annotations

import hashlib
import secrets
import ssl
from dataclasses import dataclass
from datetime import datetime

import aiohttp

from analytics.log.timestamp import request, stamped_at
from enforcers.contract.base import utc_now
from enforcers.errors import ArchiveError, SignatureError
from streams.alerts.endpoint import AGENT
from streams.http_errors import PATIENCE_S, why
from streams.witnessing.client import read_bounded

MOST_BYTES = 65_536
MOST_APART_S = 86_400.0
"""A time that is further off from ours is no time to keep."""
NONCE_BITS = 64
_HEADERS = {"Content-Type": "application/timestamp-query", "User-Agent": AGENT}


@dataclass(frozen=True, slots=True)
class Stamp:
    """An authority's answer, whose signature nobody has checked yet."""

    at: datetime
    answer: bytes


async def stamp(url: str, content: bytes, nonce: int | None = None) -> Stamp:
    """Have these bytes stamped. Raises ArchiveError."""
    number = secrets.randbits(NONCE_BITS) if nonce is None else nonce
    digest = hashlib.sha256(content).digest()
    try:
        status, answer = await _ask(url, request(digest, number))
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise ArchiveError(f"time-stamp authority: {why(error)}; try another") from error
    if status != 200 or len(answer) > MOST_BYTES:
        raise ArchiveError(
            f"time-stamp authority answered {status} with {min(len(answer), MOST_BYTES)} bytes or"
            " more; correct its address"
        )
    try:
        at = stamped_at(answer, digest, number)
    except SignatureError as error:
        raise ArchiveError(str(error)) from error
    if abs((at - utc_now()).total_seconds()) > MOST_APART_S:
        raise ArchiveError(
            f"time-stamp authority says that it is {at}; set this clock, or ask another"
        )
    return Stamp(at, answer)


async def _ask(url: str, body: bytes) -> tuple[int, bytes]:
    async with (
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=ssl.create_default_context()),
            timeout=aiohttp.ClientTimeout(total=PATIENCE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=_HEADERS,
            auto_decompress=False,
            trust_env=False,
        ) as session,
        session.post(url, data=body, allow_redirects=False) as answer,
    ):
        return answer.status, await read_bounded(answer, MOST_BYTES)
