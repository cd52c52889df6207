"""docs/protocol.md says what the code does."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from uuid import UUID

import pytest

from enforcers.administration.administration import BOOKS
from enforcers.admission import REPLAY_WINDOW_MS
from enforcers.contract.action import MAX_DEPTH, Action
from enforcers.contract.base import MAX_BYTES, MAX_VALID_FOR_MS
from enforcers.contract.grant import MAX_GRANT_DAYS
from enforcers.contract.outcome import Status
from enforcers.contract.proof import MAX_APART_S
from enforcers.contract.schema import SCHEMAS
from enforcers.contract.signing import MAX_BATCH, batch_message, leaf_of
from enforcers.contract.wire import TYPES, headers_of
from streams.topics import ACTIONS_PARTITIONS, TOPICS, VERDICTS_PARTITIONS

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


def codes_of(*names: str) -> set[str]:
    return {code for name in names for code in codes_in(ROOT / "enforcers" / f"{name}.py")}


def explained_in(head: str) -> set[str]:
    """First cells of the table that begins with this one."""
    table = PAGE.split(f"| {head} |", 1)[1].split("\n\n", 1)[0]
    return set(re.findall(r"^\| `(\w+)` \|", table, re.M))


def test_every_code_is_explained_and_no_other() -> None:
    used = codes_of("admission", "standing", "judge")
    assert explained_in("code") == used
    assert len(used) == 17


def test_every_code_of_people_is_explained_and_no_other() -> None:
    used = codes_of("hearing")
    assert explained_in("code of people") == used == {"approval_pending", "approval_denied"}


def test_every_code_of_the_last_look_is_explained_and_no_other() -> None:
    """Whatever a judge answers beside what it judges: no other file of `streams` makes a refusal."""
    told = ROOT / "streams" / "alerts"
    """Words for people about what judges answered, and no answers."""
    paths = [path for path in (ROOT / "streams").rglob("*.py") if told not in path.parents]
    used = {code for path in paths for code in codes_in(path)}
    assert explained_in("code of the last look") == used
    assert len(used) == 5


def test_no_code_is_explained_twice() -> None:
    heads = ("code", "code of people", "code of the last look")
    explained = [code for head in heads for code in explained_in(head)]
    assert sorted(explained) == sorted(set(explained))


def test_every_ending_that_a_gate_reports_is_named_and_no_other() -> None:
    """A gate has no codes of its own: what it does not run, it reports as one of these."""
    step = section("## 3. Proposing an action").split("6. Send an outcome", 1)[1].split("\n\n")[0]
    assert set(re.findall(r"`([a-z_]+)`", step)) - {"executed_digest"} == {*Status}


def test_every_type_topic_and_header_is_named() -> None:
    headers = [name for name, _ in headers_of(Action, UUID(int=0), "", "", "", b"")]
    topics = {one.name for one in TOPICS} - {"checkpoints", "dead-letters"}
    for name in (*TYPES.values(), *topics, *headers):
        assert f"`{name}`" in section("## 1. Records")


def test_every_record_has_a_row_with_its_topic_and_its_roles() -> None:
    rows = re.findall(r"^\| ([a-z ]+) \| `(\w+)` .* `(io\.\S+)` \| (.*) \|$", PAGE, re.M)
    assert {kind for _, _, kind, _ in rows} == set(TYPES.values())
    written = {(topic, kind): set(re.findall(r"`(\w+)`", roles)) for _, topic, kind, roles in rows}
    for book in BOOKS:
        assert written[book.topic, TYPES[book.model]] == {one.value for one in book.roles}


def test_every_schema_is_linked() -> None:
    assert {f"schemas/{name}.json" for name in SCHEMAS} <= set(re.findall(r"\]\(([^)]+)\)", PAGE))


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
        f"at most {MAX_APART_S} s from `issued_at`",
        f"more than {MAX_GRANT_DAYS} days after",
    ],
)
def test_the_numbers_are_those_of_the_code(written: str) -> None:
    assert written in " ".join(PAGE.split())


def test_the_bytes_of_a_message_are_those_that_we_sign() -> None:
    """Whoever writes a client starts here; what stands without a zone is one part less."""
    table = PAGE.split("| bytes, in hexadecimal |", 1)[1].split("\n\n", 1)[0]
    parts = [bytes.fromhex(one) for one in re.findall(r"^\| `([0-9a-f]+)` \|", table, re.M)]
    root = leaf_of(TYPES[Action], b"{}")
    assert parts[2] == b"pay"
    assert b"".join(parts) == batch_message("pay", root, 1)
    assert b"".join(parts[:2] + parts[3:]) == batch_message("", root, 1)


def test_every_link_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)]+)\)", PAGE)
    assert len(links) >= 6
    assert [one for one in links if not (ROOT / "docs" / one).exists()] == []
