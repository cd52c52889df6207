"""
Asks one witness to cosign a checkpoint, as C2SP's `tlog-witness` has it.

    old N ⏎ proof ⏎ … ⏎ ⏎ checkpoint ──POST add-checkpoint──▶ 200 cosignatures
                                                              409 its own size, 422 no proof, 403, 404 unknown

No redirect is followed, no proxy and no cookie is taken from anywhere, and of an answer a few KiB are read.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from analytics.log.cosignature import WitnessKey, cosigned_at
from analytics.log.note import Note, parse_note, signature_of
from analytics.log.verifier_key import encoded
from enforcers.errors import SettingsError, SignatureError
from streams.alerts.alert import clean
from streams.alerts.endpoint import AGENT
from streams.http_errors import PATIENCE_S, why

MOST_BYTES = 16_384
"""Of an answer."""
OLDEST_S = 86_400.0
"""A cosignature of a head that was just submitted says when that was."""
MOST_HASHES = 63
SIZE_TYPE = "text/x.tlog.size"
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,18})\n")


@dataclass(frozen=True, slots=True)
class Witness:
    """Who is asked, and by which key it is believed."""

    name: str
    """What the settings call it."""
    url: str
    """What stands before `/add-checkpoint`."""
    key: WitnessKey
    interval_s: float = 300.0
    ca_file: Path | None = None

    @property
    def shown(self) -> str:
        """Scheme, host and port."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


class Fate(Enum):
    """What became of a submission."""

    COSIGNED = "cosigned"
    ELSEWHERE = "elsewhere"
    """The witness stands at another size than was said."""
    FORKED = "forked"
    """The checkpoint does not continue what the witness has seen."""
    REFUSED = "refused"
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a witness said."""

    fate: Fate
    said: str = ""
    note: Note | None = None
    """The checkpoint with one cosignature, which holds."""
    at: int = 0
    size: int = 0
    """Where the witness stands."""


def certificates(witness: Witness) -> ssl.SSLContext:
    """Whose certificates are believed. Raises SettingsError."""
    try:
        return ssl.create_default_context(cafile=witness.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"`{witness.ca_file}` holds no certificates: {error.strerror or 'unreadable'};"
            f" correct `ca_file` of [witnesses.{witness.name}]"
        ) from error


def client(witness: Witness) -> aiohttp.ClientSession:
    """A session for one witness; close it. Raises SettingsError."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=certificates(witness), limit=1),
        timeout=aiohttp.ClientTimeout(total=PATIENCE_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": AGENT, "Accept-Encoding": "identity"},
        auto_decompress=False,
        trust_env=False,
    )


def request_of(text: str, old: int, proof: Sequence[bytes]) -> bytes:
    """What is posted."""
    hashes = "".join(f"{encoded(one)}\n" for one in proof)
    return f"old {old}\n{hashes}\n{text}".encode()


async def _ask(
    session: aiohttp.ClientSession, witness: Witness, body: bytes
) -> tuple[int, str, bytes]:
    """Status, type and beginning of the answer. Raises aiohttp.ClientError, TimeoutError, OSError."""
    url = f"{witness.url.rstrip('/')}/add-checkpoint"
    async with session.post(url, data=body, allow_redirects=False) as answer:
        return answer.status, answer.content_type, await read_bounded(answer, MOST_BYTES)


async def read_bounded(answer: aiohttp.ClientResponse, most: int) -> bytes:
    """A body; of one that is too large, more than `most` bytes and not the rest."""
    said = b""
    while len(said) <= most and (more := await answer.content.read(most)):
        said += more
    return said


async def submit(
    session: aiohttp.ClientSession,
    witness: Witness,
    text: str,
    old: int,
    proof: Sequence[bytes],
    now: float,
) -> Answer:
    """Ask for a cosignature of the checkpoint in a note, and believe nothing of the answer but what is signed."""
    try:
        status, kind, said = await _ask(session, witness, request_of(text, old, proof))
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        return Answer(Fate.AWAY, why(error, PATIENCE_S))
    if len(said) > MOST_BYTES:
        return Answer(Fate.REFUSED, f"it answered {status} with more than {MOST_BYTES} bytes")
    if status == 200:
        return _cosigned(witness.key, text, said, now)
    if status == 409 and kind == SIZE_TYPE and (size := _SIZE.fullmatch(said)):
        return Answer(Fate.ELSEWHERE, f"it stands at size {int(size[1])}", size=int(size[1]))
    if status == 422:
        return Answer(Fate.FORKED, "the proof does not lead from what it cosigned to this")
    meaning = _MEANINGS.get(status, "")
    fate = Fate.REFUSED if meaning or status in (400, 405, 409, 413) else Fate.AWAY
    return Answer(fate, f"it answered {status}{meaning} {_words(said)}".rstrip())


_MEANINGS = {
    403: ": it does not know the archiver's key, which its operator has to add",
    404: ": it does not know this log, which its operator has to add",
}


def _cosigned(key: WitnessKey, text: str, said: bytes, now: float) -> Answer:
    """The signature lines of this witness; those of other keys are passed over."""
    note = parse_note(text)
    try:
        lines = said.decode().removesuffix("\n").split("\n")
        found = [signature_of(line) for line in lines]
    except (SignatureError, UnicodeDecodeError):
        return Answer(Fate.REFUSED, "its answer holds something else than signature lines")
    origin = note.text.partition("\n")[0]
    signed = tuple(one for one in note.signatures if one[0] == origin)
    for name, value in found:
        # One at a time: what is kept holds one of its lines, and none that does not hold.
        cosigned = Note(note.text, (*signed, (name, value)))
        at = cosigned_at(cosigned, key, now) or 0
        if now - at < OLDEST_S:
            return Answer(Fate.COSIGNED, note=cosigned, at=at)
    return Answer(Fate.REFUSED, f"its answer is not cosigned by `{key.name}`, or not now")


def _words(said: bytes) -> str:
    text = clean(said.decode("utf-8", "replace").partition("\n")[0], 120)
    return f"(`{text}`)" if text else ""
