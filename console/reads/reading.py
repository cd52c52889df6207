"""One reading of the archive as a value, and as a finding for everybody."""

from __future__ import annotations

import json
import os
import pwd
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from enforcers.contract.base import utc_now, uuid7
from enforcers.contract.finding import Finding, Severity

CODE: Final = "archive_read"
"""Of every finding that says who read the archive."""
LONGEST = 500
"""Letters of one answer to one option; a question is for people."""
_LONGEST_MESSAGE = 2_000


@dataclass(frozen=True, slots=True)
class Reading:
    """Who asked what of which archive."""

    id: UUID
    at: datetime
    by: str
    """User and machine, by the system's own word: an environment variable changes neither."""
    command: str
    question: Mapping[str, str]
    archive: str


def reading_of(command: str, question: Mapping[str, Any], archive: str) -> Reading:
    """What somebody asks now."""
    asked = {name: _short(value) for name, value in question.items() if value not in _NOT_ASKED}
    return Reading(uuid7(), utc_now(), reader(), command, asked, _short(archive))


_NOT_ASKED: tuple[Any, ...] = (None, False, "", (), [])


def reader() -> str:
    """The user of this process and its machine, as an id."""
    number = os.getuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:
        # A container's user need not have a name.
        name = f"uid-{number}"
    return re.sub(r"[^!-~]", "-", f"{name}@{socket.gethostname()}")[:200]


def finding_of(one: Reading, rows: int | None, result: str, source: str) -> Finding:
    """A reading as everybody can hear of it; `source` is the id of the key that signs it."""
    question = " ".join(f"{name}={json.dumps(value)}" for name, value in one.question.items())
    counted = "rows not counted" if rows is None else f"{rows} rows"
    message = f"audit {one.command}: {result}, {counted}, archive {json.dumps(one.archive)}"
    return Finding(
        id=one.id,
        code=CODE,
        severity=Severity.NOTICE,
        about=one.by,
        message=f"{message}; asked {question or 'nothing'}"[:_LONGEST_MESSAGE],
        source=source,
        at=one.at,
    )


def _short(value: Any) -> str:
    # What is no UTF-8 on the command line has no JSON form.
    text = str(value).encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
