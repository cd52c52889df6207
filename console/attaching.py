"""
How a plain DuckDB attaches an archive: lines to copy, with the path quoted as each program reads it.

    path ──▶ shell, command line of DuckDB, Python, SQL, settings of Grafana's plug-in
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from analytics.archive.schema import quoted
from enforcers.errors import ArchiveError

SETTINGS = ("SET TimeZone = 'UTC';", "SET parquet_metadata_cache = true;")
"""Times as they are told everywhere else; indexes of files read once, not for each query."""
PLUG_IN = "motherduck-duckdb-datasource"


@dataclass(frozen=True, slots=True)
class Attaching:
    """What to type where."""

    shell: tuple[str, ...]
    command_line: tuple[str, ...]
    """Inside a session of DuckDB's command line; also to follow a merge."""
    python: tuple[str, ...]
    sql: tuple[str, ...]
    """For any other program that speaks to a DuckDB."""
    grafana: tuple[tuple[str, str], ...]
    """Fields of the data source, and what belongs into them."""


def attaching(directory: Path) -> Attaching:
    """The lines for one archive. Raises ArchiveError where its path cannot be copied."""
    views, database = str(directory / "views.sql"), str(directory / "views.duckdb")
    if not views.isprintable():
        raise ArchiveError(
            "archive's path has characters that no terminal shows; rename its directory"
        )
    return Attaching(
        shell=(f"duckdb -init {shlex.quote(views)}",),
        command_line=(f".read {_dotted(views)}",),
        python=(
            "import duckdb",
            "con = duckdb.connect()",
            f"con.execute({SETTINGS[0]!r})",
            f"con.execute(open({views!r}, encoding='utf-8').read()).fetchall()",
            "con.execute('SELECT * FROM timeline ORDER BY seq DESC LIMIT 10').fetchall()",
        ),
        sql=(
            *SETTINGS,
            f"ATTACH {quoted(database)} AS archive (READ_ONLY);",
            "USE archive;",
        ),
        grafana=(
            ("plug-in", PLUG_IN),
            ("Path", database),
            ("Read only", "on"),
            ("Init SQL", " ".join(SETTINGS)),
        ),
    )


def _dotted(path: str) -> str:
    """A word of a dot command. Only in double quotes can one be escaped."""
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'
