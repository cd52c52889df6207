"""Asks an endpoint something that changes nothing, to see whether it would be heard."""

from __future__ import annotations

import aiohttp

from enforcers.errors import SettingsError
from streams.alerts.delivery import client
from streams.alerts.endpoint import FORMS, Endpoint, identified
from streams.http_errors import why


async def probe(endpoint: Endpoint) -> str:
    """Why it would take no alerts, as far as that can be seen; empty where it would. Raises SettingsError."""
    method, url = FORMS[endpoint.form].probe(endpoint.url)
    headers = identified(endpoint)
    try:
        async with (
            client(endpoint) as session,
            session.request(method, url, headers=headers, allow_redirects=False) as answer,
        ):
            return _fault_of(endpoint, answer.status)
    except SettingsError:
        raise
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        return why(error)


def _fault_of(endpoint: Endpoint, status: int) -> str:
    """A webhook may know no HEAD; whether it takes the token is seen all the same."""
    wrong = status in (401, 403) or status >= 500
    if endpoint.form != "webhook":
        wrong = not 200 <= status < 300
    return f"{endpoint.shown} answered {status}" if wrong else ""
