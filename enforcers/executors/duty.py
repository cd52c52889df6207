"""
What a verdict asks of a SQL executor besides the text, read before anything is opened.

INVARIANT: an obligation or an assumption that this code does not know by name is never passed over;
the permit is withheld.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

from enforcers.contract.action import Capability
from enforcers.contract.verdict import Obligation
from enforcers.errors import ExecutionError, PermitError
from enforcers.permit import Permit

OF_EVERY_DATABASE = frozenset(
    {
        Capability.MASK,
        Capability.LIMIT_ROWS,
        Capability.MAX_ROWS_AFFECTED,
        Capability.TRANSACTION,
    }
)
"""What every SQL executor can carry out. Masks and row limits are in the verdict's rewrite already."""
CAPABILITIES = OF_EVERY_DATABASE | {Capability.EPHEMERAL_CREDENTIAL}
"""What a gate claims for SQL, before it knows the target. A database without roles withholds the last."""
STRUCTURE = "catalog_structure"
_REWRITTEN = frozenset({"mask", "limit_rows"})
_READING = frozenset({"read", "connect", "configure"})


@dataclass(frozen=True, slots=True)
class Duty:
    """One verdict's demands."""

    settings: Mapping[str, str]
    """Session settings that the reading assumed."""
    structure: str
    """Digest that the target's structure must have; empty: none was assumed."""
    max_rows: int | None
    read_only: bool
    """Whether the verdict shows no effect that changes anything."""
    minted: bool = False
    """Whether it must run as a role that is minted for this verdict alone."""


def duty_of(
    permit: Permit,
    settings: frozenset[str] = frozenset(),
    capabilities: frozenset[Capability] = OF_EVERY_DATABASE,
) -> Duty:
    """
    The duty of an executor that can set `settings` and carry out `capabilities`.

    Withholds the permit where it cannot comply.
    """
    assumed = _assumed(permit, settings)
    structure = assumed.pop(STRUCTURE, "")
    for one in permit.obligations:
        _check_known(permit, one, capabilities)
    minted = any(one.kind == "ephemeral_credential" for one in permit.obligations)
    return Duty(assumed, structure, _max_rows(permit), _reads_only(permit), minted)


def compare_structure(permit: Permit, duty: Duty, digest: str) -> None:
    """Withhold the permit where the structure is another one than the catalog's."""
    if digest != duty.structure:
        withhold(
            permit,
            "the schema changed since the catalog was scanned; scan it again, start the judge again"
            " and propose again",
        )


def check_changed(duty: Duty, changed: int | None) -> None:
    """Raise ExecutionError, inside the transaction, where more rows changed than the verdict allows."""
    if duty.max_rows is None:
        return
    if changed is None:
        raise ExecutionError(
            f"changed rows cannot be counted, and at most {duty.max_rows} may change; propose one"
            " INSERT, UPDATE or DELETE"
        )
    if changed > duty.max_rows:
        raise ExecutionError(
            f"{changed} rows would change, and at most {duty.max_rows} may; rolled back, narrow"
            " the statement"
        )


def check_asks_nothing(permit: Permit, advice: str) -> None:
    """Withhold a permit that asks for more than to run its payload, where nothing can carry it out."""
    for one in permit.obligations:
        withhold(permit, f"permit carries `{one.kind}`, which cannot be carried out here; {advice}")
    for name in dict.fromkeys(one.name for one in permit.verdict.assumed):
        withhold(permit, f"permit relies on `{name}`, which cannot be set here; {advice}")


def withhold(permit: Permit, why: str) -> NoReturn:
    """End without acting."""
    permit.withhold()
    raise PermitError(why)


@contextmanager
def undone_on_error(permit: Permit) -> Iterator[None]:
    """
    Around a transaction: an error after `take()` says that it was not kept, unless it was or nobody knows.

    Until the end a body that is given up, as by a cancellation that a thread does not see, is in doubt.
    """
    permit.acting = True
    try:
        yield
    except BaseException:
        ended = permit.kept or permit.in_doubt
        permit.rolled_back = permit.executed_digest is not None and not ended
        raise
    finally:
        permit.acting = False


@contextmanager
def committing(
    permit: Permit, rows: int | None, kept_after: Callable[[BaseException], bool | None]
) -> Iterator[None]:
    """
    Around the commit: the outcome is what the database says, and unknown until it has said it.

    `kept_after` says of an error whether the change was kept, or None where nobody knows. Raises
    ExecutionError in place of an error that leaves that open.
    """
    permit.report_doubt()
    try:
        yield
    except BaseException as error:
        _settle(permit, rows, kept_after(error))
        if permit.in_doubt and isinstance(error, Exception):
            raise ExecutionError(
                "the database did not say whether it kept the change; look whether it is there"
            ) from error
        raise
    permit.report_kept(rows)


def _settle(permit: Permit, rows: int | None, kept: bool | None) -> None:
    permit.in_doubt = kept is None
    if kept:
        permit.report_kept(rows)


def _assumed(permit: Permit, settings: frozenset[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in permit.verdict.assumed:
        if one.name not in settings and one.name != STRUCTURE:
            withhold(
                permit,
                f"the verdict assumes `{one.name}`, which this executor cannot set; use one that can",
            )
        if found.setdefault(one.name, one.value) != one.value:
            withhold(permit, f"the verdict assumes two values of `{one.name}`; split the action")
    return found


def _max_rows(permit: Permit) -> int | None:
    limits = []
    for one in permit.obligations:
        if one.kind == "max_rows_affected":
            if one.value is None:
                withhold(permit, "`max_rows_affected` has no value; correct the policy")
            limits.append(one.value)
    return min(limits, default=None)


def _check_known(permit: Permit, one: Obligation, capabilities: frozenset[Capability]) -> None:
    if one.kind in _REWRITTEN and permit.verdict.rewrite is None:
        withhold(permit, f"`{one.kind}` has no rewrite in the verdict; propose the action again")
    if one.kind not in capabilities:
        withhold(permit, f"this executor cannot carry out `{one.kind}`; use one that can")


def _reads_only(permit: Permit) -> bool:
    return all(effect.verb in _READING for effect in permit.verdict.intent)
