"""An archive with one action of every kind and every end, and with what strangers put beside them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analytics.archive import Archive, RawRecord
from enforcers.contract.action import (
    Action,
    Payload,
    ShellPayload,
    SqlPayload,
    TextPayload,
    ToolPayload,
)
from enforcers.contract.finding import Finding, Severity
from enforcers.contract.outcome import Status
from enforcers.contract.samples import finding
from enforcers.contract.verdict import Decision, EffectSummary, Obligation, Reason, Rewrite, Verdict
from enforcers.contract.wire import encode
from tests.analytics.records import action, append, canary, outcome, raw, records, verdict

ODD = "=cmd|' /C calc'!A0\n\x1b[31m\u202e\x00\x7f\u2028\"'\\ 北"
"""Text that steers spreadsheets, terminals and readers of lines."""

PAYLOADS: tuple[Payload, ...] = (
    SqlPayload(statement="UPDATE t SET a = 1"),
    SqlPayload(statement=f"SELECT '{ODD}'"),
    ShellPayload(argv=("rm", "-rf", ODD.replace("\0", "")), program="/bin/rm", cwd="/tmp"),
    ShellPayload(line="ls | wc -l"),
    ToolPayload(tool="mail.send", arguments={"to": ODD}),
    TextPayload(kind="http", text=f"POST /{ODD}"),
    TextPayload(kind="file", text=ODD),
    TextPayload(kind="kubernetes", text=""),
    TextPayload(kind="terraform", text="destroy"),
)
EFFECTS = [
    EffectSummary(verb=verb, type=kind, name=name, extent="whole", namespace=space)
    for verb in ("read", "write", "create", "alter", "drop", "connect", "execute", "grant")
    for kind, name, space in (("table", "t", "public"), ("host", "", ""), ("unknown", ODD, ODD))
]
ENDS: tuple[tuple[Decision | None, Status | None], ...] = (
    (Decision.ALLOW, Status.SUCCEEDED), (Decision.ALLOW, Status.FAILED), (Decision.ALLOW, Status.ROLLED_BACK),
    (Decision.ALLOW, None), (Decision.DENY, None), (Decision.DENY, Status.BLOCKED), (Decision.REQUIRE_APPROVAL, None),
    (None, Status.NO_VERDICT), (None, Status.EXPIRED), (None, None),
)  # fmt: skip


def filled(directory: Path) -> tuple[Action, ...]:
    """Fill an archive; returns its actions."""
    cases = [(payload, end) for payload in PAYLOADS for end in ENDS]
    actions = [action(payload=payload) for payload, _ in cases]
    answers = [
        _varied(verdict(one, decision), at)
        for at, (one, (_, (decision, _))) in enumerate(zip(actions, cases, strict=True))
        if decision
    ]
    ends = [
        outcome(one, status) for one, (_, (_, status)) in zip(actions, cases, strict=True) if status
    ]
    with Archive.open(directory, cluster_id="cluster 1/ä") as archive:
        append(archive, records("actions", [*actions, canary()]))
        append(archive, records("verdicts", answers))
        append(archive, records("outcomes", ends))
        append(archive, records("findings", _findings()))
        append(archive, [*strange(), *_unfinished()])
    return tuple(actions)


def _varied(one: Verdict, at: int) -> Verdict:
    """Intents, rewrites, obligations and several reasons, each on some of them."""
    more: dict[str, Any] = {"intent": (EFFECTS[at % len(EFFECTS)],) if at % 3 else ()}
    if at % 4 == 0:
        more["rewrite"] = Rewrite(text=ODD, digest="e" * 64)
        more["obligations"] = (Obligation(kind="mask", columns=("a",)),)
    if at % 5 == 0:
        more["reasons"] = (Reason(code="a", message=ODD, rule="r"), Reason(code="b", message=""))
    if at % 7 == 0:
        more["reasons"] = ()
    if at % 4 == 1:
        more["approval"] = one.id
    return one.model_copy(update=more)


def _findings() -> Sequence[Finding]:
    plain = finding()
    return [
        plain.model_copy(
            update={"severity": one, "message": ODD, "remedy": remedy, "evidence": found}
        )
        for one, remedy, found in zip(
            Severity, ("", ODD, "x"), ((), ("a", "b"), ("c",)), strict=True
        )
    ]


VALUES: tuple[bytes | None, ...] = (
    None, b"", b"\xff\xfe", b"{}", b'{"a":\n [1, null]}', b'{"a":NaN}', b'[Infinity]', b"nan", b'"NaN is a text"', b'{"inf\\"":"-inf"}',
    b'{"a":1,}', b'"\\ud800"', b"1e999", ODD.encode(), b"=1+1", b"@x", b"\t=1", "＝1".encode(), b"-1", b"+1", b"'x",
)  # fmt: skip


def strange() -> list[RawRecord]:
    """Records of topics that hold anything."""
    return [raw("dead-letters", at, value) for at, value in enumerate(VALUES)]


def _unfinished() -> list[RawRecord]:
    """Actions, answers and findings that are readable and as poor as they may be."""
    poor = json.loads(encode(action()))
    poor["proposal"]["payload"] = {"kind": "shell", "argv": [None, "ls"]}
    poor["proposal"]["principal"] = {"id": ""}
    bare = {"id": str(poor["id"]), "code": "", "about": "", "source": "", "severity": "alert"}
    nulls = {**bare, "evidence": [None, "x"], "message": None}
    return [
        raw("actions", 0, json.dumps(poor).encode(), partition=1),
        raw("findings", 0, json.dumps(bare).encode(), partition=1),
        raw("findings", 1, json.dumps(nulls).encode(), partition=1),
    ]
