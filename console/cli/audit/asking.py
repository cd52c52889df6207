"""What the audit commands share: the period that they look at, where their page goes, and how they open the archive."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console.archive import open_archive
from console.cli.audit.archive_option import trust_of
from console.cli.context import settings_of
from console.settings import Settings
from enforcers.contract.base import utc_now

if TYPE_CHECKING:
    import duckdb

    from analytics.audit.period import Period
    from enforcers.contract.trust import Trust

From = Annotated[
    str, typer.Option("--from", help="2026-01-02, a moment in UTC, or a duration before the end")
]
To = Annotated[str, typer.Option("--to", help="as --from; not included; default: now")]
Page = Annotated[
    Path | None,
    typer.Option("--html", help="also write a page; a file of this name is replaced"),
]
Force = Annotated[bool, typer.Option("--force", help="replace the file of --csv if it is there")]
DEFAULT = timedelta(days=30)
"""How far back a period goes where nobody says."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An open archive, and what the settings say about it."""

    settings: Settings
    connection: duckdb.DuckDBPyConnection
    trust: Trust | None
    now: datetime

    @property
    def prefix(self) -> str:
        """What stands before the names of the zone's topics."""
        return f"{self.settings.zone}." if self.settings.zone else ""


@contextlib.contextmanager
def asked(context: typer.Context, archive: Path | None) -> Iterator[Asked]:
    """The archive that is named, or the configured one. Raises ArchiveError, SettingsError, TrustError."""
    settings = settings_of(context, archive=archive)
    with open_archive(settings) as connection:
        yield Asked(settings, connection, trust_of(settings), utc_now())


def period(since: str, until: str) -> Period:
    """The period of `--from` and `--to`. Raises ContractError."""
    # Imported here, for a command waits for nothing that only another one needs.
    from console.auditing.periods import period_between

    return period_between(since, until, utc_now(), default=DEFAULT)
