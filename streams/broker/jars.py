"""
Kafka's own jars, and proof that they are the ones we know.

    jars.lock ──▶ jgo downloads ──▶ hashed ──▶ kept in the cache ──▶ hashed again ──▶ class path

INVARIANT: Java starts only on a class path of which every jar has the SHA-256 in `jars.lock`,
and next to which no other file lies.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from enforcers.errors import BrokerError

if TYPE_CHECKING:
    from jgo.maven import MavenContext

KAFKA_VERSION = "4.3.1"
LOG4J_VERSION = "2.25.4"

ROOTS = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    # Kafka brings SLF4J 1.7 and log4j-core, but no bridge: without it the broker logs nothing.
    f"org.apache.logging.log4j:log4j-slf4j-impl:{LOG4J_VERSION}",
)

Report = Callable[[str], None]
"""Takes one line of progress."""

_DOWNLOADS_AT_ONCE = 4
_TIMEOUT_S = 60


@dataclass(frozen=True)
class Jar:
    """One line of the lock: what to fetch, and what it must hash to."""

    sha256: str
    name: str
    coordinate: str
    """group:artifact:version"""


def locked_jars() -> tuple[Jar, ...]:
    """Return the jars of the committed lock, in class path order."""
    text = files(__package__).joinpath("jars.lock").read_text(encoding="utf-8")
    rows = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return tuple(Jar(*row) for row in rows)


def default_cache() -> Path:
    """
    Return the directory that holds the jars of this Kafka version.

    It belongs to the user, not to one state directory: `--home` does not move it, so that a second
    state directory fetches nothing again. SLUICEGATE_HOME moves it. Raises BrokerError.
    """
    named = os.environ.get("SLUICEGATE_HOME")
    try:
        home = Path(named or "~/.local/state/sluicegate").expanduser()
    except RuntimeError as error:
        raise BrokerError("this user has no home directory: set SLUICEGATE_HOME") from error
    if not home.is_absolute():
        raise BrokerError(f"SLUICEGATE_HOME is the relative path {home}: give an absolute one")
    return home / "jars" / f"kafka-{KAFKA_VERSION}"


def class_path(cache: Path, jars: tuple[Jar, ...] | None = None) -> str:
    """
    Return Java's class path after hashing every jar on it.

    Raises BrokerError when a jar is missing, differs from the lock (it is deleted), or when
    `cache` holds a file that the lock does not name.
    """
    jars = locked_jars() if jars is None else jars
    _refuse_strangers(cache, jars)
    for jar in jars:
        _verify(cache / jar.name, jar)
    return os.pathsep.join(str(cache / jar.name) for jar in jars)


def fetch(cache: Path, report: Report = lambda line: None) -> None:
    """
    Bring every locked jar that is missing into `cache`.

    Several processes may do so at once: a jar appears under its name only whole and verified.
    Raises BrokerError when a download fails or its hash is not the locked one.
    """
    missing = [jar for jar in locked_jars() if not (cache / jar.name).exists()]
    if not missing:
        return
    try:
        _make_private(cache)
        with tempfile.TemporaryDirectory(prefix="download-", dir=cache.parent) as download:
            _fetch_all(missing, cache, Path(download), report)
    except OSError as refusal:
        raise BrokerError(
            f"cannot fetch Kafka's jars into {cache}: {refusal}; "
            f"check the network and the directory, then run again{_proxy(refusal)}"
        ) from refusal


def resolve(download: Path) -> Iterator[Jar]:
    """
    Resolve ROOTS with everything they need; yield lock entries. Used to renew the lock.

    Kafka comes first: where two roots want different versions of a jar, Kafka's choice holds.
    """
    context = _context(download)
    seen: set[tuple[str, str]] = set()
    for root in ROOTS:
        # One root at a time: jgo lets every root's version table override the others' needs.
        found, transitive = context.resolver.resolve([context.create_dependency(root)])
        for artifact in (dependency.artifact for dependency in (*found, *transitive)):
            name = (artifact.groupId, artifact.artifactId)
            if name not in seen:
                seen.add(name)
                path = artifact.resolve()
                yield Jar(_sha256(path), path.name, ":".join((*name, artifact.version)))


def _make_private(cache: Path) -> None:
    # Often this makes the state directory, which is nobody else's to read.
    for directory in (*reversed(cache.parents), cache):
        directory.mkdir(mode=0o700, exist_ok=True)


def _fetch_all(missing: list[Jar], cache: Path, download: Path, report: Report) -> None:
    context = _context(download)
    report(f"Kafka {KAFKA_VERSION}: fetching {len(missing)} jars (about 45 MB in all)")
    size = 0
    with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
        fetched = pool.map(lambda jar: _fetch_one(jar, context, cache), missing)
        for count, jar_size in enumerate(fetched, start=1):
            size += jar_size
            if count % 8 == 0 or count == len(missing):
                report(f"Kafka {KAFKA_VERSION}: {count} of {len(missing)} jars, {size >> 20} MB")


def _fetch_one(jar: Jar, context: MavenContext, cache: Path) -> int:
    artifact = context.create_dependency(jar.coordinate).artifact
    try:
        path = artifact.resolve()
    except (RuntimeError, AssertionError) as failure:
        raise BrokerError(
            f"cannot fetch {jar.coordinate}: {failure}; check the network, then run again"
            f"{_proxy(failure)}"
        ) from failure
    _verify(path, jar)
    size = path.stat().st_size
    path.replace(cache / jar.name)
    return size


def _proxy(failure: Exception) -> str:
    """What to do besides, where a proxy that looks into what passes may have shown a certificate of its own."""
    return "; name your CA file in REQUESTS_CA_BUNDLE" if "SSL" in str(failure) else ""


def _context(download: Path) -> MavenContext:
    # Imported here: it brings an HTTP client, and every start but the first fetches nothing.
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import MavenContext

    # The user's jgo settings may name a mirror. A private cache, so that it makes no difference
    # whether this user has a Maven repository and what is in it.
    repositories = {"central": MAVEN_CENTRAL_URL, **GlobalSettings.load().repositories}
    return MavenContext(
        repo_cache=download, local_repos=[], remote_repos=repositories, timeout=_TIMEOUT_S
    )


def _refuse_strangers(cache: Path, jars: tuple[Jar, ...]) -> None:
    present = {path.name for path in cache.iterdir()} if cache.is_dir() else set()
    strangers = sorted(present - {jar.name for jar in jars})
    if strangers:
        raise BrokerError(
            f"{cache / strangers[0]} is not in the lock of Kafka's jars: delete it, then run again"
        )


def _verify(path: Path, jar: Jar) -> None:
    try:
        actual = _sha256(path)
    except FileNotFoundError as absence:
        raise BrokerError(f"{path} is missing: run `python -m streams.broker fetch`") from absence
    if actual != jar.sha256:
        path.unlink()
        raise BrokerError(
            f"{path} has the wrong hash ({actual[:12]}…, locked is {jar.sha256[:12]}…) "
            "and was deleted: run again to fetch it anew"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
