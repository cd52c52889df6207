"""The plain forms that everything written in a bundle is made of."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,62}$")]
FragmentName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,62}$")]
Condition = Annotated[str, StringConstraints(min_length=1, max_length=8_192)]
Line = Annotated[str, StringConstraints(max_length=300, pattern=r"^[^\r\n]*$")]
Kind = Literal["sql", "shell", "http", "file", "kubernetes", "terraform", "tool"]


class Written(BaseModel):
    """Base of everything that a bundle's author writes: frozen, and no key that is not known."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=False, use_attribute_docstrings=True
    )


def closest(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean …` for the closest known word, or nothing."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean `{close[0]}`?" if close else ""


def suggest(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean …` for the closest known word, or a hint to remove it."""
    return closest(word, known) or "; remove it"
