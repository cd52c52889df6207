"""Why somebody else's server did not answer, in words that hold nothing of its address."""

from __future__ import annotations

import aiohttp

from streams.alerts.alert import clean

PATIENCE_S = 10.0
"""How long an answer is waited for."""


def why(error: Exception, waited_s: float = PATIENCE_S) -> str:
    """An error of the client in words. Its own text may hold the address, which may hold a secret."""
    if isinstance(error, TimeoutError):
        return f"no answer within {waited_s:g} s"
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return "its certificate is not trusted (a private CA is named with `ca_file`)"
    reason = getattr(error, "strerror", "") or type(error).__name__
    return f"it cannot be reached ({clean(str(reason), 120)})"
