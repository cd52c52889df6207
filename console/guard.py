"""
The Python API: guard a statement or a function in a few lines.

    with open_guard(Settings.load()) as guard:
        rows = guard.sql("customers", "SELECT count(*) FROM customers", reason="report")

        @guard.function(environment="production")
        def refund(order: int, amount: int) -> None: ...
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar

from console.contracted import held_to_contract
from console.databases import open_database
from console.proposing import open_gate, proposal_of, wait_of
from console.settings import Settings
from enforcers.contract.action import SqlPayload, Target, ToolPayload
from enforcers.errors import ContractError
from enforcers.executors.duty import CAPABILITIES, check_asks_nothing
from enforcers.executors.result import Rows
from enforcers.sync_gate import SyncGate

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Guard:
    """Proposes as the configured principal, and acts only when admitted."""

    def __init__(self, settings: Settings, gate: SyncGate) -> None:
        self._settings = settings
        self._gate = gate

    def sql(
        self,
        target: str,
        statement: str,
        *,
        reason: str = "",
        ticket: str = "",
        wait_s: float | None = None,
    ) -> Rows:
        """
        Run one statement on a declared target, if need be after waiting `wait_s` for people's approval.

        Without `wait_s` it waits as the settings say. Raises NotAdmittedError, ContractError, ExecutionError.
        """
        wait = wait_of(self._settings, wait_s)
        declared = self._settings.target(target)
        database = open_database(target, declared, self._settings.home)
        where = Target(
            system=declared.system,
            environment=declared.environment,
            dialect=declared.dialect or database.dialect,
            catalog=declared.catalog,
        )
        with held_to_contract():
            payload = SqlPayload(statement=statement)
            proposal = proposal_of(self._settings, where, payload, reason, ticket)
        with self._gate.admitted(proposal, self._settings.valid_for_ms, wait) as permit:
            return database.run(permit)

    def function(
        self, environment: str, *, wait_s: float | None = None
    ) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
        """Make every call of a function a tool action that must be admitted with exactly its arguments."""
        wait = wait_of(self._settings, wait_s)

        def decorate(body: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
            signature = inspect.signature(body)

            @functools.wraps(body)
            def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
                bound = signature.bind(*args, **kwargs)
                bound.apply_defaults()
                payload = _tool(body.__qualname__, dict(bound.arguments))
                target = Target(system="python", environment=environment)
                proposal = proposal_of(self._settings, target, payload, "", "")
                with self._gate.admitted(proposal, self._settings.valid_for_ms, wait) as permit:
                    check_asks_nothing(permit, "change the policy for this function")
                    permit.take()
                    return body(*args, **kwargs)

            return guarded

        return decorate


@contextlib.contextmanager
def open_guard(settings: Settings) -> Iterator[Guard]:
    """A guard on an open gate. Raises NoVerdictError, BrokerError, TrustError."""
    with open_gate(settings, CAPABILITIES) as gate:
        yield Guard(settings, gate)


def _tool(name: str, arguments: dict[str, Any]) -> ToolPayload:
    try:
        return ToolPayload(tool=name, arguments=arguments)
    except ValueError as error:
        raise ContractError(
            f"arguments of `{name}` are no JSON values; pass text, numbers, lists or maps"
        ) from error
