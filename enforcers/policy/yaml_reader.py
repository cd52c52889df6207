"""
YAML as data: no tags, no duplicate keys, no surprises; and where everything stands.

    text ──compose──▶ nodes ─┬─▶ plain values
                             └─▶ Marks: path ──▶ line and column
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from enforcers.errors import PolicyError
from enforcers.policy.complaints import Path

_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What ends a line to YAML."""
MAX_DEPTH = 40
"""Deepest nesting. An alias can make a document endlessly deep."""
MAX_NODES = 200_000
"""Most values of a document, each alias counted as what it stands for."""


class YamlError(PolicyError):
    """A text that is not readable, and where: line and column begin with 1."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        """Keep the place beside the message."""
        self.line, self.column = line, column
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a key and its value stand; lines and columns begin with 1."""

    key: tuple[int, int]
    value: tuple[int, int]
    text: int | None = None
    """Column of a value's first character, where the characters in the file are those of the value."""


@dataclass(frozen=True)
class Document:
    """The one document of a text, and where its parts stand."""

    value: object
    marks: dict[Path, Mark] = field(default_factory=dict)

    def mark(self, path: Path) -> Mark:
        """Where the last part of `path` stands that is written; parts that are not are passed over."""
        found: Path = ()
        for part in path:
            if (*found, part) in self.marks:
                found = (*found, part)
        return self.marks.get(found, Mark((1, 1), (1, 1)))

    def place(self, path: Path, at_key: bool = False, offset: int | None = None) -> tuple[int, int]:
        """Line and column of what is written at `path`, or of a character in it."""
        mark = self.mark(path)
        if offset is not None and mark.text is not None:
            return mark.value[0], mark.text + offset
        return mark.key if at_key or offset is not None else mark.value


class _StrictLoader(yaml.SafeLoader):
    """A safe loader to which a key written twice is an error, not a correction."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for index, key in enumerate(keys):
            if key in keys[:index]:
                line, column = _start(node.value[index][0])
                raise YamlError(
                    f"key `{key}` is written twice, in line {line}; keep one", line, column
                )
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError) as error:
            message = f"not readable as YAML: {error}; correct the value"
            raise YamlError(message, *_start(node)) from error


def read_yaml(text: str) -> object:
    """Return the one document in `text`. Raises PolicyError."""
    return read_document(text).value


def read_document(text: str) -> Document:
    """Return the one document in `text` and where its parts stand. Raises YamlError."""
    loader = _StrictLoader("")
    try:
        # The loader derives from SafeLoader: it builds plain values only.
        loader = _StrictLoader(text)
        root = loader.get_single_node()
        marks = dict(_marks(root, _LINE_END.split(text))) if root is not None else {}
        return Document(loader.construct_document(root) if root is not None else None, marks)
    except yaml.YAMLError as error:
        raise _unreadable(error) from error
    except RecursionError as error:
        raise YamlError("nested too deeply; write fewer levels") from error
    finally:
        loader.dispose()


def _unreadable(error: yaml.YAMLError) -> YamlError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    message = f"not readable as YAML: {' '.join(str(problem).split())}; correct the syntax"
    return YamlError(message, mark.line + 1, mark.column + 1) if mark else YamlError(message)


def _start(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _marks(root: yaml.Node, lines: list[str]) -> Iterator[tuple[Path, Mark]]:
    """Every part of the document that has a path, parents first."""
    waiting: list[tuple[Path, tuple[int, int], yaml.Node]] = [((), _start(root), root)]
    count = 0
    while waiting:
        path, key, node = waiting.pop()
        count += 1
        if len(path) > MAX_DEPTH or count > MAX_NODES:
            raise YamlError("nested too deeply; write fewer levels", *_start(node))
        yield path, Mark(key, _start(node), _text_column(node, lines))
        waiting.extend(_children(path, node))


def _children(path: Path, node: yaml.Node) -> Iterator[tuple[Path, tuple[int, int], yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield (*path, key.value), _start(key), value
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*path, index), _start(value), value


def _text_column(node: yaml.Node, lines: list[str]) -> int | None:
    """Column where a text begins that stands in its one line exactly as it is read."""
    if not isinstance(node, yaml.ScalarNode) or node.start_mark.line >= len(lines):
        return None
    column = node.start_mark.column + (1 if node.style in ("'", '"') else 0)
    written = lines[node.start_mark.line][column : column + len(node.value)]
    return column + 1 if written == node.value else None
