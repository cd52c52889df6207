"""
An endpoint and the two forms of telling it: Alertmanager's API and a signed JSON body.

    alerts + Endpoint ──FORMS[form]──▶ Request (body, headers) ──▶ delivery

INVARIANT: secrets are asked for when a request is made and kept nowhere; no error and no log line holds one.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from enforcers.errors import SettingsError
from streams.alerts import alertmanager, webhook
from streams.alerts.alert import Alert

AGENT = "sluicegate"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where alerts go, and how."""

    name: str
    form: str
    """One of `FORMS`."""
    url: str = field(repr=False)
    token: Callable[[], str] | None = None
    """Gives the bearer token. Raises SettingsError."""
    key: Callable[[], bytes] | None = None
    """Gives the key that signs bodies. Raises SettingsError."""
    ca_file: Path | None = None
    messages: bool = True
    """Whether messages and remedies of the records leave."""
    interval_s: float = 60.0

    @property
    def shown(self) -> str:
        """Scheme, host and port: the rest of an address may be a secret."""
        parts = urlsplit(self.url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}"

    def trusted(self) -> ssl.SSLContext:
        """Whose certificates are believed. Raises SettingsError."""
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(
                f"`{self.ca_file}` holds no certificates: {error.strerror or 'unreadable'};"
                f" correct `ca_file` of [alerts.{self.name}]"
            ) from error


@dataclass(frozen=True, slots=True)
class Request:
    """One request, ready to be sent."""

    url: str
    body: bytes
    headers: dict[str, str] = field(repr=False)


class Form(Protocol):
    """How alerts become a request. A form holds nothing."""

    def address(self, url: str) -> str:
        """Where alerts are posted, by the address that was configured."""
        ...

    def probe(self, url: str) -> tuple[str, str]:
        """Method and address of a request that changes nothing, to see whether somebody answers."""
        ...

    def body(self, alerts: Sequence[Alert], messages: bool, now: datetime) -> bytes:
        """What is posted."""
        ...

    def headers(
        self, alerts: Sequence[Alert], body: bytes, key: bytes, now: datetime
    ) -> dict[str, str]:
        """What is sent along."""
        ...


FORMS: dict[str, Form] = {
    "alertmanager": alertmanager.Alertmanager(),
    "webhook": webhook.Webhook(),
}
"""Every form by its name in the settings."""


def request_of(endpoint: Endpoint, alerts: Sequence[Alert], now: datetime) -> Request:
    """The request that tells these alerts. Raises SettingsError where a secret cannot be had."""
    form = FORMS[endpoint.form]
    body = form.body(alerts, endpoint.messages, now)
    key = endpoint.key() if endpoint.key else b""
    headers = {
        "Content-Type": "application/json",
        **identified(endpoint),
        **form.headers(alerts, body, key, now),
    }
    return Request(form.address(endpoint.url), body, headers)


def identified(endpoint: Endpoint) -> dict[str, str]:
    """Who asks. Raises SettingsError where the token cannot be had."""
    who = {"User-Agent": AGENT}
    return who | {"Authorization": f"Bearer {endpoint.token()}"} if endpoint.token else who
