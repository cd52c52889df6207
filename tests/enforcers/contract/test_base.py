"""Ids whose text order is creation order."""

from __future__ import annotations

import time

import pytest

from enforcers.contract.base import uuid7


def test_ids_are_uuids_of_version_seven() -> None:
    made = {uuid7() for _ in range(1_000)}
    assert len(made) == 1_000
    assert {one.version for one in made} == {7}
    assert {one.variant for one in made} == {"specified in RFC 4122"}


def test_text_order_is_creation_order(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(range(1_700_000_000_000_000_000, 1_700_000_001_000_000_000, 1_000_000))
    monkeypatch.setattr(time, "time_ns", lambda: next(moments))
    made = [str(uuid7()) for _ in range(1_000)]
    assert made == sorted(made)
