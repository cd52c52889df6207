"""A row of small bars for a terminal; letters where it has no blocks."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TextIO

BLOCKS = "▁▂▃▄▅▆▇█"
LETTERS = ".:-=+*#@"
NOTHING = " "


def bars(values: Sequence[float], blocks: str = BLOCKS) -> str:
    """One letter a value, the largest as high as it goes; nothing for zero."""
    most = max(values, default=0)
    return "".join(
        NOTHING if one <= 0 else blocks[min(len(blocks) - 1, int(one / most * len(blocks)))]
        for one in values
    )


def fitting(stream: TextIO | None = None, environment: Mapping[str, str] | None = None) -> str:
    """Blocks, or letters: for no terminal, with NO_COLOR, and where blocks cannot be written."""
    stream = sys.stdout if stream is None else stream
    environment = os.environ if environment is None else environment
    if environment.get("NO_COLOR") or not stream.isatty():
        return LETTERS
    try:
        BLOCKS.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return LETTERS
    return BLOCKS
