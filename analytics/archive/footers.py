"""
The footer of a Parquet file: how many rows, and where in the file each column of them begins.

    … row groups │ footer │ length │ PAR1        a footer is one structure in Thrift's compact encoding

Only as much of it is understood as it takes to move row groups to another place: numbers that are
places are changed, and every other byte stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from enforcers.errors import ArchiveError

MAGIC = b"PAR1"
_TAIL = len(MAGIC) + 4

_FLAGS, _NUMBERS, _TEXT, _LISTS, _STRUCT = (1, 2), (4, 5, 6), 8, (9, 10), 12
_WIDTHS = {3: 1, 7: 8, 13: 16}
"""Kinds of fields: a flag stands in the field's head; the last ones have one width."""
_LIST_OF_STRUCTS = 9
_MORE, _SEVEN, _LONG_LIST = 0x80, 0x7F, 15

_PLACE = None
Moving = Mapping[int, Any]
"""Fields of a structure that are places, or hold structures that have some."""
_COLUMN: Moving = {9: _PLACE, 10: _PLACE, 11: _PLACE, 14: _PLACE}
_ROW_GROUP: Moving = {1: {2: _PLACE, 3: _COLUMN, 4: _PLACE, 6: _PLACE}, 5: _PLACE}
_SCHEMA, _ROWS, _ROW_GROUPS = 2, 3, 4


@dataclass(frozen=True, slots=True)
class Footer:
    """What stands at the end of a file."""

    begins: int
    """Where: all before it are row groups, and what belongs to them."""
    fields: Mapping[int, tuple[int, bytes]]
    """Kind and bytes of each field."""

    @property
    def schema(self) -> bytes:
        """Its columns, as they are written."""
        return self.fields[_SCHEMA][1]

    @property
    def rows(self) -> int:
        """How many it counts."""
        return _signed(_number(self.fields[_ROWS][1], 0)[0])

    def moved(self, by: int) -> tuple[int, bytes]:
        """How many row groups, and what is said of them where they begin so much later."""
        text = self.fields[_ROW_GROUPS][1]
        (count, _), at = _list(text, 0)
        found = bytearray()
        for _ in range(count):
            at = _move(text, at, _ROW_GROUP, by, found)
        return count, bytes(found)


def read_footer(path: Path) -> Footer:
    """The footer of a file. Raises ArchiveError where it is none."""
    with path.open("rb") as file:
        try:
            return _read(file)
        except (IndexError, KeyError, ValueError, OSError) as error:
            raise ArchiveError(
                f"segment `{path.name}` cannot be read; delete it and start the archiver, which"
                " writes it again"
            ) from error


def _read(file: IO[bytes]) -> Footer:
    end = file.seek(-_TAIL, 2)
    tail = file.read(_TAIL)
    begins = end - int.from_bytes(tail[:4], "little")
    file.seek(begins)
    text = file.read(end - begins)
    if not tail.endswith(MAGIC) or begins < len(MAGIC):
        raise ValueError("no footer")
    found = Footer(begins, _fields(text))
    if not {_SCHEMA, _ROWS, _ROW_GROUPS} <= found.fields.keys():
        raise ValueError("half a footer")
    return found


def joined(footers: Sequence[Footer], groups: int, described: bytes) -> bytes:
    """The end of a file that holds so many row groups, which these footers described before."""
    rows = sum(footer.rows for footer in footers)
    replaced = {
        _ROWS: _written(rows << 1),
        _ROW_GROUPS: _list_head(groups) + described,
    }
    found, last = bytearray(), 0
    for number, (kind, text) in footers[0].fields.items():
        found.append((number - last) << 4 | kind)
        found += replaced.get(number, text)
        last = number
    found.append(0)
    return bytes(found) + len(found).to_bytes(4, "little") + MAGIC


def _fields(text: bytes) -> dict[int, tuple[int, bytes]]:
    found: dict[int, tuple[int, bytes]] = {}
    at = number = 0
    while text[at]:
        kind, number, begins = _head(text, at, number)
        at = _skip(text, begins, kind)
        found[number] = kind, text[begins:at]
    return found


def _move(text: bytes, at: int, moving: Moving, by: int, out: bytearray) -> int:
    """Copy one structure to `out` with its places moved; returns where it ends."""
    copied, number = at, 0
    while text[at]:
        kind, number, at = _head(text, at, number)
        if number not in moving:
            at = _skip(text, at, kind)
            continue
        out += text[copied:at]
        at = copied = _move_field(text, at, kind, moving[number], by, out)
    out += text[copied : at + 1]
    return at + 1


def _move_field(text: bytes, at: int, kind: int, moving: Any, by: int, out: bytearray) -> int:
    if moving is _PLACE:
        place, at = _number(text, at)
        # Nothing begins at 0, where the file does: it stands for a place that is not told.
        out += _written(place + 2 * by if place else 0)
        return at
    if kind == _STRUCT:
        return _move(text, at, moving, by, out)
    begins = at
    (count, _), at = _list(text, at)
    out += text[begins:at]
    for _ in range(count):
        at = _move(text, at, moving, by, out)
    return at


def _head(text: bytes, at: int, last: int) -> tuple[int, int, int]:
    """Kind and number of a field, and where its content begins."""
    head = text[at]
    if head >> 4:
        return head & 15, last + (head >> 4), at + 1
    number, at = _number(text, at + 1)
    return head & 15, _signed(number), at


def _skip(text: bytes, at: int, kind: int) -> int:
    """Where the content of a field ends."""
    if kind in _NUMBERS:
        while text[at] & _MORE:
            at += 1
        return at + 1
    if kind == _TEXT:
        length, at = _number(text, at)
        return at + length
    if kind == _STRUCT:
        while text[at]:
            inner, _, at = _head(text, at, 0)
            at = _skip(text, at, inner)
        return at + 1
    if kind in _FLAGS:
        return at
    return _skip_list(text, at) if kind in _LISTS else at + _WIDTHS[kind]


def _skip_list(text: bytes, at: int) -> int:
    (count, kind), at = _list(text, at)
    if kind in _FLAGS:
        return at + count
    for _ in range(count):
        at = _skip(text, at, kind)
    return at


def _list(text: bytes, at: int) -> tuple[tuple[int, int], int]:
    """How many of which kind, and where they begin."""
    head = text[at]
    if head >> 4 < _LONG_LIST:
        return (head >> 4, head & 15), at + 1
    count, after = _number(text, at + 1)
    return (count, head & 15), after


def _list_head(count: int) -> bytes:
    return bytes([_LONG_LIST << 4 | _STRUCT]) + _written(count)


def _number(text: bytes, at: int) -> tuple[int, int]:
    """A number as it is written, and where it ends."""
    found = shift = 0
    while True:
        byte = text[at]
        at += 1
        found |= (byte & _SEVEN) << shift
        if byte < _MORE:
            return found, at
        shift += 7


def _signed(number: int) -> int:
    return number >> 1 ^ -(number & 1)


def _written(number: int) -> bytes:
    found = bytearray()
    while number >= _MORE:
        found.append(number & _SEVEN | _MORE)
        number >>= 7
    found.append(number)
    return bytes(found)
