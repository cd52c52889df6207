"""What an executor is told where a verdict does not let it act."""

from __future__ import annotations

from enforcers.contract.action import Capability
from enforcers.contract.verdict import Decision, Verdict
from enforcers.errors import ActionDeniedError, ApprovalNeededError, NotAdmittedError


def refusal_of(verdict: Verdict, capabilities: tuple[Capability, ...]) -> NotAdmittedError | None:
    """The error that an executor gets for a verdict, or None where it may act."""
    first = verdict.reasons[0] if verdict.reasons else None
    why = first.message if first else "no rule allows it"
    remedy = f"; {first.remedy}" if first and first.remedy else ""
    if verdict.decision is Decision.REQUIRE_APPROVAL:
        return ApprovalNeededError(
            f"approval needed: {why}{remedy}{_whom_to_ask(verdict)}", verdict
        )
    if verdict.decision is not Decision.ALLOW:
        return ActionDeniedError(f"denied: {why}{remedy}", verdict)
    unknown = {one.kind for one in verdict.obligations} - {one.value for one in capabilities}
    if unknown:
        return ActionDeniedError(
            f"denied: executor cannot carry out `{', '.join(sorted(unknown))}`", verdict
        )
    return None


def _whom_to_ask(verdict: Verdict) -> str:
    """What is still missing for an approval, and how it is given."""
    missing = next((one.message for one in verdict.reasons if one.code == "approval_pending"), "")
    if verdict.request is None:
        return ""
    how = f"; `sluicegate approve {verdict.request} --reason WHY` approves it, then propose the same again"
    return f"; {missing}{how}" if missing else how
