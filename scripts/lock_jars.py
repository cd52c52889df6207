"""Renews streams/broker/jars.lock: resolves Kafka's jars and writes down their hashes."""

from __future__ import annotations

import tempfile
from pathlib import Path

from streams.broker.jars import KAFKA_VERSION, resolve

LOCK = Path(__file__).parents[1] / "streams" / "broker" / "jars.lock"

with tempfile.TemporaryDirectory() as download:
    jars = sorted(resolve(Path(download)), key=lambda jar: jar.coordinate)
lines = [f"{jar.sha256}  {jar.name}  {jar.coordinate}\n" for jar in jars]
head = (
    f"# Every jar on the class path of the embedded Kafka {KAFKA_VERSION}; made by `make locks`.\n"
)
LOCK.write_text(head + "".join(lines), encoding="utf-8")
print(f"{len(jars)} jars locked")
