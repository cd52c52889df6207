"""Issue: who laid something down for all judges, when and why, and its place among what was said of the same thing."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from enforcers.contract.base import MAX_SAFE_INTEGER, Identifier, Line, Moment, Record


class Issue(Record):
    """What every control record begins with."""

    version: Annotated[int, Field(ge=1, le=MAX_SAFE_INTEGER)]
    """
    Rises with every record about the same thing. A judge ignores what is not above what it knows, and what is more
    than 1,000 above it: nobody can say the last word by its version.
    """
    by: Identifier
    """Id of the key that signs it, as in the trust file."""
    at: Moment
    reason: Line = ""
