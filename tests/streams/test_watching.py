"""The archiver's eyes: findings leave signed, and a look that ends is begun again."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import cast

import pytest
from nacl.signing import SigningKey

from enforcers.contract.base import utc_now
from enforcers.contract.finding import Finding
from enforcers.contract.record import check_signature
from enforcers.contract.signing import RootMemory, Signer
from enforcers.contract.trust import Role, TrustedKey, TrustFile, build_trust
from enforcers.contract.wire import header_map
from streams import watching
from streams.announcing import Announcement, Announcer
from streams.watching import Watcher
from tests.analytics.anomalies.plays import spike_loud
from tests.analytics.anomalies.world import World

SIGNER = Signer(SigningKey.generate())


class Heard:
    """An announcer that keeps what it is told."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[Announcement] = asyncio.Queue()

    def tell(self, one: Announcement) -> bool:
        self.told.put_nowait(one)
        return True


def watcher(directory: Path, heard: Heard) -> Watcher:
    return Watcher(directory, SIGNER, "archiver-1", cast(Announcer, heard), every_s=0.2)


async def test_a_finding_leaves_signed_and_once(tmp_path: Path) -> None:
    world = World()
    spike_loud(world, "loud")
    heard = Heard()
    async with watching.watching(watcher(world.archive(tmp_path), heard)):
        async with asyncio.timeout(60):
            one = await heard.told.get()
    finding = Finding.model_validate_json(one.value)
    key = TrustedKey(
        id="archiver-1", role=Role.ARCHIVER, public_key=bytes(SIGNER.key.verify_key).hex()
    )
    headers = header_map(one.headers)
    trust = build_trust(TrustFile(keys=(key,)))
    check_signature(Finding, one.value, headers, trust, Role.ARCHIVER, utc_now(), RootMemory())
    assert (one.topic, one.key) == ("findings", b"loud")
    assert (finding.code, finding.about, finding.source) == ("denial_spike", "loud", "archiver-1")
    assert heard.told.empty()


async def test_a_look_that_ends_is_begun_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is killed for nothing: an archive that is not there, then an interpreter that is not."""
    monkeypatch.setattr(watching, "RESTART_S", 0.01)
    monkeypatch.setattr(watching.sys, "executable", str(tmp_path / "nothing"))
    task = asyncio.create_task(watcher(tmp_path, Heard()).run())
    await asyncio.sleep(0.1)
    assert not task.done()
    task.cancel()


@pytest.mark.parametrize("line", [b"no json\n", b"{}\n", json.dumps({"id": 1}).encode(), b"\n"])
def test_what_is_no_finding_is_not_sent(line: bytes, tmp_path: Path) -> None:
    heard = Heard()
    watcher(tmp_path, heard)._tell(line)
    assert heard.told.empty()
