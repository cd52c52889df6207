"""
Makes a pack: a directory, whole or not at all, and a zip file of it where one is wanted.

    Gathered ──▶ OUT.partial/ index.html, population.csv, exceptions.csv, everything.json, proof/ ──rename──▶ OUT/

INVARIANT: every name in it is ours; nothing that an archive holds becomes a path.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analytics.audit.population import listed
from analytics.audit.proven import keys_of
from analytics.log.checkpoint import parse_checkpoint
from analytics.log.note import NoteKey, parse_note
from analytics.verify.bundle import Wanted, export
from analytics.verify.origins import read_note
from console.auditing.bodies import action_body, exceptions_body, population_body
from console.auditing.csvs import EXCEPTIONS, POPULATION, csv_lines, exception_rows
from console.files import is_there, shown
from console.pack.gathering import Gathered
from console.pack.page import index_page
from console.pack.readme import NO_PROOF, README
from enforcers.contract.trust import Trust
from enforcers.errors import ArchiveError, SettingsError, SignatureError

if TYPE_CHECKING:
    import duckdb

_MADE_AT = (1980, 1, 1, 0, 0, 0)
"""Of every file in a zip, so that equal packs are equal bytes."""


def make_pack(
    connection: duckdb.DuckDBPyConnection,
    found: Gathered,
    trust: Trust | None,
    out: Path,
    made: datetime,
    *,
    whole_log: bool,
) -> None:
    """Write the pack to a new directory. Raises SettingsError, ArchiveError."""
    if is_there(out):
        raise SettingsError(f"`{shown(out)}` is there already; name a new directory")
    try:
        partial = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name[:100]}-"))
    except OSError as error:
        raise _unwritable(out, error) from error
    try:
        _fill(connection, found, trust, partial, made, whole_log)
        os.rename(partial, out)
    except OSError as error:
        raise _unwritable(out, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _unwritable(out: Path, error: OSError) -> SettingsError:
    return SettingsError(
        f"`{shown(out)}` cannot be written: {error.strerror}; name another directory"
    )


def _fill(
    connection: duckdb.DuckDBPyConnection,
    found: Gathered,
    trust: Trust | None,
    out: Path,
    made: datetime,
    whole_log: bool,
) -> None:
    _write(out / "population.csv", csv_lines(POPULATION, listed(connection)))
    _write(out / "exceptions.csv", csv_lines(EXCEPTIONS, exception_rows(found.exceptions)))
    _write(out / "everything.json", [json.dumps(body(found, made), default=str, indent=1), "\n"])
    _write(out / "index.html", [index_page(found, made)])
    _write(out / "README.txt", [README])
    try:
        export(connection, found.scope.archive, out / "proof", _wanted(found, trust, whole_log))
    except ArchiveError as error:
        # An archive that was never signed has a story all the same, and the page says what is not proved.
        shutil.rmtree(out / "proof", ignore_errors=True)
        (out / "proof").mkdir()
        _write(out / "proof" / "README.txt", [NO_PROOF.format(why=error)])


def _wanted(found: Gathered, trust: Trust | None, whole_log: bool) -> Wanted:
    proven = (one for some in found.proofs.values() for one in some if one.valid)
    places = {(one.evidence.topic, one.evidence.partition, one.evidence.offset) for one in proven}
    heads = (("start", found.integrity.start), ("end", found.integrity.end))
    return Wanted(
        records=sorted(places),
        all_entries=whole_log,
        held=[(name, head.note) for name, head in heads if head],
        keys=list(_keys(found.scope.archive, trust)),
    )


def _keys(archive: Path, trust: Trust | None) -> Iterator[NoteKey]:
    try:
        origin = parse_checkpoint(parse_note(read_note(archive)).text).origin
        yield from (NoteKey(origin, public) for public in keys_of(trust).public)
    except SignatureError:
        return


def _write(path: Path, lines: Any) -> None:
    with path.open("w", encoding="utf-8", newline="", errors="backslashreplace") as file:
        file.writelines(lines)


def body(found: Gathered, made: datetime) -> dict[str, Any]:
    """Everything as JSON."""
    scope = found.scope
    return {
        "made": made,
        "scope": {
            "period": asdict(scope.period),
            "zone": scope.zone,
            "sample": scope.count,
            "seed": scope.seed,
        },
        "population": population_body(found.population),
        "exceptions": exceptions_body(found.exceptions),
        "sample": [
            {
                **action_body(one),
                "proofs": [asdict(proof) for proof in found.proofs[one.evidence.seq]],
            }
            for one in found.sample
        ],
        "pipeline": asdict(found.pipeline),
        "integrity": {**asdict(found.integrity), "consistent": found.integrity.consistent},
        "holes": [one.model_dump(mode="json") for one in found.holes],
        "access": [one.model_dump(mode="json") for one in found.access],
        "readings": [one.model.model_dump(mode="json") for one in found.readings],
    }


def zip_pack(directory: Path) -> Path:
    """A zip file beside the directory, with everything in it. Raises SettingsError."""
    target = directory.with_name(f"{directory.name}.zip")
    try:
        with open(target, "xb", opener=_private) as file, zipfile.ZipFile(file, "w") as packed:
            for path in sorted(one for one in directory.rglob("*") if one.is_file()):
                entry = zipfile.ZipInfo(f"{directory.name}/{path.relative_to(directory)}", _MADE_AT)
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
                packed.writestr(entry, path.read_bytes())
    except OSError as error:
        raise _unwritable(target, error) from error
    return target


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
