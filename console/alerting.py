"""
The endpoints that alerts go to, with their secrets looked up where the settings say they lie.

INVARIANT: a secret stands in a file or in the environment. It is never an argument, and no message repeats it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from console.alert_settings import AlertSettings
from console.settings import Settings
from enforcers.errors import BrokerError, SettingsError

if TYPE_CHECKING:
    from streams.alerts import Endpoint

_MOST_SECRET_BYTES = 65_536
_ADDRESS = re.compile(r"[!-~]{1,2000}")
_TOKEN = re.compile(r"[!-~]{1,16000}")
_TOO_OPEN = stat.S_IRWXO | stat.S_IWGRP
"""Who else than owner and group may read a secret, and who may write it."""


def endpoints_of(settings: Settings) -> tuple[Endpoint, ...]:
    """Every configured endpoint; its secrets can be had. Raises SettingsError."""
    return tuple(_endpoint(name, one) for name, one in sorted(settings.alerts.items()))


def _endpoint(name: str, one: AlertSettings) -> Endpoint:
    # Imported here: a command that tells nobody needs no HTTP client.
    from streams.alerts import Endpoint

    where = f"[alerts.{name}]"
    token = _secret(where, "token", one.token_file, one.token_variable)
    key = _secret(where, "key", one.key_file, one.key_variable)
    endpoint = Endpoint(
        name,
        one.form,
        _address(where, one, with_token=token is not None),
        None if token is None else lambda: _token(where, token()),
        None if key is None else lambda: _key(where, key()),
        one.ca_file,
        one.messages,
        one.interval_s,
    )
    # Looked at once, so that what is missing is said before anything starts.
    for secret in (endpoint.token, endpoint.key, endpoint.trusted):
        if secret is not None:
            secret()
    return endpoint


def _address(where: str, one: AlertSettings, *, with_token: bool) -> str:
    if one.url is not None:
        text = one.url.get_secret_value()
    else:
        text = _variable(where, "url_variable", one.url_variable or "")
    if why := _fault_of(text, with_token=with_token):
        raise SettingsError(f"address of {where} {why}; correct it")
    return text


def _fault_of(text: str, *, with_token: bool) -> str:
    """What is wrong with an address; the address itself may be a secret."""
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return "is no address"
    if not _ADDRESS.fullmatch(text) or parts.scheme not in ("http", "https") or not host:
        return "does not begin with https:// or http:// and a host"
    if parts.username is not None or parts.password is not None:
        return "holds a user or a password, which `token_file` is for"
    if parts.fragment:
        return "has a part after #, which is never sent"
    if parts.scheme == "http" and with_token and not _is_here(host):
        return "is not https, and its token would cross the network in the clear"
    return ""


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _secret(
    where: str, what: str, file: Path | None, variable: str | None
) -> Callable[[], str] | None:
    """How a secret is looked up each time it is needed, so that a new one holds at once."""
    if file is not None:
        return lambda: _content(where, f"{what}_file", file)
    if variable is not None:
        return lambda: _variable(where, f"{what}_variable", variable)
    return None


def _content(where: str, setting: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(_MOST_SECRET_BYTES).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise SettingsError(
            f"`{setting}` of {where} cannot be read: {why}; mend `{path}`"
        ) from error
    if mode & _TOO_OPEN:
        raise SettingsError(
            f"`{setting}` of {where} is open to other users; run `chmod 600 {path}`"
        )
    if not text:
        raise SettingsError(f"`{setting}` of {where} is empty; write the secret to `{path}`")
    return text


def _variable(where: str, setting: str, name: str) -> str:
    text = os.environ.get(name, "").strip()
    if not text:
        raise SettingsError(f"`{setting}` of {where} names `{name}`, which is not set; set it")
    return text


def _token(where: str, text: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise SettingsError(f"token of {where} holds a space or a letter that is none; correct it")
    return text


def _key(where: str, text: str) -> bytes:
    from streams.alerts.webhook import key_of

    try:
        return key_of(text)
    except SettingsError as error:
        raise SettingsError(f"key of {where}: {error}") from error


def answering(settings: Settings) -> str:
    """Ask every endpoint something that changes nothing. Raises SettingsError, BrokerError."""
    endpoints = endpoints_of(settings)
    if not endpoints:
        return "none declared; nobody is told of findings and denials"
    from streams.alerts.probing import probe

    silent = {one.name: why for one in endpoints if (why := asyncio.run(probe(one)))}
    if silent:
        name, why = next(iter(silent.items()))
        raise BrokerError(
            f"{len(silent)} of {len(endpoints)} take no alerts: `{name}`, {why}; mend it, or correct"
            f" [alerts.{name}]"
        )
    return f"{len(endpoints)} answer"
