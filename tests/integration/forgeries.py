"""Verdicts with one flaw each, and what the gate says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from enforcers.contract.base import MAX_BYTES, utc_now, uuid7
from enforcers.contract.digest import action_digest, sha256_hex
from enforcers.contract.outcome import Outcome, Status
from enforcers.contract.record import Draft, SignedRecord, seal
from enforcers.contract.signing import leaf_of
from enforcers.contract.verdict import Decision, Rewrite, Verdict
from enforcers.contract.wire import TYPES, encode
from tests.integration.played_judge import Heard, signed, signed_value, verdict_on
from tests.integration.scene import PATIENT_MS, Scene

OTHER = str(uuid7()).encode()
PATIENT = f":{PATIENT_MS}".encode()


def with_header(record: SignedRecord, name: str, value: bytes | None) -> SignedRecord:
    """The record with one header changed, or left out."""
    kept = [(key, value if key == name else old) for key, old in record.headers]
    return replace(record, headers=tuple((key, one) for key, one in kept if one is not None))


Forge = Callable[[Scene, Heard], SignedRecord]


def header(name: str, value: bytes | None) -> Forge:
    return lambda scene, heard: with_header(scene.allow(heard), name, value)


def headers_of(name: str, author: str) -> Forge:
    """The genuine verdict with one header from a copy that somebody else signed."""

    def forge(scene: Scene, heard: Heard) -> SignedRecord:
        value = dict(scene.by(author, heard).headers)[name]
        return with_header(scene.allow(heard), name, value)

    return forge


def doubled(name: str) -> Forge:
    def forge(scene: Scene, heard: Heard) -> SignedRecord:
        record = scene.allow(heard)
        return replace(record, headers=(*record.headers, (name, dict(record.headers)[name])))

    return forge


def null_signature(scene: Scene, heard: Heard) -> SignedRecord:
    record = scene.allow(heard)
    headers = tuple((name, None if name == "sig" else value) for name, value in record.headers)
    return replace(record, headers=headers)  # type: ignore[arg-type]


def bent(name: str, at: int) -> Forge:
    """The genuine verdict with one bit of a header changed."""

    def forge(scene: Scene, heard: Heard) -> SignedRecord:
        record = scene.allow(heard)
        value = bytearray(dict(record.headers)[name])
        value[at] ^= 1
        return with_header(record, name, bytes(value))

    return forge


def sig_of_its_sibling(scene: Scene, heard: Heard) -> SignedRecord:
    """Two verdicts under one signature, each with its own path; the path is swapped."""
    allow = verdict_on(heard, scene.judge.id)
    deny = verdict_on(heard, scene.judge.id, decision=Decision.DENY)
    drafts = [Draft(one, encode(one)) for one in (allow, deny)]
    first, second = seal(drafts, scene.judge.signer, scene.judge.id)
    return with_header(first, "sig", dict(second.headers)["sig"])


def author(name: str, **changes: object) -> Forge:
    return lambda scene, heard: scene.by(name, heard, **changes)


def executor_as_judge(scene: Scene, heard: Heard) -> SignedRecord:
    return with_header(scene.by("executor", heard), "kid", scene.judge.signer.kid.encode())


def of_zone(zone: str) -> Forge:
    """What the judge says of the same action in another zone, where the same keys are trusted."""

    def forge(scene: Scene, heard: Heard) -> SignedRecord:
        verdict = verdict_on(heard, scene.judge.id)
        return signed(verdict, replace(scene.judge.signer, zone=zone))

    return forge


def says(**changes: object) -> Forge:
    """Signed by the judge, as a judge with a bug would."""
    return lambda scene, heard: scene.allow(heard, **changes)


def over_by_a_millisecond(scene: Scene, heard: Heard) -> SignedRecord:
    return scene.allow(heard, valid_for_ms=heard.action.valid_for_ms + 1)


def about_another(scene: Scene, heard: Heard) -> SignedRecord:
    """A verdict on another action with the same bytes otherwise, and our action's id as the subject."""
    record = scene.allow(heard, action_id=UUID(OTHER.decode()))
    return with_header(record, "ce_subject", str(heard.action.id).encode())


REWRITE = Rewrite(text="SELECT 1 LIMIT 10", digest=sha256_hex(b"SELECT 1 LIMIT 10"))
LONGER = b"SELECT 1 LIMIT 99"


def changed(*swaps: tuple[bytes, bytes]) -> Forge:
    """A genuine verdict with a rewrite, whose bytes were changed after it was signed."""

    def forge(scene: Scene, heard: Heard) -> SignedRecord:
        record = scene.allow(heard, rewrite=REWRITE)
        value = record.value
        for old, new in swaps:
            assert value.count(old) == 1
            value = value.replace(old, new)
        return replace(record, value=value)

    return forge


def value(made: Callable[[bytes], bytes]) -> Forge:
    """A value that the judge signed, made from the genuine one."""

    def forge(scene: Scene, heard: Heard) -> SignedRecord:
        verdict = verdict_on(heard, scene.judge.id)
        genuine = encode(verdict)
        assert made(genuine) != genuine
        return signed_value(verdict, made(genuine), scene.judge.signer)

    return forge


def tombstone(scene: Scene, heard: Heard) -> SignedRecord:
    record = signed_value(verdict_on(heard, scene.judge.id), b"", scene.judge.signer)
    return replace(record, value=None)  # type: ignore[arg-type]


def outcome_on(heard: Heard) -> Outcome:
    return Outcome(
        id=uuid7(),
        action_id=heard.action.id,
        action_digest=action_digest(heard.record.value),
        executor=heard.action.executor,
        principal=heard.action.proposal.principal.id,
        status=Status.SUCCEEDED,
        finished_at=utc_now(),
    )


def outcome_by(name: str) -> Forge:
    """An outcome as it would stand on its own topic, with a verdict's type in the header."""

    def forge(scene: Scene, heard: Heard) -> SignedRecord:
        record = signed(outcome_on(heard), scene.keys[name], heard.action.executor)
        return with_header(record, "ce_type", TYPES[Verdict].encode())

    return forge


def sig_of_an_outcome(scene: Scene, heard: Heard) -> SignedRecord:
    """The genuine verdict's bytes, signed by the judge as an outcome."""
    record = scene.allow(heard)
    (sig,) = scene.judge.signer.sign([leaf_of(TYPES[Outcome], record.value)])
    return with_header(record, "sig", sig)


UNSIGNED, UNMATCHED = "is not signed", "signature does not match the record"
NO_JUDGE, NO_JSON = "is not trusted as judge", "no JSON that can be read in one way"
REWRITTEN = "rewrite does not match its digest"

REJECTED: dict[str, tuple[Forge, str]] = {
    # Headers that differ from the signed body, and signatures that do not fit it.
    "ce_id of another record": (header("ce_id", OTHER), "`ce_id` differs"),
    "no ce_id": (header("ce_id", None), "`ce_id` differs"),
    "ce_type of an action": (
        header("ce_type", b"io.sluicegate.action.proposed.v1"),
        "`ce_type` differs",
    ),
    "ce_source of another judge": (header("ce_source", b"judge-2"), "`ce_source` differs"),
    "ce_subject of ours on a verdict about another": (about_another, "`ce_subject` differs"),
    "kid of nobody": (header("kid", b"0" * 16), NO_JUDGE),
    "kid that is no text": (header("kid", b"\xff\xfe"), NO_JUDGE),
    "kid of another pinned judge": (headers_of("kid", "judge-2"), UNMATCHED),
    "no kid": (header("kid", None), UNSIGNED),
    "sig with a bit changed": (bent("sig", 20), UNMATCHED),
    "sig of another batch size": (bent("sig", 2), "unknown format"),
    "sig of another format": (bent("sig", 0), "unknown format"),
    "sig that is cut": (header("sig", b"\x01\x00"), "wrong length"),
    "sig of another pinned judge": (headers_of("sig", "judge-2"), UNMATCHED),
    "sig of its sibling": (sig_of_its_sibling, UNMATCHED),
    "no sig": (header("sig", None), UNSIGNED),
    "null sig": (null_signature, UNSIGNED),
    # Somebody else than the judge.
    "signed by the executor": (author("executor"), NO_JUDGE),
    "signed by the executor with the judge's kid": (executor_as_judge, UNMATCHED),
    "signed by the archiver": (author("archiver"), NO_JUDGE),
    "signed by the administrator": (author("administrator"), NO_JUDGE),
    "signed by a judge that is not pinned": (author("stranger"), NO_JUDGE),
    "signed by a judge whose key has expired": (author("old"), "is not valid now"),
    "signed by a judge whose key is not valid yet": (author("coming"), "is not valid now"),
    "signed by another judge in this one's name": (author("judge-2"), "but `judge-2` signed it"),
    # The judge signed it, but for another zone, or it is no answer to what was asked.
    "signed for another zone": (of_zone("elsewhere"), UNMATCHED),
    "signed for the zone without a name": (of_zone(""), UNMATCHED),
    "allows longer than was asked": (over_by_a_millisecond, "longer than was asked"),
    "allows for no time": (says(valid_for_ms=0), "longer than was asked"),
    "allows for less time than has gone by": (says(valid_for_ms=1), "came too late"),
    "about other bytes": (says(action_digest="0" * 64), "about other bytes"),
    "for another executor": (says(executor="executor-2"), "is for executor `executor-2`"),
    # A rewrite that is not the one that was judged.
    "rewrite with another's digest, signed": (
        says(rewrite=REWRITE.model_copy(update={"text": LONGER.decode()})),
        REWRITTEN,
    ),
    "rewrite changed after signing": (changed((b"SELECT 1 LIMIT 10", LONGER)), UNMATCHED),
    "rewrite and digest changed after signing": (
        changed(
            (b"SELECT 1 LIMIT 10", LONGER), (REWRITE.digest.encode(), sha256_hex(LONGER).encode())
        ),
        UNMATCHED,
    ),
    # Values that the judge signed and that are no verdict.
    "oversized": (value(lambda body: body[:-1] + b" " * MAX_BYTES + b"}"), "is over the limit"),
    "not UTF-8": (value(lambda body: b"\xff\xfe" + body), NO_JSON),
    "not UTF-8 in a text": (value(lambda body: body.replace(b"judge-1", b"judge-\xff")), NO_JSON),
    "cut off": (value(lambda body: body[:-1]), NO_JSON),
    "empty": (value(lambda _: b""), NO_JSON),
    "null value": (tombstone, NO_JSON),
    "nested too deeply": (value(lambda _: b"[" * 100_000), NO_JSON),
    "a key that stands twice": (value(lambda body: body[:-1] + b',"decision":"allow"}'), NO_JSON),
    "a number that is none": (value(lambda body: body.replace(PATIENT, b":NaN")), NO_JSON),
    "a number as text": (
        value(lambda body: body.replace(PATIENT, b':"4000"')),
        "at `valid_for_ms`",
    ),
    "a field that is unknown": (value(lambda body: body[:-1] + b',"more":1}'), "at `more`"),
    "a list": (value(lambda body: b"[" + body + b"]"), "refused at `record`"),
    # Other records, presented as a verdict.
    "the action itself": (lambda _, heard: heard.record, NO_JUDGE),
    "an outcome": (outcome_by("executor"), NO_JUDGE),
    "an outcome that the judge signed": (outcome_by("judge"), UNMATCHED),
    "a verdict that was signed as an outcome": (sig_of_an_outcome, UNMATCHED),
}
UNADDRESSED: dict[str, tuple[Forge, str]] = {
    **{
        f"{name} twice": (doubled(name), "malformed")
        for name in ("ce_id", "ce_type", "ce_source", "ce_subject", "kid", "sig", "content-type")
    },
    "ce_subject of nobody": (header("ce_subject", OTHER), "not_waiting"),
    "no ce_subject": (header("ce_subject", None), "not_waiting"),
    "ce_subject that is no text": (header("ce_subject", b"\xff\xfe"), "not_waiting"),
}
