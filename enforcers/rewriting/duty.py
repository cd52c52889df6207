"""The judge's last step: an allowed action with `mask` or `limit_rows` gets its rewrite, or is denied."""

from __future__ import annotations

from dataclasses import replace

from enforcers.catalog import Catalog
from enforcers.contract.action import Payload, SqlPayload, Target
from enforcers.contract.verdict import Decision as Answer
from enforcers.contract.verdict import Reason, Rewrite
from enforcers.policy.engine import Decision
from enforcers.rewriting.refusal import Refusal
from enforcers.rewriting.rewrite import KINDS, rewrite_sql

_NOT_SQL = Refusal(
    "not_rewritable",
    "rows can be masked and limited in sql only",
    "propose the statement itself, as an action of kind sql",
)


def carry_out(
    ruling: Decision, payload: Payload, target: Target, catalog: Catalog
) -> tuple[Decision, Rewrite | None]:
    """
    The ruling with the text that its obligations ask for; a denial where there is no such text.

    An allow with one of these obligations always has a rewrite, if only of the same text.
    """
    duties = [one for one in ruling.obligations if one.kind in KINDS]
    if ruling.decision is not Answer.ALLOW or not duties:
        return ruling, None
    done: Rewrite | Refusal = _NOT_SQL
    if isinstance(payload, SqlPayload):
        done = rewrite_sql(payload.statement, target.dialect or "ansi", catalog, duties)
    if isinstance(done, Rewrite):
        return ruling, done
    reason = Reason(code=done.code, message=done.message, remedy=done.remedy)
    return replace(
        ruling, decision=Answer.DENY, reasons=(reason,), obligations=(), would_deny=False
    ), None
