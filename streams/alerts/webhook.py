"""
A signed JSON body, by the rules of Standard Webhooks: HMAC-SHA256 over id, time and body.

    webhook-id . webhook-timestamp . body ──HMAC with the key──▶ webhook-signature: v1,base64

The id is the same at every attempt and the time is not: whoever receives refuses what is old or has an id that
was taken before, so a recorded request cannot be sent again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from enforcers.contract.base import rfc3339
from enforcers.errors import SettingsError
from streams.alerts.alert import Alert

TYPE = "sluicegate.alerts"
SECRET_PREFIX = "whsec_"
SHORTEST_KEY = 24
"""Bytes; what Standard Webhooks asks for."""


class Webhook:
    """The form `webhook`."""

    def address(self, url: str) -> str:
        """As it was configured."""
        return url

    def probe(self, url: str) -> tuple[str, str]:
        """Its headers, which ask a receiver for nothing."""
        return "HEAD", url

    def body(self, alerts: Sequence[Alert], messages: bool, now: datetime) -> bytes:
        """The object that is posted."""
        told = [_posted(one, messages) for one in alerts]
        body = {
            "type": TYPE,
            "timestamp": rfc3339(now),
            "data": {"zone": alerts[0].zone, "alerts": told},
        }
        return json.dumps(body, separators=(",", ":")).encode()

    def headers(
        self, alerts: Sequence[Alert], body: bytes, key: bytes, now: datetime
    ) -> dict[str, str]:
        """Id, time and signature."""
        name, seconds = delivery_id(alerts), str(int(now.timestamp()))
        return {
            "webhook-id": name,
            "webhook-timestamp": seconds,
            "webhook-signature": sign(key, name, seconds, body),
        }


def delivery_id(alerts: Sequence[Alert]) -> str:
    """The same for the same alerts with the same counts, so at every attempt."""
    text = " ".join(f"{one.id}:{one.count}" for one in alerts)
    return f"msg_{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def sign(key: bytes, name: str, seconds: str, body: bytes) -> str:
    """The signature of one request."""
    signed = b".".join((name.encode(), seconds.encode(), body))
    made = hmac.new(key, signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(made).decode()}"


def key_of(secret: str) -> bytes:
    """The key in a secret: what follows `whsec_` is base64, anything else is taken as it is. Raises SettingsError."""
    coded = secret.removeprefix(SECRET_PREFIX)
    try:
        key = secret.encode() if coded == secret else base64.b64decode(coded, validate=True)
    except binascii.Error as error:
        raise SettingsError(
            f"what follows `{SECRET_PREFIX}` is no base64; make the key anew"
        ) from error
    if len(key) < SHORTEST_KEY:
        raise SettingsError(
            f"key has {len(key)} bytes; take at least {SHORTEST_KEY}, such as from"
            " `openssl rand -hex 32`"
        )
    return key


def _posted(alert: Alert, messages: bool) -> dict[str, Any]:
    subject = alert.subject
    told = {"messages": alert.messages, "remedies": alert.remedies} if messages else {}
    return {
        "id": alert.id,
        "kind": subject.kind,
        "severity": subject.severity,
        "code": subject.code,
        "about": subject.about,
        "rule": subject.rule or None,
        "summary": alert.summary,
        "count": alert.count,
        "first_at": rfc3339(alert.first_at),
        "last_at": rfc3339(alert.last_at),
        "source": alert.source or None,
        "evidence": alert.evidence,
        **told,
    }
