"""
Which tag a column may deserve, by its name and by what some of its values look like.

A suggestion is for a person to look at. It never holds a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

ENOUGH = 3
"""Values that must look alike before they say anything."""
_LONGEST = 500
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One tag, and why."""

    tag: str
    why: str


_NAMES = (
    ("secret", "password", r"password|passwd|passphrase|pwd"),
    ("secret", "secret", r"secret|credentials?"),
    ("secret", "token", r"token|jwt|otp"),
    ("secret", "key", r"(api|private|access|secret|encryption|signing)_?key"),
    ("secret", "payment card", r"(card|pan)_?(number|no|num)|cvv|cvc|pin(_code)?"),
    ("pii", "e-mail", r"e?_?mail(_address)?"),
    ("pii", "telephone", r"(tele)?phone(_?(number|no))?|mobile|cell|fax"),
    ("pii", "national number", r"ssn|sin|social_security|(national|tax|passport)_?(id|number|no)?"),
    ("pii", "date of birth", r"dob|birth_?(day|date)?|date_of_birth"),
    ("pii", "person's name", r"(first|last|middle|full|given|family|maiden)_?name|surname"),
    (
        "pii",
        "address",
        r"(street|postal|home|billing|shipping)_?(address|code)?|address|zip(_?code)?",
    ),
    ("pii", "bank account", r"iban|(bank_)?account_?(number|no)"),
    ("pii", "network address", r"ip(_?addr(ess)?)?"),
)
_BY_NAME = tuple(
    (Suggestion(tag, f"its name says {what}"), re.compile(rf"(^|_)({words})(_|\d|$)"))
    for tag, what, words in _NAMES
)
_LOOKS = (
    ("secret", "a private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*"),
    ("secret", "a signed token", r"eyJ[\w-]+\.[\w-]+\.[\w-]+"),
    ("secret", "an access key", r"(AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_\w{36,}|xox[abp]-[\w-]{10,}"),
    ("secret", "a password hash", r"\$(2[aby]|argon2\w*|5|6|scrypt)\$.+"),
    ("secret", "a payment card", r"(?:\d[ -]?){12,18}\d"),
    ("pii", "an e-mail address", r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+"),
    ("pii", "a social security number", r"\d{3}-\d{2}-\d{4}"),
    ("pii", "a telephone number", r"\+\d[\d ()-]{6,18}\d|\(\d{3}\) ?\d{3}-\d{4}"),
    ("pii", "a bank account", r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}"),
)
_BY_VALUE = tuple((tag, what, re.compile(pattern, re.DOTALL)) for tag, what, pattern in _LOOKS)


def by_name(column: str) -> Suggestion | None:
    """What the column's name says."""
    name = _CAMEL.sub("_", column).lower().replace("-", "_").replace(" ", "_")
    return next((found for found, pattern in _BY_NAME if pattern.search(name)), None)


def by_values(values: Iterable[object]) -> Suggestion | None:
    """What at least half of the values look like; texts only."""
    texts = [value.strip()[:_LONGEST] for value in values if isinstance(value, str)]
    texts = [text for text in texts if text]
    for tag, what, pattern in _BY_VALUE:
        alike = sum(1 for text in texts if pattern.fullmatch(text) and _is_real(what, text))
        if alike >= ENOUGH and alike * 2 >= len(texts):
            return Suggestion(tag, f"{alike} of {len(texts)} sampled values look like {what}")
    return None


def _is_real(what: str, text: str) -> bool:
    """Whether the check digit of a card is right: other long numbers are no cards."""
    if what != "a payment card":
        return True
    digits = [int(char) for char in reversed(text) if char.isdigit()]
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
