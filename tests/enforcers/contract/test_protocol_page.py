"""docs/protocol.md says what the code does."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from uuid import UUID

import pytest

from enforcers.admission import REPLAY_WINDOW_MS
from enforcers.contract.action import MAX_DEPTH, Action
from enforcers.contract.base import MAX_BYTES, MAX_VALID_FOR_MS
from enforcers.contract.signing import MAX_BATCH
from enforcers.contract.wire import TYPES, headers_of
from streams.topics import ACTIONS, ACTIONS_PARTITIONS, OUTCOMES, VERDICTS, VERDICTS_PARTITIONS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "protocol.md").read_text("utf-8")


def section(title: str) -> str:
    """The text under a heading, up to the next one."""
    return re.split(r"^## ", PAGE.split(title, 1)[1], maxsplit=1, flags=re.M)[0]


def codes_in(path: Path) -> set[str]:
    """First arguments of every `Refusal(...)`, codes of every `Reason(...)`, and what `_code` returns."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Refusal":
            found |= {one.value for one in node.args[:1] if isinstance(one, ast.Constant)}
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Reason":
            found |= {
                one.value.value
                for one in node.keywords
                if one.arg == "code" and isinstance(one.value, ast.Constant)
            }
        if isinstance(node, ast.FunctionDef) and node.name == "_code":
            found |= {
                one.value.value
                for one in ast.walk(node)
                if isinstance(one, ast.Return) and isinstance(one.value, ast.Constant)
            }
    return found


def test_every_code_is_explained_and_no_other() -> None:
    used = codes_in(ROOT / "enforcers" / "admission.py") | codes_in(ROOT / "enforcers" / "judge.py")
    explained = set(
        re.findall(r"^\| `(\w+)` \|", section("What the judge refuses without judging"), re.M)
    )
    assert explained == used
    assert len(used) == 10


def test_every_type_topic_and_header_is_named() -> None:
    headers = [name for name, _ in headers_of(Action, UUID(int=0), UUID(int=0), "", "", b"")]
    for name in (*TYPES.values(), ACTIONS.name, VERDICTS.name, OUTCOMES.name, *headers):
        assert f"`{name}`" in section("## 1. Records")


@pytest.mark.parametrize(
    "written",
    [
        f"at most {MAX_BYTES:,} bytes",
        f"mod {ACTIONS_PARTITIONS}`",
        f"from 0 to {VERDICTS_PARTITIONS - 1}",
        f"mod {VERDICTS_PARTITIONS}.",
        f"Up to {MAX_BATCH} records",
        f"nesting deeper than {MAX_DEPTH}",
        f"(1 to {MAX_VALID_FOR_MS:,})",
        f"older than {REPLAY_WINDOW_MS // 1_000} s",
    ],
)
def test_the_numbers_are_those_of_the_code(written: str) -> None:
    assert written in " ".join(PAGE.split())


def test_every_link_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)]+)\)", PAGE)
    assert len(links) >= 6
    assert [one for one in links if not (ROOT / "docs" / one).exists()] == []
