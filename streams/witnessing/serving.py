"""
A small witness: remembers the newest checkpoint of each log that it knows, and cosigns what continues it.

    POST add-checkpoint ──▶ known? signed? from where it stands? proved? ──▶ STATE/….note ──▶ cosignature

For trials, and for a colleague who keeps an eye on yours: whoever runs it beside the archiver proves nothing.
INVARIANT: what is cosigned is on the disk first, and nothing that does not continue it is cosigned ever after.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from analytics.archive.segments import write_text
from analytics.log.checkpoint import Checkpoint, parse_checkpoint
from analytics.log.cosignature import Cosigner
from analytics.log.note import Note, NoteKey, parse_note
from analytics.log.proofs import extends
from analytics.log.tree import EMPTY_ROOT
from analytics.log.verifier_key import decoded, encoded
from enforcers.contract.keys import create_key, load_key
from enforcers.errors import SettingsError, SignatureError, SluicegateError
from streams.witnessing.client import MOST_HASHES, SIZE_TYPE

MOST_BYTES = 65_536
"""Of a request."""
KEY_NAME = "key"
_NONE = Checkpoint("", 0, EMPTY_ROOT)


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered."""

    status: int
    text: str
    kind: str = "text/plain"


@dataclass(frozen=True, slots=True)
class LocalWitness:
    """One witness with its state. Not thread-safe, and one process for a directory."""

    directory: Path
    cosigner: Cosigner
    logs: tuple[NoteKey, ...]
    """Keys of logs; the name of a key is the log's origin."""

    def add(self, body: bytes, now: int) -> Reply:
        """Answer a submission; the order of questions is the specification's."""
        try:
            old, proof, note = _parsed(body)
            new = parse_checkpoint(note.text)
        except (SignatureError, ValueError, UnicodeDecodeError):
            return Reply(400, "it is no submission\n")
        keys = [key for key in self.logs if key.name == new.origin]
        if not keys:
            return Reply(404, "this log is not known here\n")
        if not any(note.signed_by(key) for key in keys):
            return Reply(403, "no key that is known here signed it\n")
        if old > new.size:
            return Reply(400, "the old size is larger than the checkpoint\n")
        return self._continued(old, proof, note, new, now)

    def _continued(
        self, old: int, proof: Sequence[bytes], note: Note, new: Checkpoint, now: int
    ) -> Reply:
        known = self._known(new.origin)
        if old != known.size or (old == new.size and new.root != known.root):
            return Reply(409, f"{known.size}\n", SIZE_TYPE)
        first = known.size == 0 and not proof
        if not first and not extends(known.size, known.root, new.size, new.root, proof):
            return Reply(422, "the proof does not lead from the old checkpoint to this one\n")
        name, value = self.cosigner.cosign(note.text, now)
        write_text(self._path(new.origin), str(note))
        return Reply(200, f"— {name} {encoded(value)}\n")

    def _known(self, origin: str) -> Checkpoint:
        try:
            return parse_checkpoint(parse_note(self._path(origin).read_text("utf-8")).text)
        except FileNotFoundError:
            return _NONE

    def _path(self, origin: str) -> Path:
        return self.directory / f"{hashlib.sha256(origin.encode()).hexdigest()[:32]}.note"


def _parsed(body: bytes) -> tuple[int, list[bytes], Note]:
    head, gap, note = body.decode().partition("\n\n")
    first, *hashes = head.split("\n")
    word, _, size = first.partition(" ")
    proof = [decoded(one) for one in hashes]
    plain = size.isascii() and size.isdigit() and size == str(int(size))
    if not gap or word != "old" or not plain or len(hashes) > MOST_HASHES:
        raise ValueError("it is no submission")
    if any(len(one) != 32 for one in proof):
        raise ValueError("a hash has 32 bytes")
    return int(size), proof, parse_note(note)


def application(witness: LocalWitness) -> web.Application:
    """The witness as a web application; one request is answered after the other."""

    async def add(request: web.Request) -> web.Response:
        body = await request.read()
        # Nothing is awaited between looking at the state and writing it.
        reply = witness.add(body, int(time.time()))
        return web.Response(status=reply.status, text=reply.text, content_type=reply.kind)

    app = web.Application(client_max_size=MOST_BYTES)
    app.router.add_post("/add-checkpoint", add)
    return app


def cosigner_of(directory: Path, name: str) -> Cosigner:
    """The witness's key, which is made where there is none. Raises TrustError."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = directory / KEY_NAME
    return Cosigner(name, (load_key(path) if path.exists() else create_key(path)).key)


def held(directory: Path) -> int:
    """
    Hold the directory for as long as the process lives: two that remember apart would cosign two histories.

    Raises SettingsError where another one holds it.
    """
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise SettingsError(
            f"`{directory}` is another witness's, which runs; stop it, or choose another directory"
        ) from error
    return descriptor


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m streams.witnessing.serving")
    parser.add_argument("--state", required=True, type=Path, help="directory of its key and state")
    parser.add_argument("--name", required=True, help="name of its key, such as witness.example/1")
    parser.add_argument("--log", action="append", required=True, help="key of a log (repeatable)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=7711)
    chosen = parser.parse_args(arguments)
    try:
        logs = tuple(NoteKey.parse(text) for text in chosen.log)
        witness = LocalWitness(chosen.state, cosigner_of(chosen.state, chosen.name), logs)
        held(chosen.state)
        print(witness.cosigner.public, flush=True)
    except (SluicegateError, OSError) as error:
        parser.exit(1, f"witness: {error}\n")
    web.run_app(application(witness), host=chosen.host, port=chosen.port, print=None)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
