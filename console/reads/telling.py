"""
Tells Kafka who read the archive, in a second or not at all.

    thread: connect ───────────────────▶ publish, one signed finding a reading ──▶ places
    command: reads, shows its answer ──┘ waits a second at most

Whatever stays untold is told by the next command on this machine.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Sequence
from uuid import UUID

from console.identity import key_path, load_trust_of
from console.own_keys import roles_here
from console.reads.journal import Untold
from console.reads.reading import finding_of
from console.settings import Settings
from console.stack import bootstrap_of, started_broker
from enforcers.contract.base import utc_now
from enforcers.contract.finding import Finding
from enforcers.contract.keys import load_key
from enforcers.contract.signing import Signer
from enforcers.contract.trust import Role
from enforcers.errors import TrustError

PATIENCE_S = 1.0
"""Nobody waits longer for a record about his reading."""
MOST = 64
"""Readings that one command tells."""
SIGNERS = (Role.ADMINISTRATOR, Role.APPROVER, Role.ARCHIVER, Role.EXECUTOR, Role.JUDGE)
"""Whose key signs it, the first that lies here: a person's before a machine's."""
UNENDED = "not known to have ended"

Places = dict[UUID, str]
"""Where Kafka has what."""


class Teller:
    """Connects at once, beside the reading; `tell` is called once, at the end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._work: queue.Queue[Sequence[Untold]] = queue.Queue()
        self._places: Places = {}
        self._why = ""
        self._thread = threading.Thread(target=self._run, name="sluicegate-reads", daemon=True)
        self._thread.start()

    def tell(self, readings: Sequence[Untold]) -> tuple[Places, str]:
        """What Kafka has now, and why not all of it; takes `PATIENCE_S` at most."""
        self._work.put(readings)
        self._thread.join(PATIENCE_S)
        silent = f"kafka did not answer in {PATIENCE_S:g} s" if self._thread.is_alive() else ""
        return dict(self._places), self._why or silent

    def _run(self) -> None:
        try:
            asyncio.run(self._publish())
        except Exception as error:
            # Whatever it was: who reads is told that the reading is not recorded there, and reads on.
            lines = str(error).splitlines()
            self._why = lines[0] if lines else type(error).__name__

    async def _publish(self) -> None:
        # Imported here: who has no broker waits for nothing that only this needs.
        from streams.control_log import ControlLog

        signer, source = signing_key(self._settings)
        async with ControlLog(bootstrap_of(self._settings), self._settings.zone) as log:
            waiting = await asyncio.to_thread(self._work.get)
            for one in waiting[:MOST]:
                stored = await log.publish(_finding(one, source), signer, source)
                self._places[one.reading.id] = stored.place


def has_broker(settings: Settings) -> bool:
    """Whether there is a Kafka that should hear of it. Raises SettingsError."""
    return bool(settings.bootstrap) or started_broker(settings) is not None


def signing_key(settings: Settings) -> tuple[Signer, str]:
    """A key that lies here and is trusted now, and whose. Raises TrustError, SettingsError."""
    trust = load_trust_of(settings)
    for role in (role for role in SIGNERS if role in roles_here(settings)):
        signer = load_key(key_path(settings, role), settings.zone)
        known = trust.keys.get(signer.kid)
        if known is not None and known.role is role and known.valid_at(utc_now()):
            return signer, known.id
    raise TrustError("no key lies here that the trust file names; make one with `sluicegate keys`")


def _finding(one: Untold, source: str) -> Finding:
    return finding_of(one.reading, one.rows, one.result or UNENDED, source)
