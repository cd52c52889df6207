"""
The signed test vectors of docs/protocol.md, in both directions, and once more without our code.

The second half knows only SHA-256, Ed25519 and JSON: it is what a producer in another language does.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from enforcers.admission import Admission, Received
from enforcers.contract.action import Action
from enforcers.contract.digest import proposal_digest
from enforcers.contract.proof import check_proposal
from enforcers.contract.record import check_headers, check_signature
from enforcers.contract.samples import MOMENT
from enforcers.contract.signing import RootMemory
from enforcers.contract.trust import Role, TrustFile, build_trust
from enforcers.contract.vectors import page
from enforcers.contract.wire import TYPES, decode, encode
from enforcers.errors import SignatureError
from streams.routing import actions_partition, reply_partition
from streams.topics import ACTIONS_PARTITIONS, VERDICTS_PARTITIONS

TEXT = (Path(__file__).parents[3] / "docs" / "vectors.json").read_text("utf-8")
VECTORS: dict[str, Any] = json.loads(TEXT)
KEYS = {one["id"]: one for one in VECTORS["keys"]}
MODELS = {name: model for model, name in TYPES.items()}
TRUST = TrustFile.model_validate_json(json.dumps(VECTORS["trust"]))
RECORDS = [
    pytest.param(batch, index, record, id=f"{number}.{index}")
    for number, batch in enumerate(VECTORS["batches"])
    for index, record in enumerate(batch["records"])
]


def headers_of(record: dict[str, Any]) -> dict[str, bytes]:
    written = {name: value.encode() for name, value in record["headers"].items()}
    return {**written, "sig": bytes.fromhex(record["sig"])}


# --- with our code ---------------------------------------------------------------------------------------


def test_the_vectors_are_what_we_would_sign() -> None:
    assert page() == TEXT, "run `make docs`"


@pytest.mark.parametrize(("batch", "index", "record"), RECORDS)
def test_we_accept_every_vector(batch: dict[str, Any], index: int, record: dict[str, Any]) -> None:
    kind = MODELS[record["type"]]
    value = record["value"].encode()
    role = Role(KEYS[batch["signed_by"]]["role"])
    memory = RootMemory()
    trust, elsewhere = (build_trust(TRUST, one) for one in (batch["zone"], "elsewhere"))
    key = check_signature(kind, value, headers_of(record), trust, role, MOMENT, memory)
    with pytest.raises(SignatureError, match="for zone `elsewhere`"):
        check_signature(kind, value, headers_of(record), elsewhere, role, MOMENT, memory)
    model = decode(kind, value)
    check_headers(model, headers_of(record), key.id)  # type: ignore[arg-type]
    assert encode(model) == value


@pytest.mark.parametrize("zone", ["pay", ""])
def test_there_are_vectors_with_a_zone_and_without(zone: str) -> None:
    assert zone in {one["zone"] for one in VECTORS["batches"]}
    assert zone in {one["zone"] for one in VECTORS["principal_signatures"]}


@pytest.mark.parametrize(
    "record", VECTORS["batches"][1]["records"], ids=lambda one: one["headers"]["ce_id"]
)
def test_a_judge_admits_every_action(record: dict[str, Any]) -> None:
    trust = build_trust(TRUST, VECTORS["batches"][1]["zone"])
    key = json.loads(record["value"])["proposal"]["principal"]["id"].encode()
    at_ms = int(MOMENT.timestamp() * 1_000)
    headers = tuple(headers_of(record).items())
    received = Received(record["value"].encode(), headers, key, actions_partition(key), 0, at_ms)
    assert isinstance(Admission(trust, actions_partition).check(received, at_ms), Action)


def test_every_type_has_a_vector() -> None:
    signed = {one["type"] for batch in VECTORS["batches"] for one in batch["records"]}
    assert signed == set(TYPES.values())


@pytest.mark.parametrize(
    "one", VECTORS["principal_signatures"], ids=lambda one: one["signature"][:8]
)
def test_we_accept_what_a_principal_signed(one: dict[str, Any]) -> None:
    action = decode(Action, one["value"].encode())
    check_proposal(action, (one["public_key"],), one["zone"])
    with pytest.raises(SignatureError, match="for zone `elsewhere`"):
        check_proposal(action, (one["public_key"],), "elsewhere")


def test_we_route_as_the_vectors_say() -> None:
    actions, replies = VECTORS["actions_partitions"], VECTORS["reply_partitions"]
    assert (actions["count"], replies["count"]) == (ACTIONS_PARTITIONS, VERDICTS_PARTITIONS)
    assert {one: actions_partition(one.encode()) for one in actions["by_principal"]} == actions[
        "by_principal"
    ]
    assert {one: reply_partition(one) for one in replies["by_executor"]} == replies["by_executor"]


@pytest.mark.parametrize("one", VECTORS["proposal_digests"], ids=lambda one: one["digest"][:8])
def test_we_digest_proposals_as_the_vectors_say(one: dict[str, Any]) -> None:
    assert proposal_digest(decode(Action, one["value"].encode()), one["intent"]) == one["digest"]


# --- without our code ------------------------------------------------------------------------------------


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def independent_root(leaf: bytes, index: int, size: int, path: bytes) -> bytes:
    """Walk up the tree; a node without a right neighbour moves up unchanged."""
    steps = [path[at : at + 32] for at in range(0, len(path), 32)]
    while size > 1:
        if index % 2:
            leaf = sha256(b"\x01", steps.pop(0), leaf)
        elif index + 1 < size:
            leaf = sha256(b"\x01", leaf, steps.pop(0))
        index, size = index // 2, (size + 1) // 2
    assert steps == []
    return leaf


def independent_message(zone: str, size: bytes, root: bytes) -> bytes:
    return b"sluicegate batch root v2\x00" + zone.encode("ascii") + b"\x00" + size + root


def independently_signed(
    value: bytes, event_type: str, sig: bytes, public_key: str, zone: str
) -> bool:
    assert sig[0] == 1
    index, size = int.from_bytes(sig[1:3], "big"), int.from_bytes(sig[3:5], "big")
    leaf = sha256(b"\x00", event_type.encode(), b"\n", value)
    root = independent_root(leaf, index, size, sig[69:])
    message = independent_message(zone, sig[3:5], root)
    try:
        VerifyKey(bytes.fromhex(public_key)).verify(message, sig[5:69])
    except BadSignatureError:
        return False
    return True


def independent_murmur2(key: bytes) -> int:
    mask, multiplier = 0xFFFFFFFF, 0x5BD1E995
    mixed = 0x9747B28C ^ len(key)
    whole = len(key) // 4 * 4
    for at in range(0, whole, 4):
        word = int.from_bytes(key[at : at + 4], "little") * multiplier & mask
        word = (word ^ word >> 24) * multiplier & mask
        mixed = (mixed * multiplier & mask) ^ word
    if len(key) > whole:
        mixed = (mixed ^ int.from_bytes(key[whole:], "little")) * multiplier & mask
    mixed = (mixed ^ mixed >> 13) * multiplier & mask
    return mixed ^ mixed >> 15


@pytest.mark.parametrize(("batch", "index", "record"), RECORDS)
def test_another_implementation_accepts_every_vector(
    batch: dict[str, Any], index: int, record: dict[str, Any]
) -> None:
    key = KEYS[batch["signed_by"]]
    value, sig = record["value"].encode(), bytes.fromhex(record["sig"])
    assert (
        record["headers"]["kid"]
        == key["kid"]
        == sha256(bytes.fromhex(key["public_key"])).hex()[:16]
    )
    assert record["sha256"] == sha256(value).hex()
    assert record["leaf"] == sha256(b"\x00", record["type"].encode(), b"\n", value).hex()
    assert (int.from_bytes(sig[1:3], "big"), int.from_bytes(sig[3:5], "big")) == (
        index,
        len(batch["records"]),
    )
    public_key, zone = key["public_key"], batch["zone"]
    assert independently_signed(value, record["type"], sig, public_key, zone)
    assert not independently_signed(value + b" ", record["type"], sig, public_key, zone)
    assert not independently_signed(value, record["type"] + "x", sig, public_key, zone)
    assert not independently_signed(value, record["type"], sig, public_key, zone + "x")


@pytest.mark.parametrize("batch", VECTORS["batches"], ids=lambda one: one["root"][:8])
def test_another_implementation_makes_the_same_signature(batch: dict[str, Any]) -> None:
    seed = SigningKey(bytes.fromhex(KEYS[batch["signed_by"]]["seed"]))
    size = len(batch["records"]).to_bytes(2, "big")
    message = independent_message(batch["zone"], size, bytes.fromhex(batch["root"]))
    assert message.hex() == batch["message"]
    assert seed.sign(message).signature.hex() == batch["signature"]


@pytest.mark.parametrize("tree", VECTORS["merkle"], ids=lambda one: str(len(one["data"])))
def test_another_implementation_finds_the_same_roots(tree: dict[str, Any]) -> None:
    size = len(tree["data"])
    roots = {
        independent_root(
            sha256(b"\x00", bytes.fromhex(data)), index, size, bytes.fromhex("".join(path))
        ).hex()
        for index, (data, path) in enumerate(zip(tree["data"], tree["paths"], strict=True))
    }
    assert roots == {tree["root"]}


def test_another_implementation_routes_alike() -> None:
    actions, replies = VECTORS["actions_partitions"], VECTORS["reply_partitions"]
    for principal, partition in actions["by_principal"].items():
        assert (independent_murmur2(principal.encode()) & 0x7FFFFFFF) % actions[
            "count"
        ] == partition
    for executor, partition in replies["by_executor"].items():
        assert int.from_bytes(sha256(executor.encode())[:8], "big") % replies["count"] == partition


@pytest.mark.parametrize(
    "one", VECTORS["principal_signatures"][:5], ids=lambda one: one["signature"][:8]
)
def test_another_implementation_accepts_what_a_principal_signed(one: dict[str, Any]) -> None:
    body = json.loads(one["value"])
    signed = body["signed"]
    names = ("executor", "proposal")
    subject = {"at": signed["at"], **{name: body[name] for name in names}, "zone": one["zone"]}
    # Sorted keys without spaces are RFC 8785 where all keys are ASCII and no number is a fraction.
    canonical = json.dumps(subject, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    message = b"sluicegate proposal v2\x00" + canonical.encode()
    assert message.hex() == one["message"]
    assert signed["kid"] == sha256(bytes.fromhex(one["public_key"])).hex()[:16]
    VerifyKey(bytes.fromhex(one["public_key"])).verify(message, bytes.fromhex(signed["signature"]))
    assert (
        SigningKey(bytes.fromhex(one["seed"])).sign(message).signature.hex() == signed["signature"]
    )


def test_another_implementation_finds_the_same_proposal_digest() -> None:
    one = VECTORS["proposal_digests"][0]
    body = json.loads(one["value"])
    principal = body["proposal"]["principal"]
    subject = {
        "principal": principal["id"],
        "on_behalf_of": principal["on_behalf_of"],
        "executor": body["executor"],
        "target": body["proposal"]["target"],
        "payload": body["proposal"]["payload"],
        "intent": one["intent"],
    }
    canonical = json.dumps(subject, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert sha256(canonical.encode()).hex() == one["digest"]
