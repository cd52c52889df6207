"""Text that cannot steer a terminal, and cannot begin a line that looks like one of ours."""

from __future__ import annotations


def one_line(text: str) -> str:
    """Text with line breaks and control characters made harmless for a terminal."""
    return harmless(" ".join(text.split()))


def counted(count: int, what: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def exact(text: str) -> str:
    """Text in one line with nothing left out: spaces and line breaks in a condition may matter."""
    return harmless(text.replace("\n", "\\n"))


def harmless(text: str) -> str:
    """Text whose control characters, line breaks aside, are written out."""
    return "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode()
        for char in text
    )
