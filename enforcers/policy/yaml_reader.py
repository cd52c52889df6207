"""YAML as data: no tags, no duplicate keys, no surprises."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml

from enforcers.errors import PolicyError


class _StrictLoader(yaml.SafeLoader):
    """A safe loader to which a key written twice is an error, not a correction."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for index, key in enumerate(keys):
            if key in keys[:index]:
                line = node.value[index][0].start_mark.line + 1
                raise PolicyError(f"key `{key}` is written twice, in line {line}; keep one")
        return super().construct_mapping(node, deep)


def read_yaml(text: str) -> object:
    """Return the one document in `text`. Raises PolicyError."""
    try:
        # The loader derives from SafeLoader: it builds plain values only.
        return yaml.load(text, Loader=_StrictLoader)
    except yaml.YAMLError as error:
        detail = " ".join(str(error).split())
        raise PolicyError(f"not readable as YAML: {detail}; correct the syntax") from error
    except RecursionError as error:
        raise PolicyError("nested too deeply; write fewer levels") from error
