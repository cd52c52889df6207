"""
Around every `audit` command: nothing is shown before it is written down who asked.

    journal: asked ──▶ the command ──▶ journal: answered ──▶ Kafka, where there is one ──▶ journal: told

INVARIANT: a reading that is recorded nowhere, or not where it should be, is said on standard error. No reading fails
and none waits more than a second because of it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import typer
from typer.core import TyperCommand

from console.plain import one_line
from console.reads.journal import Journal, Untold
from console.reads.reading import Reading, reading_of
from console.reads.telling import Teller, has_broker
from console.settings import Settings
from enforcers.errors import SettingsError, SluicegateError

_ROWS = "sluicegate.rows"


def count_rows(context: typer.Context, rows: int) -> None:
    """Say how many rows the answer has, for the record of the reading."""
    context.meta[_ROWS] = rows


class RecordedCommand(TyperCommand):
    """A command that reads the archive, and of which a record is left."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command between its two records."""
        try:
            settings = _settings(ctx)
        except SluicegateError:
            # The command finds the same, before it reads anything.
            return super().invoke(ctx)
        archive = ctx.params.get("archive") or settings.archive
        question = {name: one for name, one in ctx.params.items() if name != "archive"}
        with recorded(settings, reading_of(str(self.name), question, str(archive)), ctx):
            return super().invoke(ctx)


def _settings(ctx: Any) -> Settings:
    from console.cli.context import settings_of

    return settings_of(ctx)


@contextlib.contextmanager
def recorded(settings: Settings, one: Reading, ctx: Any) -> Iterator[None]:
    """Write down what is asked, and afterwards how it ended."""
    record = _Record(settings, one)
    record.begin()
    result = "answered"
    try:
        yield
    except typer.Exit as end:
        result = "answered" if not end.exit_code else f"ended with {end.exit_code}"
        raise
    except BaseException as error:
        result = f"failed with {type(error).__name__}"
        raise
    finally:
        record.end(ctx.meta.get(_ROWS), result)


class _Record:
    """One reading's way into the journal and to Kafka."""

    def __init__(self, settings: Settings, one: Reading) -> None:
        self._reading = one
        self._journal = Journal(settings.home)
        self._teller: Teller | None = None
        self._settings = settings
        self._journaled = True

    def begin(self) -> None:
        """Before anything is read."""
        self._write(self._journal.asked, self._reading)
        with contextlib.suppress(SettingsError):
            if has_broker(self._settings):
                self._teller = Teller(self._settings)
        if self._teller is not None and not self._journaled:
            # Nothing else would know of a reader who is killed while he reads.
            self._tell([Untold(self._reading, None, "asked")])
            self._teller = Teller(self._settings)
        if self._teller is None and not self._journaled:
            _note("this reading is recorded nowhere: neither the journal nor kafka takes it")

    def end(self, rows: int | None, result: str) -> None:
        """After the answer was shown."""
        name = self._reading.id
        if self._journaled:
            self._write(self._journal.answered, name, rows, result)
        if self._teller is not None:
            mine = Untold(self._reading, rows, result)
            every = self._journal.untold() if self._journaled else ()
            self._tell([mine, *(one for one in every if one.reading.id != name)])

    def _tell(self, readings: list[Untold]) -> None:
        assert self._teller is not None
        places, why = self._teller.tell(readings)
        for name, place in places.items():
            if self._journaled:
                self._write(self._journal.told, name, place)
        if self._reading.id not in places:
            kept = f"only in {self._journal.path}" if self._journaled else "nowhere"
            _note(f"this reading is recorded {kept}, not in kafka: {why or 'it did not answer'}")

    def _write(self, line: Callable[..., None], *values: Any) -> None:
        try:
            line(*values)
        except SettingsError as error:
            self._journaled = False
            _note(f"this reading is not in the journal: {error}")


def _note(text: str) -> None:
    typer.echo(f"note: {one_line(text)}", err=True)
