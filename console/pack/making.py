"""
Makes a pack: a directory, whole or not at all, and a zip file of it where one is wanted.

    Gathered ──▶ OUT.partial/ index.html, the CSV files, everything.json, proof/ ──rename──▶ OUT/

INVARIANT: every name in it is ours; nothing that an archive holds becomes a path.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zipfile
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analytics.audit.log_copy import log_copy
from analytics.audit.population import listed
from analytics.log.checkpoint import parse_checkpoint
from analytics.log.note import NoteKey, parse_note
from analytics.verify.anchors import Keys
from analytics.verify.bundle import Wanted, export
from analytics.verify.origins import read_note
from console.auditing.bodies import action_body, exceptions_body, population_body
from console.auditing.csvs import EXCEPTIONS, POPULATION, csv_lines, exception_rows
from console.files import is_there, shown
from console.json_values import json_value
from console.pack.access import ENROLMENTS, GRANTS
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
    _write(out / "enrolments.csv", csv_lines(ENROLMENTS, found.access.enrolments))
    _write(out / "grants.csv", csv_lines(GRANTS, found.access.grants))
    _write(
        out / "everything.json", [json.dumps(body(found, made), default=json_value, indent=1), "\n"]
    )
    _write(out / "index.html", [index_page(found, made)])
    _write(out / "README.txt", [README])
    _prove(connection, found.scope.archive, out / "proof", _wanted(found, trust, whole_log))


def _prove(connection: duckdb.DuckDBPyConnection, archive: Path, out: Path, wanted: Wanted) -> None:
    """The proofs; from memory, and where that lacks something, from the archive's files."""
    why = ""
    for each in (log_copy(connection, wanted.records), connection):
        try:
            export(each, archive, out, wanted)
            return
        except ArchiveError as error:
            why = str(error)
            shutil.rmtree(out, ignore_errors=True)
    # An archive that was never signed has a story all the same, and the page says what is not proved.
    out.mkdir()
    _write(out / "README.txt", [NO_PROOF.format(why=why)])


def _wanted(found: Gathered, trust: Trust | None, whole_log: bool) -> Wanted:
    proven = (one.evidence for one in found.behind if one.valid)
    places = {(one.topic, one.partition, one.offset) for one in proven}
    heads = (("start", found.integrity.start), ("end", found.integrity.end))
    return Wanted(
        records=sorted(places),
        all_entries=whole_log,
        held=[(name, head.note) for name, head in heads if head],
        keys=_keys(found.scope.archive, trust),
    )


def _keys(archive: Path, trust: Trust | None) -> list[NoteKey]:
    try:
        return Keys.trusted(trust).named(parse_checkpoint(parse_note(read_note(archive)).text))
    except SignatureError:
        return []


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
            "sample": len(found.sample),
            "sample_asked_for": scope.count,
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
        "records_behind_the_sample": {
            "records": len(found.behind),
            "proved": sum(one.valid for one in found.behind),
        },
        "pipeline": asdict(found.pipeline),
        "integrity": {**asdict(found.integrity), "consistent": found.integrity.consistent},
        "holes": [one.model_dump(mode="json") for one in found.holes],
        "keys": [one.model_dump(mode="json") for one in found.keys],
        "enrolments": list(found.access.enrolments),
        "grants": list(found.access.grants),
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
