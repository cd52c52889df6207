"""`sluicegate run -- CMD…`: propose a command, run it if it is admitted."""

from __future__ import annotations

from typing import Annotated

import typer

from console.cli.context import settings_of
from console.cli.refusals import Wait, seconds_of, told
from console.files import here
from enforcers.contract.action import ShellPayload, Target
from enforcers.errors import ContractError, ExecutionError
from enforcers.executors.command import CommandExecutor


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}
    )(run)


def run(
    context: typer.Context,
    command: Annotated[list[str], typer.Argument(help="the program and its arguments, after `--`")],
    reason: Annotated[str, typer.Option(help="why, for the archive")] = "",
    ticket: Annotated[str, typer.Option(help="ticket, for the archive")] = "",
    wait: Wait = "",
) -> None:
    """Propose one command and run it if it is admitted; its exit code is passed on."""
    # Imported here, for a command waits for nothing that only another one needs.
    from console.contracted import held_to_contract
    from console.proposing import open_gate, proposal_of, wait_of

    _refuse_option(command[0])
    settings = settings_of(context)
    wait_s = wait_of(settings, seconds_of(wait))
    executor = CommandExecutor(here())
    target = Target(system=executor.system, environment=settings.environment)
    with held_to_contract():
        proposal = proposal_of(settings, target, _payload(executor, command), reason, ticket)
    with (
        told(as_json=False),
        open_gate(settings, executor.capabilities) as gate,
        gate.admitted(proposal, settings.valid_for_ms, wait_s) as permit,
    ):
        code = executor.run(permit)
    raise typer.Exit(code)


def _refuse_option(word: str) -> None:
    """Options of the program are its own, so one that stands first was meant for this command."""
    if word.startswith("-"):
        raise ContractError(f"no option `{word[:50]}`; options stand before `--`")


def _payload(executor: CommandExecutor, command: list[str]) -> ShellPayload:
    try:
        return executor.payload(command)
    except ExecutionError as error:
        # Nothing was proposed and nothing ran: the command line is wrong.
        words = command[0].split()
        if len(command) == 1 and len(words) > 1:
            raise ContractError(
                f"`{command[0]}` is one word and no shell reads it; write each word by itself:"
                f" `sluicegate run -- {words[0]} …`, without pipes and lists"
            ) from error
        raise ContractError(str(error)) from error
