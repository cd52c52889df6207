"""
What `sluicegate doctor` looks at. A check returns what it found or raises an error with a remedy;
none of them changes anything.

    this machine ──▶ CHECKS, each key here ──▶ Finding
    its broker ────▶ `in_force.LOOKS` ───────▶ Finding, or that it could not be asked
"""

from __future__ import annotations

import functools
import importlib
import platform
import stat
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from analytics.archive.database import run
from console import alerting, witnesses
from console.administering import consulted
from console.archive import open_archive
from console.databases import address_of, ledger_path
from console.files import is_there
from console.identity import load_trust_of
from console.in_force import LOOKS
from console.own_keys import own_key, roles_here
from console.settings import Settings
from console.stack import BOOTSTRAP_SETTING, bootstrap_of, started_broker
from enforcers.catalog import EMPTY_CATALOG, load_catalog
from enforcers.contract.base import utc_now
from enforcers.contract.trust import Role
from enforcers.errors import BrokerError, SettingsError, SluicegateError, TrustError
from enforcers.executors.unrevoked import pending
from enforcers.intent.sql import read_sql
from enforcers.policy.cases import run_case
from enforcers.policy.loading import load_policy
from enforcers.principals import load_principals
from streams.broker import jars
from streams.broker.java import find_java, java_version
from streams.broker.readiness import cluster_id, run_apart

PATIENCE_S = 3.0
OLDEST_PYTHON = (3, 11)
_GUIDE = "see docs/configuration.md"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    check: str
    ok: bool
    detail: str
    remedy: str = ""
    asked: bool = True
    """False: nobody could be asked, so that `ok` says nothing."""


def examine(settings: Settings) -> tuple[Finding, ...]:
    """Every check, in order; one that fails does not stop the others."""
    checks = (*CHECKS, *_own_keys(settings))
    found = {name: _run(name, functools.partial(check, settings)) for name, check in checks}
    return (*found.values(), *_in_force(settings, found["broker"]))


def _run(name: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, check())
    except Exception as error:
        return _failed(name, error)


def _failed(name: str, error: Exception) -> Finding:
    if isinstance(error, SluicegateError):
        detail, _, remedy = str(error).rpartition("; ")
        return Finding(name, False, detail or remedy, remedy if detail else _GUIDE)
    # A check that fails by itself is a finding too; the others still tell their part.
    detail = f"check failed with {type(error).__name__}: {error}"
    return Finding(name, False, detail, "report it")


def _in_force(settings: Settings, broker: Finding) -> tuple[Finding, ...]:
    """What holds where the broker is, or that nobody could be asked."""
    first, *others = [name for name, _ in LOOKS]
    if not broker.ok:
        return _not_asked([first, *others], "no kafka answers")
    if not settings.bootstrap and started_broker(settings) is None:
        return _not_asked([first, *others], "no kafka runs here, `sluicegate up` starts one")
    try:
        with consulted(settings) as at:
            # Read once, before the first look.
            _ = at.state
            return tuple(_run(name, functools.partial(look, at)) for name, look in LOOKS)
    except Exception as error:
        return (_failed(first, error), *_not_asked(others, f"see `{first}`"))


def _not_asked(names: Sequence[str], why: str) -> tuple[Finding, ...]:
    return tuple(Finding(name, True, f"not asked: {why}", asked=False) for name in names)


def _python(_: Settings) -> str:
    if sys.version_info < OLDEST_PYTHON:
        raise SettingsError(f"python {platform.python_version()} is too old; install 3.11 or newer")
    return platform.python_version()


def _reader(_: Settings) -> str:
    if read_sql("SELECT 1", "postgres", EMPTY_CATALOG).opaque:
        raise SettingsError(
            f"sqlglot {version('sqlglot')} reads no statement here, as with its compiled extra `c`;"
            " install what `requirements/runtime.txt` names and nothing else"
        )
    return f"sqlglot {version('sqlglot')}"


def _second_reader(_: Settings) -> str:
    try:
        importlib.import_module("pgparse")
    except ImportError:
        return "not installed: sqlglot alone reads postgres; the extra `postgres` adds a second one"
    return f"pgparse {version('pgparse')} reads postgres a second time"


def _java(settings: Settings) -> str:
    if settings.bootstrap:
        return "not needed: kafka servers are configured"
    java = find_java()
    return f"{java_version(java)} at {java}"


def _jars(settings: Settings) -> str:
    if settings.bootstrap:
        return "not needed: kafka servers are configured"
    cache, locked = jars.default_cache(), jars.locked_jars()
    missing = sum(1 for jar in locked if not is_there(cache / jar.name))
    if missing:
        raise BrokerError(
            f"{missing} of {len(locked)} jars are not in `{cache}`; run `sluicegate up`, which"
            " fetches them"
        )
    return f"kafka {jars.KAFKA_VERSION}: all {len(locked)} jars fetched"


def _broker(settings: Settings) -> str:
    if not settings.bootstrap and started_broker(settings) is None:
        return "embedded, not started"
    servers = bootstrap_of(settings)
    try:
        cluster = run_apart(cluster_id(servers, patience=PATIENCE_S))
    except TimeoutError as silence:
        # `up` starts no broker where servers are configured.
        remedy = (
            f"start it, or correct {BOOTSTRAP_SETTING}"
            if settings.bootstrap
            else "stop `sluicegate up` and run it again"
        )
        raise BrokerError(f"no kafka answers on {servers}; {remedy}") from silence
    return f"{servers} answers, cluster {cluster}"


def _home(settings: Settings) -> str:
    for path in (settings.home, settings.trust, settings.principals, settings.keys):
        if not is_there(path):
            raise TrustError(f"`{path}` does not exist; run `sluicegate keys init`")
        if path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise TrustError(f"`{path}` may be written by other users; run `chmod go-w {path}`")
    _refuse_open(settings.home)
    return str(settings.home)


def _refuse_open(directory: Path) -> None:
    if directory.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise TrustError(f"`{directory}` is open to other users; run `chmod 700 {directory}`")


def _keys(settings: Settings) -> str:
    present = ", ".join(role.value for role in roles_here(settings))
    if not present:
        raise TrustError(f"no key is in `{settings.keys}`; run `sluicegate keys init`")
    return present


def _own_keys(settings: Settings) -> list[tuple[str, Callable[[Settings], str]]]:
    """A check for each key that lies here."""
    try:
        return [
            (f"{role.value}'s key", functools.partial(own_key, role=role))
            for role in roles_here(settings)
        ]
    except SettingsError:
        # `keys` looks as well, and says why it cannot.
        return []


def _trust(settings: Settings) -> str:
    known, now = load_trust_of(settings).keys.values(), utc_now()
    valid = Counter(one.role for one in known if one.valid_at(now))
    if not valid[Role.JUDGE]:
        raise TrustError(
            f"no judge's key in `{settings.trust}` is valid now, so no verdict counts here; correct"
            " the trust file"
        )
    over = len(known) - valid.total()
    roles = ", ".join(f"{count} {role.value}" for role, count in valid.items())
    return f"valid: {roles}{f'; not valid now: {over}' if over else ''}"


def _principals(settings: Settings) -> str:
    return f"{len(load_principals(settings.principals))} enrolled"


def _policy(settings: Settings) -> str:
    policy = load_policy(settings.policy, run_case)
    return f"{policy.bundle.name}, {len(policy.bundle.rules)} rules, version {policy.hash[:16]}"


def _catalogs(settings: Settings) -> str:
    for path in settings.catalogs.values():
        load_catalog(path)
    return f"{len(settings.catalogs)} declared"


def _targets(settings: Settings) -> str:
    for name, target in settings.targets.items():
        if target.path is None:
            address_of(name, target)
        elif not is_there(target.path):
            raise SettingsError(f"target `{name}`: no file `{target.path}`; correct its path")
    return f"{len(settings.targets)} declared"


def _unrevoked(settings: Settings) -> str:
    left = pending(ledger_path(settings.home))
    if left:
        first = left[0]
        raise SettingsError(
            f"{len(left)} roles were not dropped, such as `{first.role}` on `{first.target}`:"
            f" {first.why}; drop them, or run a statement on the target, which tries again"
        )
    return "no role was left on a database"


def _archive(settings: Settings) -> str:
    directory: Path = settings.archive
    if not is_there(directory):
        return f"`{directory}` does not exist yet; the archiver makes it"
    _refuse_open(directory)
    with open_archive(settings) as connection:
        ((last,),) = run(connection, "SELECT max(seq) FROM records")
    return f"`{directory}`, last sequence {last or 0}"


CHECKS: tuple[tuple[str, Callable[[Settings], str]], ...] = (
    ("python", _python),
    ("sql reader", _reader),
    ("postgres reader", _second_reader),
    ("java", _java),
    ("kafka jars", _jars),
    ("broker", _broker),
    ("home", _home),
    ("keys", _keys),
    ("trust", _trust),
    ("principals file", _principals),
    ("policy file", _policy),
    ("catalogs", _catalogs),
    ("targets", _targets),
    ("minted roles", _unrevoked),
    ("archive", _archive),
    ("alerts", alerting.answering),
    ("witnesses", witnesses.cosigning),
)
"""Every check, in the order in which a newcomer needs them."""
