"""The judge's last step: an allowed action with `mask` or `limit_rows` gets its rewrite, or is denied."""

from __future__ import annotations

from dataclasses import replace

from enforcers.catalog import Catalog
from enforcers.contract.action import Payload, SqlPayload, Target
from enforcers.contract.digest import sha256_hex
from enforcers.contract.verdict import Decision as Answer
from enforcers.contract.verdict import Obligation, Reason, Rewrite
from enforcers.policy.engine import Decision
from enforcers.rewriting.refusal import Refusal
from enforcers.rewriting.rewrite import KINDS, Rewritten, rewrite_sql

_NOT_SQL = Refusal(
    "not_rewritable",
    "rows can be masked and limited in sql only",
    "propose the statement itself, as an action of kind sql",
)


def carry_out(
    ruling: Decision, payload: Payload | None, target: Target, catalog: Catalog
) -> tuple[Decision, Rewrite | None]:
    """
    The ruling with the text that its obligations ask for; a denial where there is no such text.

    An allow with one of these obligations always has a rewrite, if only of the same text. Where it masks, the
    obligation names the columns that it masks.
    """
    duties = [one for one in ruling.obligations if one.kind in KINDS]
    if ruling.decision is not Answer.ALLOW or not duties:
        return ruling, None
    done: Rewritten | Refusal = _NOT_SQL
    if isinstance(payload, SqlPayload):
        done = rewrite_sql(payload.statement, target.dialect or "ansi", catalog, duties)
    if isinstance(done, Rewritten):
        rewrite = Rewrite(text=done.text, digest=sha256_hex(done.text.encode()))
        return replace(ruling, obligations=_named(ruling.obligations, done.masked)), rewrite
    reason = Reason(code=done.code, message=done.message, remedy=done.remedy)
    return replace(
        ruling, decision=Answer.DENY, reasons=(reason,), obligations=(), would_deny=False
    ), None


def _named(obligations: tuple[Obligation, ...], masked: tuple[str, ...]) -> tuple[Obligation, ...]:
    """The obligations with the masked columns in place of what the policy calls them."""
    if not masked:
        return obligations
    return tuple(
        one.model_copy(update={"columns": masked}) if one.kind == "mask" else one
        for one in obligations
    )
