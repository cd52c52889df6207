"""
Errors become one line on standard error and an exit code.

    0 done   1 the command itself failed   2 usage   3 denied   4 approval needed   5 no verdict
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from console.plain import one_line
from enforcers.errors import (
    ActionDeniedError,
    ApprovalNeededError,
    BrokerError,
    CatalogError,
    ContractError,
    NoVerdictError,
    PolicyError,
    SettingsError,
    SluicegateError,
    TrustError,
)

FAILED = 1
EXIT_CODES: dict[type[SluicegateError], int] = {
    SettingsError: 2,
    PolicyError: 2,
    CatalogError: 2,
    TrustError: 2,
    ContractError: 2,
    ActionDeniedError: 3,
    ApprovalNeededError: 4,
    NoVerdictError: 5,
    BrokerError: 5,
}
"""Every other error of ours is a failure of the command itself."""


def exit_code(error: SluicegateError) -> int:
    """The exit code of an error, or of the nearest kind that it belongs to."""
    return next((EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES), FAILED)


class Commands(TyperGroup):
    """The root command, which ends every error as this module's docstring says."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run one command and exit."""
        try:
            # Not standalone, the exit code of `typer.Exit` comes back as the result.
            code = super().main(args, prog_name, complete_var, False, **extra)
        except SluicegateError as error:
            _fail(str(error), exit_code(error))
        except TyperException as error:
            _fail(_usage(error), error.exit_code)
        except typer.Abort:
            _fail("interrupted", 130)
        sys.exit(code if isinstance(code, int) else 0)


def _usage(error: TyperException) -> str:
    # Typer raises one without a message after it has shown the help that was missing.
    message = error.format_message().replace("Value error, ", "").rstrip(".")
    # Only an error in what was typed knows its command.
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "sluicegate"
    return f"{message}; see `{command} --help`" if message else ""


def _fail(message: str, code: int) -> None:
    if message:
        typer.echo(f"error: {one_line(message)}", err=True)
    sys.exit(code)
