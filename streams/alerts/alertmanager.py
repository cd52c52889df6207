"""
Alertmanager's API, version 2: an array of labels, annotations and times.

INVARIANT: labels hold names only, never an id or a message. Alertmanager takes equal labels for one alert, so a
label that differs each time would make 10,000 alerts of one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from enforcers.contract.base import rfc3339
from enforcers.contract.finding import Severity
from streams.alerts.alert import Alert, Kind

PATH = "/api/v2/alerts"
HOLDS_FOR = timedelta(minutes=15)
"""An alert ends this long after it was told, unless it is told again: a denial is an event and has no end."""

NAMES = {
    Kind.DENIAL: "SluicegateDenial",
    Kind.FINDING: "SluicegateFinding",
    Kind.FORGED_RECORD: "SluicegateForgedRecord",
}
SEVERITIES = {Severity.NOTICE: "info", Severity.WARNING: "warning", Severity.ALERT: "critical"}
"""The words that Prometheus rules use."""


class Alertmanager:
    """The form `alertmanager`."""

    def address(self, url: str) -> str:
        """The API below the configured address."""
        return f"{self._base(url)}{PATH}"

    def probe(self, url: str) -> tuple[str, str]:
        """Its status, which nobody may see without the token."""
        return "GET", f"{self._base(url)}/api/v2/status"

    def body(self, alerts: Sequence[Alert], messages: bool, now: datetime) -> bytes:
        """The array that is posted."""
        return json.dumps([_posted(one, messages, now) for one in alerts]).encode()

    def headers(
        self, alerts: Sequence[Alert], body: bytes, key: bytes, now: datetime
    ) -> dict[str, str]:
        """Nothing: Alertmanager reads no signature."""
        return {}

    def _base(self, url: str) -> str:
        return url.rstrip("/").removesuffix(PATH)


def _posted(alert: Alert, messages: bool, now: datetime) -> dict[str, Any]:
    # `generatorURL` is left out: no page shows one alert.
    return {
        "labels": _filled(_labels(alert)),
        "annotations": _filled(_annotations(alert, messages)),
        "startsAt": rfc3339(min(alert.first_at, now)),
        "endsAt": rfc3339(now + HOLDS_FOR),
    }


def _labels(alert: Alert) -> dict[str, str]:
    return {
        "alertname": NAMES[alert.subject.kind],
        "severity": SEVERITIES[alert.subject.severity],
        "code": alert.subject.code,
        "about": alert.subject.about,
        "rule": alert.subject.rule,
        "zone": alert.zone,
    }


def _annotations(alert: Alert, messages: bool) -> dict[str, str]:
    told = {"description": "\n".join(alert.messages), "remedy": "\n".join(alert.remedies)}
    return {
        "summary": alert.summary,
        **(told if messages else {}),
        "count": str(alert.count),
        "first_at": rfc3339(alert.first_at),
        "last_at": rfc3339(alert.last_at),
        "evidence": " ".join(alert.evidence),
        "source": alert.source,
        "alert_id": alert.id,
    }


def _filled(texts: dict[str, str]) -> dict[str, str]:
    """Without those that are empty: to Alertmanager an empty label is none."""
    return {name: text for name, text in texts.items() if text}
