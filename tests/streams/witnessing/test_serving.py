"""The small witness asks in the specification's order, and cosigns nothing that does not continue what it saw."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import aiohttp
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from analytics.log.checkpoint import Checkpoint
from analytics.log.cosignature import WitnessKey, cosigned_at
from analytics.log.note import NoteSigner, parse_note
from analytics.log.proofs import consistency
from analytics.log.tree import Frontier, Node, extend
from enforcers.contract.merkle import leaf_hash
from enforcers.errors import SignatureError
from streams.witnessing.client import request_of
from streams.witnessing.serving import LocalWitness, application, cosigner_of, held, main
from tests.analytics.lived import SIGNING
from tests.streams.witnessing.served import COSIGNER, STRANGER, local, served

NOW = 1_790_000_000
LEAVES = [leaf_hash(b"%d" % at) for at in range(40)]


def note(size: int, signer: NoteSigner = SIGNING, leaves: Sequence[bytes] = LEAVES) -> str:
    root = extend(Frontier(), leaves[:size], 8)[0].root
    return str(signer.sign(str(Checkpoint(signer.name, size, root))))


def proof(old: int, new: int, leaves: Sequence[bytes] = LEAVES) -> list[bytes]:
    def hash_of(node: Node) -> bytes:
        height, index = node
        first = index << height
        return extend(Frontier(), leaves[first : first + (1 << height)], 8)[0].root

    return consistency(old, new, hash_of)


def shown(old: int, new: int) -> bytes:
    return request_of(note(new), old, proof(old, new))


@pytest.fixture
def witness(tmp_path: Path) -> LocalWitness:
    """A witness that has seen seven leaves."""
    made = local(tmp_path / "w")
    assert made.add(shown(0, 7), NOW).status == 200
    return made


OTHER = NoteSigner(SIGNING.name, STRANGER.key)
NOBODY = NoteSigner("sluicegate/other/archive", SIGNING.key)
FORKED = [*LEAVES[:3], *LEAVES[4:], LEAVES[3]]
ASKED = {
    "what continues": (shown(7, 9), 200),
    "the same again": (shown(7, 7), 200),
    "an unknown log, whatever the sizes": (request_of(note(3, NOBODY), 9, []), 404),
    "another key, whatever the sizes": (request_of(note(3, OTHER), 9, []), 403),
    "less than before": (request_of(note(5), 7, []), 400),
    "from where it does not stand": (shown(5, 9), 409),
    "from the beginning": (shown(0, 9), 409),
    "another root of the same size": (request_of(note(7, leaves=FORKED), 7, []), 409),
    "another history": (request_of(note(9, leaves=FORKED), 7, proof(7, 9, FORKED)), 422),
    "a proof of other sizes": (request_of(note(9), 7, proof(6, 9)), 422),
    "no proof": (request_of(note(9), 7, []), 422),
    "too long a proof": (request_of(note(9), 7, [*proof(7, 9), bytes(32)]), 422),
    "the same again with a proof": (request_of(note(7), 7, [bytes(32)]), 422),
    "more hashes than anybody needs": (request_of(note(9), 7, [bytes(32)] * 64), 400),
    "a short hash": (request_of(note(9), 7, [bytes(31)]), 400),
    "a leading zero": (shown(7, 9).replace(b"old 7", b"old 07"), 400),
    "a sign": (shown(7, 9).replace(b"old 7", b"old +7"), 400),
    "no size": (shown(7, 9).replace(b"old 7", b"old "), 400),
    "another script's digits": (shown(7, 9).replace(b"old 7", "old ٧".encode()), 400),
    "another word": (shown(7, 9).replace(b"old ", b"new "), 400),
    "no note": (b"old 7\n\nhello\n", 400),
    "a note that is no checkpoint": (b"old 7\n\n" + str(SIGNING.sign("hello\n")).encode(), 400),
    "nothing": (b"", 400),
    "no text": (b"\xff\xff", 400),
}


@pytest.mark.parametrize(("body", "status"), ASKED.values(), ids=ASKED)
def test_each_submission_gets_its_answer(witness: LocalWitness, body: bytes, status: int) -> None:
    reply = witness.add(body, NOW)
    assert reply.status == status
    if status == 200:
        cosigned = parse_note(body.decode().partition("\n\n")[2] + reply.text)
        assert cosigned_at(cosigned, COSIGNER.public, NOW) == NOW
        return
    if status == 409:
        assert (reply.text, reply.kind) == ("7\n", "text/x.tlog.size")
    # It stands where it stood.
    assert witness.add(shown(7, 9), NOW).status == 200


def test_it_remembers_after_a_start(witness: LocalWitness) -> None:
    again = local(witness.directory)
    assert again.add(shown(0, 9), NOW).text == "7\n"
    assert again.add(shown(7, 9), NOW).status == 200


@pytest.mark.parametrize("text", ["", "sluicegate", note(3).partition("\n\n")[0], "\xff"])
def test_it_cosigns_nothing_where_it_cannot_read_what_it_saw(
    witness: LocalWitness, text: str
) -> None:
    [path] = witness.directory.glob("*.note")
    path.write_text(text)
    for body in (shown(0, 9), shown(7, 9), shown(3, 9)):
        with pytest.raises(SignatureError):
            witness.add(body, NOW)
    assert path.read_text() == text


@hypothesis_settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=6), st.integers(0, 39))
def test_it_follows_one_history_only(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], at: int
) -> None:
    one = local(tmp_path_factory.mktemp("w"))
    stands = 0
    for size in sorted(sizes):
        assert one.add(shown(stands, size), NOW).status == 200
        stands = size
    other = [*LEAVES[:at], leaf_hash(b"other"), *LEAVES[at + 1 :]]
    forged = request_of(note(40, leaves=other), stands, proof(stands, 40, other))
    assert (one.add(forged, NOW).status == 200) is (stands <= at)


async def test_it_is_asked_over_http(tmp_path: Path) -> None:
    async with (
        served(application(local(tmp_path / "w"))) as url,
        aiohttp.ClientSession() as session,
    ):
        for path, body, status in (
            ("/add-checkpoint", shown(0, 7), 200),
            ("/add-checkpoint", shown(0, 9), 409),
            ("/add-checkpoint", b"x" * 100_000, 413),
            ("/", b"", 404),
        ):
            async with session.post(f"{url}{path}", data=body) as answer:
                assert answer.status == status
        async with session.get(f"{url}/add-checkpoint") as answer:
            assert answer.status == 405


async def test_it_can_be_started_by_hand_and_only_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--state", str(tmp_path / "w"), "--name", "w.example/1", "--port", "0")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "streams.witnessing.serving", *words),
        *("--log", str(SIGNING.public)),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        key = WitnessKey.parse((await process.stdout.readline()).decode())
        with pytest.raises(SystemExit):
            main([*words, "--log", str(SIGNING.public)])
        assert "is another witness's, which runs; stop it" in capsys.readouterr().err
    finally:
        process.terminate()
        await process.wait()
    kept = tmp_path / "w" / "key"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert cosigner_of(tmp_path / "w", "w.example/1").public == key
    # The next one is let in.
    os.close(held(tmp_path / "w"))
