"""A record that leaves together with verdicts, under the same signature."""

from __future__ import annotations

from dataclasses import dataclass

from enforcers.contract.record import Travelling
from enforcers.contract.wire import encode
from streams.control_log import TOPIC_OF, key_of


@dataclass(frozen=True, slots=True)
class Parcel:
    """A model, its bytes, and where it goes."""

    topic: str
    key: bytes
    partition: int | None
    """None: the partition of its key."""
    model: Travelling
    value: bytes


def parcel(model: Travelling) -> Parcel:
    """A model on its way to the topic of its type. Raises ContractError."""
    return Parcel(TOPIC_OF[type(model)].name, key_of(model), None, model, encode(model))
