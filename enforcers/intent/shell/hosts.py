"""Hosts out of URLs and `host:path` operands."""

from __future__ import annotations

import re

from enforcers.intent.model import Resource, ResourceType

LOOPBACK = "loopback"
METADATA_SERVICE = "metadata_service"

_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<authority>[^/?#]*)", re.IGNORECASE)
_PLAIN = re.compile(
    r"(?:[^@/\\%]+@)?(?P<host>[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::\d+)?$", re.IGNORECASE
)
_LOOPBACK = re.compile(r"localhost$|127(?:\.\d{1,3}){3}$|\[::1\]$|::1$")
_METADATA = frozenset(
    {"169.254.169.254", "metadata.google.internal", "169.254.170.2", "100.100.100.200"}
)


def resource(host: str) -> Resource:
    """The host as a resource."""
    name = host.lower().rstrip(".")
    tags: tuple[str, ...] = ()
    if _LOOPBACK.match(name):
        tags = (LOOPBACK,)
    elif name in _METADATA:
        tags = (METADATA_SERVICE, "secret")
    return Resource(ResourceType.HOST, name, tags=tags)


def from_url(text: str, *, scheme_optional: bool = True) -> Resource | None:
    """The host that `text` names, or None where two programs may read it differently."""
    if any(char in text for char in "\\ \t"):
        return None
    match = _URL.match(text)
    if match is None and not scheme_optional:
        return None
    authority = match["authority"] if match else re.split(r"[/?#]", text, maxsplit=1)[0]
    plain = _PLAIN.match(authority)
    if plain is None or "@" in authority:
        # Userinfo in a URL is how a look-alike host is written.
        return None
    return resource(plain["host"])


def from_login(text: str) -> Resource | None:
    """The host of `user@host`, `host` or `ssh://user@host:22`."""
    match = _URL.match(text)
    plain = _PLAIN.match(match["authority"] if match else text)
    return resource(plain["host"]) if plain else None


def remote_part(text: str) -> str:
    """The login part of `host:path`, empty where `text` is a local path."""
    if "://" in text:
        return text
    head, colon, _ = text.partition(":")
    return head if colon and head and "/" not in head else ""
