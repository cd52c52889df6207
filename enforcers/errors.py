"""
The one error tree.

    SluicegateError
    ├── ContractError          bytes that are no valid action, verdict or outcome
    │   ├── OversizedError     more bytes than the contract admits
    │   └── SignatureError     wrongly signed, or by a key that is not trusted for this
    ├── TrustError             a key or a trust file that cannot be used
    ├── PolicyError            a bundle that does not load
    ├── CatalogError           a catalog that does not load
    ├── SettingsError          a setting that cannot be used
    ├── BrokerError            Kafka cannot be started or reached
    ├── ArchiveError           the archive cannot be opened, written or trusted
    ├── NotAdmittedError       the action must not run
    │   ├── ActionDeniedError      the judge said no
    │   ├── ApprovalNeededError    the judge asks for a person
    │   └── NoVerdictError         silence, or nothing that may be obeyed
    ├── PermitError            a permit used twice, late, or for other bytes
    └── ExecutionError         an admitted action that failed by itself

An expected "no" is a value (`Verdict`); it becomes an error only at the executor's door.
Messages are one line, lower case, and end with what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from enforcers.contract.verdict import Verdict


class SluicegateError(Exception):
    """Base of every error that Sluicegate raises."""


class ContractError(SluicegateError):
    """Bytes that are no valid action, verdict or outcome."""


class OversizedError(ContractError):
    """More bytes than the contract admits."""


class SignatureError(ContractError):
    """Wrongly signed, or signed by a key that is not trusted for this."""


class TrustError(SluicegateError):
    """A key or a trust file that cannot be used."""


class PolicyError(SluicegateError):
    """A policy bundle that does not load."""


class CatalogError(SluicegateError):
    """A catalog that does not load."""


class SettingsError(SluicegateError):
    """A setting that cannot be used."""


class BrokerError(SluicegateError):
    """Kafka cannot be started or reached."""


class ArchiveError(SluicegateError):
    """The archive cannot be opened, written or trusted."""


class NotAdmittedError(SluicegateError):
    """The action must not run. `verdict` is the judge's answer, where there was one."""

    def __init__(self, message: str, verdict: Verdict | None = None) -> None:
        super().__init__(message)
        self.verdict = verdict


class ActionDeniedError(NotAdmittedError):
    """The judge said no."""


class ApprovalNeededError(NotAdmittedError):
    """The judge asks for a person's approval."""


class NoVerdictError(NotAdmittedError):
    """Silence, or nothing that may be obeyed."""


class PermitError(SluicegateError):
    """A permit used twice, late, or for other bytes."""


class ExecutionError(SluicegateError):
    """An admitted action that failed by itself."""
