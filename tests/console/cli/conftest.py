"""What commands of several tests, or several of one test, need not do anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from functools import cache
from pathlib import Path

import duckdb
import pytest

from console.archive import open_archive
from console.settings import Settings
from enforcers.policy.loading import load_policy


@pytest.fixture
def one_session(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """
    Commands of this test that read an archive do so over one session: to open it takes longer than to ask.

    For tests that ask much of an archive that nobody changes meanwhile.
    """
    with ExitStack() as sessions:
        known: dict[Path, duckdb.DuckDBPyConnection] = {}

        def opened(settings: Settings) -> nullcontext[duckdb.DuckDBPyConnection]:
            if settings.archive not in known:
                known[settings.archive] = sessions.enter_context(open_archive(settings))
            return nullcontext(known[settings.archive])

        monkeypatch.setattr("console.cli.audit.asking.open_archive", opened)
        yield


@pytest.fixture(scope="module")
def shipped_policy_read_once() -> Iterator[None]:
    """
    `doctor`, `judge` and `eval` of a module's tests load a policy of one path once.

    For tests of what they say, not of the policy; one that writes a policy writes it where no other does.
    """
    with pytest.MonkeyPatch.context() as patch:
        known = cache(load_policy)
        for module in ("console.checks", "console.batch"):
            patch.setattr(f"{module}.load_policy", known)
        yield
