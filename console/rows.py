"""
JSON lines, one case a line, read so that one bad line costs only itself.

INVARIANT: no line is read into memory beyond `MAX_LINE` bytes, whoever sends it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, NoReturn

from pydantic import BaseModel, ConfigDict, StrictInt, StrictStr, ValidationError

from console.circumstances import Changes
from console.settings import in_lower_case

MAX_LINE = 2 * 1024 * 1024
"""Room for the longest text that a gate sends, with every character escaped."""

_SHOWN = 40

RowId = StrictStr | StrictInt | None

LABELS = ("block", "allow", "unknown")
"""What `eval` holds an answer against; `unknown` where nobody writes one. Verdicts do not depend on it."""


class Row(BaseModel):
    """One case. Keys that are for other readers are left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: RowId = None
    kind: StrictStr
    text: StrictStr
    dialect: StrictStr | None = None
    context: Changes | None = None
    label: StrictStr = "unknown"
    category: StrictStr = ""
    corpus: StrictStr = ""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that is no case."""

    id: str | int | None
    code: str
    message: str


def read_rows(stream: BinaryIO) -> Iterator[Row | BadRow]:
    """Every line that is not blank, in order, as soon as it is there."""
    for line in _lines(stream):
        if line is None:
            yield BadRow(None, "line_too_long", f"line has more than {MAX_LINE} bytes; shorten it")
        elif line.strip():
            yield parse_row(line)


def parse_row(line: bytes) -> Row | BadRow:
    """One line as a case, or what is wrong with it."""
    try:
        body = json.loads(line.decode(), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        return BadRow(None, "not_utf8", "line is not UTF-8; send it as UTF-8")
    except (ValueError, RecursionError) as error:
        return BadRow(None, "not_json", f"line is no JSON that can be read in one way: {error}")
    if not isinstance(body, dict):
        return BadRow(None, "bad_case", "line is no JSON object; send one object a line")
    try:
        return Row.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        message = f"case refused at `{where}`: {in_lower_case(first['msg'])}"
        return BadRow(_id_of(body), "bad_case", message)


def labelled(row: Row | BadRow) -> Row | BadRow:
    """A row whose label says what is right, or what is wrong with it."""
    if isinstance(row, BadRow) or row.label in LABELS:
        return row
    message = f"label `{row.label[:_SHOWN]}` is none of {', '.join(LABELS)}; write one of these"
    return BadRow(row.id, "bad_label", message)


def _lines(stream: BinaryIO) -> Iterator[bytes | None]:
    """Lines; None for one that is too long, which is skipped to its end."""
    while line := stream.readline(MAX_LINE + 1):
        if len(line) <= MAX_LINE or line.endswith(b"\n"):
            yield line
            continue
        while (rest := stream.readline(MAX_LINE)) and not rest.endswith(b"\n"):
            pass
        yield None


def _id_of(body: dict[str, Any]) -> str | int | None:
    found = body.get("id")
    return found if isinstance(found, str | int) and not isinstance(found, bool) else None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"`{name}` is no JSON")
