"""
Runs the demo: `python -m examples.demo`, or `make demo`.

Everything is real: Apache Kafka on a loopback port, a judge and an archiver in processes of their own, signed
records, a DuckDB customer database, and a reader of the archive in another process.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from console.identity import init_home, load_executor
from console.settings import Settings
from console.stack import Stack, running_stack
from enforcers.contract.action import (
    Payload,
    Principal,
    PrincipalKind,
    Proposal,
    ShellPayload,
    SqlPayload,
    Target,
)
from enforcers.contract.verdict import Verdict
from enforcers.errors import ApprovalNeededError, NotAdmittedError, NoVerdictError
from enforcers.executors.command import CommandExecutor
from enforcers.executors.duckdb_file import DuckDBExecutor
from enforcers.executors.duty import CAPABILITIES
from enforcers.executors.result import Rows
from enforcers.gate import Gate
from enforcers.permit import Permit
from enforcers.sync_gate import SyncGate
from examples.demo import database, people
from examples.demo.session import (
    AFTERWARDS,
    APPROVED_ONCE,
    LET_GO,
    PROBES,
    SESSION,
    STOPPED,
    WITHOUT_A_JUDGE,
    Step,
)
from streams.replies import KafkaVerdictChannel

AGENT = Principal(id="agent:local", kind=PrincipalKind.AGENT, session="maintenance-1")
PROBER = Principal(id="agent:prober", kind=PrincipalKind.AGENT, session="probing-1")
HERE = Path(__file__).parent
READER = """
import duckdb, sys
archive = duckdb.connect()
archive.execute(open(sys.argv[1] + "/views.sql").read())
print(archive.sql("SELECT decision, outcome, count(*) AS actions FROM timeline GROUP BY ALL ORDER BY ALL"))
print(archive.sql("SELECT text, rules FROM timeline WHERE decision = 'deny' ORDER BY recorded_at LIMIT 20"))
"""


class Demo:
    """One session of the agent behind one gate."""

    def __init__(self, gate: SyncGate, path: Path, workspace: Path) -> None:
        self._gate = gate
        self._database = DuckDBExecutor(path)
        self._commands = CommandExecutor(workspace)
        self.seen: Counter[str] = Counter()
        self.surprises = 0
        self.verdict: Verdict | None = None
        """The last one that did not admit."""

    def play(self, step: Step, principal: Principal = AGENT, *, quiet: bool = False) -> None:
        """Propose one step, run it if admitted, and print what happened."""
        proposal = Proposal(
            principal=principal,
            target=self._target(step),
            payload=self._payload(step),
            reason="monthly maintenance",
            ticket="OPS-7",
        )
        started = time.perf_counter()
        decision, why = "allow", ""
        try:
            with self._gate.admitted(proposal) as permit:
                answered = time.perf_counter()
                why = self._run(step, permit)
        except NoVerdictError as error:
            answered, decision, why = time.perf_counter(), "no verdict", str(error)
        except NotAdmittedError as error:
            decision = "ask" if isinstance(error, ApprovalNeededError) else "deny"
            answered, self.verdict, why = time.perf_counter(), error.verdict, str(error)
        if not quiet:
            _show(step, decision, why, (answered - started) * 1000)
        self.seen[decision] += 1
        self.surprises += decision != step.expected

    def _run(self, step: Step, permit: Permit) -> str:
        if step.statement:
            return _said(self._database.run(permit), permit)
        return f"exit code {self._commands.run(permit)}"

    def _payload(self, step: Step) -> Payload:
        if step.statement:
            return SqlPayload(statement=step.statement)
        return self._commands.payload(step.argv) if step.argv else ShellPayload(line=step.line)

    def _target(self, step: Step) -> Target:
        if step.statement:
            return Target(
                system="duckdb", environment="production", dialect="duckdb", catalog="customers"
            )
        return Target(system="command", environment="production")


def _show(step: Step, decision: str, why: str, milliseconds: float) -> None:
    mark = {"allow": "✔", "ask": "?"}.get(decision, "✘")
    print(f"{mark} {decision:<10} {milliseconds:6.1f} ms  {step.text[:96]}")
    print(f"{'':25}{why}")


def _said(rows: Rows, permit: Permit) -> str:
    """What came back, and what the verdict has hidden of it."""
    if rows.affected is not None:
        return f"{_rows(rows.affected)} changed"
    hidden = [name for duty in permit.obligations if duty.kind == "mask" for name in duty.columns]
    return _rows(len(rows.rows)) + (f", without {', '.join(hidden)}" if hidden else "")


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def settings_in(home: Path, path: Path) -> Settings:
    """Settings of a stack that lives in one temporary folder."""
    home.mkdir(mode=0o700, exist_ok=True)
    (home / "sluicegate.toml").write_text(
        f'policy = "{HERE / "policy.yaml"}"\n'
        f'[catalogs]\ncustomers = "{HERE / "catalog.yaml"}"\n'
        f'[targets.customers]\nsystem = "duckdb"\npath = "{path}"\ncatalog = "customers"\n'
    )
    return Settings.load({"home": home})


def main() -> int:
    """Play the session; 0 where every action ended as it should."""
    begun = time.perf_counter()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What the commands of the session print comes in between.
        sys.stdout.reconfigure(line_buffering=True)
    with tempfile.TemporaryDirectory(prefix="sluicegate-demo-") as scratch:
        root = Path(scratch)
        path, workspace = root / "customers.duckdb", root / "workspace"
        workspace.mkdir()
        database.create(path)
        settings = settings_in(root / "home", path)
        init_home(settings)
        print("starting Apache Kafka, a judge and an archiver …", flush=True)
        with running_stack(settings) as stack:
            demo = play(settings, stack, path, workspace)
            lost = database.count(path, "customers") != database.CUSTOMERS
            missing = not archived(settings, demo.seen.total())
            surprises = demo.surprises + lost + missing
    print(f"done in {time.perf_counter() - begun:.0f} s, {surprises} surprises")
    return 1 if surprises else 0


def play(settings: Settings, stack: Stack, path: Path, workspace: Path) -> Demo:
    """The session, what people say to it, the time without a judge, and what came after."""
    executor = load_executor(settings, CAPABILITIES)
    gate = SyncGate(lambda: Gate(executor, KafkaVerdictChannel(stack.bootstrap, executor.id)))
    gate.open(timeout_s=30)
    demo = Demo(gate, path, workspace)
    print(f"kafka at {stack.bootstrap}, judge is process {stack.judge.pid}\n")
    for step in SESSION:
        demo.play(step)
    print(f"\ncustomers left: {database.count(path, 'customers')} of {database.CUSTOMERS}")
    approved_once(settings, demo)
    quarantined(settings, demo)
    print("\nthe judge is killed (kill -9): nothing may run now")
    stack.judge.kill()
    demo.play(WITHOUT_A_JUDGE)
    print("\nthe judge is started again")
    stack.judge.start()
    while not gate.ready:
        time.sleep(0.1)
    demo.play(AFTERWARDS)
    gate.close()
    return demo


def approved_once(settings: Settings, demo: Demo) -> None:
    """A person approves one statement: it runs once, and the approval is gone."""
    print("\nmany rows would go: a person has to approve it")
    before, approved, after = APPROVED_ONCE
    demo.play(before)
    assert demo.verdict is not None
    people.approve(settings, demo.verdict, "customer 17 asked for it")
    demo.play(approved)
    print("  the same again: the approval is used up")
    demo.play(after)


def quarantined(settings: Settings, demo: Demo) -> None:
    """An agent that probes is stopped, whatever it asks for; an administrator lets it go on."""
    print("\na second agent is enrolled, while everything runs, and probes")
    people.enroll(settings, PROBER.id, "try-out")
    for probe in PROBES:
        demo.play(probe, PROBER, quiet=probe is not PROBES[0])
    print(f"  … and {len(PROBES) - 1} more; now whatever it asks is stopped")
    for step in STOPPED:
        demo.play(step, PROBER)
    people.lift(settings, PROBER.id, "it was a test of ours")
    demo.play(LET_GO, PROBER)


def archived(settings: Settings, expected: int) -> bool:
    """Ask the archive from another process, as an SRE would; wait until the last action is in it."""
    print("\nthe archive, read by another process with plain DuckDB:\n", flush=True)
    deadline = time.monotonic() + 20
    while _count(settings) < expected and time.monotonic() < deadline:
        time.sleep(0.3)
    subprocess.run([sys.executable, "-c", READER, str(settings.archive)], check=False)
    return _count(settings) == expected


def _count(settings: Settings) -> int:
    script = (
        READER.split("print", 1)[0]
        + "print(archive.execute('SELECT count(*) FROM timeline WHERE outcome IS NOT NULL').fetchone()[0])"
    )
    asked = subprocess.run(
        [sys.executable, "-c", script, str(settings.archive)],
        check=False,
        capture_output=True,
        text=True,
    )
    return int(asked.stdout.strip() or 0) if asked.returncode == 0 else -1


if __name__ == "__main__":
    raise SystemExit(main())
