"""Values as JSON has them, where it has no form of its own for them."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any

from enforcers.contract.base import rfc3339


def json_value(value: Any) -> Any:
    """The `default` of `json.dumps`: times as RFC 3339 in UTC, values by their fields, else a text."""
    if isinstance(value, datetime):
        return _time(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return str(value)


def _time(value: datetime) -> str:
    # Without a zone it is no moment: a database's own value, or DuckDB's infinity.
    try:
        return rfc3339(value) if value.tzinfo else str(value)
    except ValueError:
        return str(value)
