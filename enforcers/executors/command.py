"""Runs an admitted command: one argv, no shell, an absolute program, an environment empty but for an allow-list."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from enforcers.contract.action import Capability, ShellPayload
from enforcers.errors import ExecutionError, PermitError
from enforcers.executors.duty import check_asks_nothing
from enforcers.permit import Permit

ENVIRONMENT = ("HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "TERM", "TZ", "USER")
"""Variables that a command inherits; everything else, secrets above all, stays with the caller."""

_CONNECTORS = frozenset({"|", "||", "&&", ";", "&", ">", ">>", "<", "<<", "|&"})


class CommandExecutor:
    """
    Runs programs in one working directory with inherited standard streams.

    What a program writes does not pass through here, so its outcome says neither rows nor bytes.
    """

    system = "command"
    capabilities: frozenset[Capability] = frozenset()
    """None: nobody knows what a program does with an obligation."""

    def __init__(self, cwd: Path, environment: Mapping[str, str] | None = None) -> None:
        self._cwd = cwd
        source = os.environ if environment is None else environment
        self._environment = {name: source[name] for name in ENVIRONMENT if name in source}

    def payload(self, argv: Sequence[str]) -> ShellPayload:
        """What to propose for `argv`. Raises ExecutionError for a list, a pipe or an unknown program."""
        if not argv or not argv[0]:
            raise ExecutionError("no command given; write `sluicegate run -- PROGRAM ARGUMENTS`")
        joined = next((word for word in argv if word in _CONNECTORS), None)
        if joined is not None:
            raise ExecutionError(
                f"`{joined}` needs a shell; run each command of the list by itself"
            )
        if any("\0" in word for word in argv):
            raise ExecutionError("a word holds a NUL byte; leave it out")
        return ShellPayload(
            argv=tuple(argv),
            program=self._resolve(argv[0]),
            cwd=str(self._cwd),
            workspace=str(self._cwd),
        )

    def run(self, permit: Permit) -> int:
        """Run the permit's argv and return its exit code. Raises ExecutionError, PermitError."""
        check_asks_nothing(permit, "run its SQL with `sluicegate sql`")
        payload = permit.take()
        if not isinstance(payload, ShellPayload) or not payload.argv or payload.program is None:
            raise PermitError("permit is for no resolved argv; propose what `payload` returns")
        try:
            done = subprocess.run(
                payload.argv,
                executable=payload.program,
                cwd=payload.cwd,
                env=self._environment,
                check=False,
            )
        except OSError as error:
            raise ExecutionError(
                f"`{payload.program}` did not start: {error.strerror}; check it"
            ) from error
        # A shell reports a signal as 128 + its number; callers expect the same of us.
        code = done.returncode if done.returncode >= 0 else 128 - done.returncode
        if code:
            permit.report_failure(f"exit code {code}")
        return code

    def _resolve(self, program: str) -> str:
        found = shutil.which(program, path=self._environment.get("PATH", os.defpath))
        if found is None:
            raise ExecutionError(f"program `{program}` was not found; give its path")
        # The real file is named, so that a link cannot lend a harmless name to another program.
        return str((self._cwd / found).resolve())
