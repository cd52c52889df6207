"""
HTML and SVG put together from elements.

INVARIANT: whatever is no `Markup` is escaped, also in attributes, with its control characters written out; and no
attribute can hold a script, a style or an address elsewhere.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from console.plain import harmless


class Markup(str):
    """Text that is markup already. Made by this module only."""

    __slots__ = ()


Child = str | int | None | Iterable["str | int | None"]

_NAME = re.compile(r"[a-z][A-Za-z0-9-]*")
_ADDRESS = re.compile(r"#[a-z0-9-]+|[A-Za-z0-9][A-Za-z0-9._-]*")
"""In the page itself, or a file beside it; our own names only."""
_VOID = {"meta", "br"}


def element(name: str, /, *children: Child, **attributes: str | int | float) -> Markup:
    """One element; `class_` and `aria_label` are written `class` and `aria-label`."""
    _refuse_unless(_NAME.fullmatch(name) is not None and name != "script", name)
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    inside = "".join(_child(one) for one in children)
    return Markup(f"<{name}{written}>" if name in _VOID else f"<{name}{written}>{inside}</{name}>")


def text(value: object) -> Markup:
    """What somebody wrote."""
    return Markup(html.escape(harmless(_encodable(str(value))), quote=True))


def together(parts: Iterable[Markup]) -> Markup:
    """Elements one after the other."""
    return Markup("".join(parts))


def _child(one: Child) -> str:
    if one is None:
        return ""
    if isinstance(one, Markup):
        return one
    if isinstance(one, str | int):
        return text(one)
    return "".join(_child(part) for part in one)


def _attribute(key: str, value: str | int | float) -> str:
    name = key.rstrip("_").replace("_", "-")
    written = f"{value:g}" if isinstance(value, float) else str(value)
    _refuse_unless(_NAME.fullmatch(name) is not None, name)
    _refuse_unless(not name.startswith("on") and name not in ("style", "src", "srcset"), name)
    if name == "href":
        _refuse_unless(_ADDRESS.fullmatch(written) is not None, written)
    return f' {name}="{text(written)}"'


def _encodable(value: str) -> str:
    return value.encode("utf-8", "backslashreplace").decode()


def _refuse_unless(fine: bool, what: str) -> None:
    if not fine:
        raise ValueError(f"`{what[:80]}` is nothing that a page of ours holds")
