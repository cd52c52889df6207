"""`judge --batch`: one answer a line, whatever the line is."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from console.batch import answers, load_case_judge
from console.cases import PAYLOADS, CaseJudge
from console.circumstances import Changes
from console.rows import MAX_LINE
from enforcers.contract.action import Action, Capability, Principal, Proposal, Target
from enforcers.contract.base import utc_now, uuid7
from enforcers.contract.digest import sha256_hex
from enforcers.contract.enrolment import EnrolledPrincipal
from enforcers.judge import judge
from enforcers.world import World


def _ask(judge: CaseJudge, *lines: bytes | dict[str, Any]) -> list[dict[str, Any]]:
    raw = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    return [json.loads(text) for text in answers(judge, io.BytesIO(b"\n".join(raw)))]


def test_answers_come_in_order_and_in_form(shipped_judge: CaseJudge) -> None:
    denied, allowed = _ask(
        shipped_judge,
        {"id": "a", "kind": "sql", "text": "DROP TABLE users", "dialect": "postgres"},
        {"id": 2, "kind": "sql", "text": "SELECT id FROM users WHERE id = 1", "label": "allow"},
    )
    assert (denied["id"], denied["decision"]) == ("a", "deny")
    assert {"code", "message", "rule", "remedy"} <= denied["reasons"][0].keys()
    assert denied["obligations"] == []
    assert isinstance(denied["micros"], int)
    assert (allowed["id"], allowed["decision"], allowed["reasons"]) == (2, "allow", [])
    assert list(allowed) == ["id", "decision", "reasons", "obligations", "micros"]


BAD_LINES = [
    (b"{", None, "not_json"),
    (b"[]", None, "bad_case"),
    (b'"text"', None, "bad_case"),
    (b"\xff\xfe", None, "not_utf8"),
    (b'{"id": 1, "kind": "sql"}', 1, "bad_case"),
    (b'{"id": "a", "kind": "sql", "text": 7}', "a", "bad_case"),
    (b'{"id": true, "kind": "sql", "text": ""}', None, "bad_case"),
    (b'{"id": "a", "kind": "sql", "text": "SELECT 1", "text": "DROP TABLE t"}', None, "not_json"),
    (b'{"id": "a", "kind": "sql", "text": NaN}', None, "not_json"),
    (b'{"id": "a", "kind": "sql", "text": "\\ud800"}', "a", "bad_case"),
    (b'{"id": "a", "kind": "sql", "text": "", "context": {"grnt": "read"}}', "a", "bad_case"),
    (b'{"id": "a", "kind": "sql", "text": "", "context": {"grant": "root"}}', "a", "bad_case"),
    (b'{"id": "a", "kind": "sql", "text": "", "dialect": "two words"}', "a", "bad_case"),
    (b"[" * 100_000, None, "not_json"),
    (json.dumps({"id": "a", "kind": "shell", "text": "x" * 300_000}).encode(), "a", "bad_case"),
    (b'{"id": "a", "kind": "sql", "text": "' + b"x" * MAX_LINE + b'"}', None, "line_too_long"),
    (b"x" * (3 * MAX_LINE), None, "line_too_long"),
]


@pytest.mark.parametrize(
    ("line", "row_id", "code"),
    BAD_LINES,
    ids=[f"{code}-{n}" for n, (_, _, code) in enumerate(BAD_LINES)],
)
def test_a_bad_line_costs_only_itself(
    shipped_judge: CaseJudge, line: bytes, row_id: str | int | None, code: str
) -> None:
    good = {"id": "next", "kind": "shell", "text": "ls"}
    bad, following = _ask(shipped_judge, line, good)
    assert set(bad) == {"id", "error"}
    assert (bad["id"], bad["error"]["code"]) == (row_id, code)
    assert "\n" not in bad["error"]["message"]
    assert (following["id"], following["decision"]) == ("next", "allow")


def test_blank_lines_are_no_cases(shipped_judge: CaseJudge) -> None:
    assert _ask(shipped_judge, b"", b"  ", b"\r") == []


OPAQUE = [
    ("quantum", "flip"),
    ("http", '{"method": "GET", "url": "https://a.example"}'),
    ("file", "kind: Pod"),
    ("mcp", '{"tool": "now", "arguments": {}}'),
    ("mcp", "{"),
    ("tool", "[]"),
    ("tool", '{"tool": {"a": 1}}'),
    ("tool", '{"tool": ""}'),
]


@pytest.mark.parametrize(("kind", "text"), OPAQUE)
def test_what_is_not_read_is_never_plainly_allowed(
    shipped_judge: CaseJudge, kind: str, text: str
) -> None:
    row = {"id": 1, "kind": kind, "text": text}
    asked, denied = _ask(shipped_judge, row, {**row, "context": {"environment": "production"}})
    assert (asked["decision"], denied["decision"]) == ("require_approval", "deny")


@pytest.mark.parametrize("kind", ["shell", "git", "k8s", "cloud", "terraform"])
def test_command_lines_are_read_as_such(shipped_judge: CaseJudge, kind: str) -> None:
    (answer,) = _ask(shipped_judge, {"kind": kind, "text": "git status"})
    assert (answer["id"], answer["decision"]) == (None, "allow")


def test_a_shell_that_is_not_read_is_opaque(shipped_judge: CaseJudge) -> None:
    context = {"shell": "powershell", "environment": "production"}
    (answer,) = _ask(shipped_judge, {"id": 1, "kind": "shell", "text": "ls", "context": context})
    assert answer["decision"] == "deny"


def test_a_reading_grant_covers_reading_only(shipped_judge: CaseJudge) -> None:
    text = "UPDATE users SET name = 'x' WHERE id = 1"
    row = {"id": 1, "kind": "sql", "text": text, "dialect": "postgres"}
    allowed, denied = _ask(shipped_judge, row, {**row, "context": {"grant": "read"}})
    assert (allowed["decision"], denied["decision"]) == ("allow", "deny")


def test_the_context_of_sql_is_production_and_of_the_rest_development(
    shipped_judge: CaseJudge,
) -> None:
    context = shipped_judge.context
    assert context.circumstances("sql").environment == "production"
    shell = context.circumstances("shell")
    assert (shell.environment, shell.cwd, shell.user) == ("development", "/home/dev/app", "dev")
    assert shell.permissions == context.circumstances("sql").permissions


# ---- Masks and limits -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def masking_judge() -> CaseJudge:
    """A policy that masks and limits whatever is read, in the context of labelled cases."""
    return load_case_judge(Path(__file__).parent / "masking.yaml")


def test_the_text_that_would_run_is_given(masking_judge: CaseJudge) -> None:
    text = "SELECT id, email FROM users WHERE id = 1"
    read = {"id": 1, "kind": "sql", "dialect": "postgres", "text": text}
    masked, written = _ask(masking_judge, read, {**read, "text": "INSERT INTO users VALUES (1)"})
    assert list(masked) == ["id", "decision", "reasons", "obligations", "micros", "rewrite"]
    assert (masked["decision"], masked["rewrite"].split()[-2:]) == ("allow", ["LIMIT", "2"])
    assert 'CAST(NULL AS text) AS "email"' in masked["rewrite"]
    assert (written["decision"], "rewrite" in written) == ("allow", False)


ALL = [one.value for one in Capability]
ASKED = [
    ("sql", "SELECT email FROM users", "postgres", "allow", None),
    ("sql", "SELECT id FROM orders", "duckdb", "allow", None),
    ("sql", "SELECT * FROM unheard_of", "postgres", "deny", "unknown_table"),
    ("sql", "SELECT users FROM users", "postgres", "deny", "not_maskable"),
    ("sql", "SELECT email FROM users", "snowflake", "deny", "dialect_not_rewritten"),
    ("sql", "SELECT email FROM users", None, "deny", "dialect_not_rewritten"),
    ("sql", "UPDATE users SET name = 'x' WHERE id = 1", "postgres", "allow", None),
    ("shell", "cat /etc/hosts", None, "deny", "not_rewritable"),
    ("mcp", "{", None, "deny", "kind_not_read"),
]


@pytest.mark.parametrize(("kind", "text", "dialect", "decision", "code"), ASKED)
def test_a_mask_that_cannot_be_carried_out_is_a_denial(
    masking_judge: CaseJudge,
    kind: str,
    text: str,
    dialect: str | None,
    decision: str,
    code: str | None,
) -> None:
    context = {"capabilities": ALL, "environment": "production"}
    row = {"kind": kind, "text": text, "dialect": dialect, "context": context}
    (answer,) = _ask(masking_judge, row)
    codes = [one["code"] for one in answer["reasons"]]
    assert (answer["decision"], codes) == (decision, [code] if code else [])
    if decision == "deny":
        assert (answer["obligations"], "rewrite" in answer) == ([], False)


@pytest.mark.parametrize(("kind", "text", "dialect"), [asked[:3] for asked in ASKED[:-1]])
def test_a_batch_answers_as_the_judge_does(
    masking_judge: CaseJudge, kind: str, text: str, dialect: str | None
) -> None:
    case = masking_judge.context.circumstances(kind).model_copy(
        update={"capabilities": tuple(Capability), "environment": "production"}
    )
    answered = masking_judge.judge(
        kind, text, dialect, Changes(capabilities=case.capabilities, environment="production")
    )
    payload = PAYLOADS[kind](text, case)
    assert payload is not None
    target = Target(system="case", environment="production", dialect=dialect, catalog="cases")
    proposal = Proposal(
        principal=Principal(id=case.principal, kind=case.principal_kind),
        target=target,
        payload=payload,
    )
    action = Action(
        id=uuid7(),
        proposal=proposal,
        executor="executor-1",
        capabilities=case.capabilities,
        reply_partition=0,
        issued_at=utc_now(),
        nonce="0" * 32,
    )
    known = EnrolledPrincipal(
        id=case.principal, kind=case.principal_kind, permissions=case.permissions
    )
    world = World(
        masking_judge.policy, {known.id: known}, "judge-1", {"cases": masking_judge.catalog}
    )
    verdict = judge(action, sha256_hex(b""), world, utc_now()).verdict
    decision = answered.decision
    assert (verdict.decision, verdict.reasons, verdict.obligations) == (
        decision.decision,
        decision.reasons,
        decision.obligations,
    )
    assert (verdict.rewrite.text if verdict.rewrite else None) == answered.rewrite
