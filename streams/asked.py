"""
Which requests for approval judges remember, and which of them are used: for people, who look at few principals.

    end of `history` ──back in growing steps──▶ what a judge signed of each principal ──▶ its requests, by proposal

What lies further back than `MOST` records stays unknown: a command must not read for minutes. Judges read all of it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping

from aiokafka.errors import KafkaError

from enforcers.contract.history import Asked
from enforcers.contract.trust import Trust
from enforcers.errors import BrokerError
from streams.history import HistoryReader
from streams.routing import actions_partition

Remembered = Mapping[str, Mapping[str, Asked]]
"""By principal, and by the digest of what it proposed. A principal that is not in it was not found."""

FIRST = 256
MOST = 16_384
"""Records of a partition that are read, first and at most; each holds all that counts of one principal."""
_FARTHER = 8
PATIENCE_S = 30.0


async def read_asked(
    bootstrap: str, zone: str, trust: Trust, principals: Collection[str], most: int = MOST
) -> Remembered:
    """What judges remember of these principals' requests. Raises BrokerError."""
    wanted: dict[int, set[str]] = defaultdict(set)
    for one in principals:
        wanted[actions_partition(one.encode())].add(one)
    reader = HistoryReader(bootstrap, zone, trust)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await reader.start()
            parts = [await _last(reader, place, names, most) for place, names in wanted.items()]
    except (KafkaError, OSError) as error:
        raise BrokerError(
            f"`history` cannot be read: kafka at {bootstrap} does not answer"
            f" ({type(error).__name__}); check that the broker runs, then try again"
        ) from error
    finally:
        await asyncio.gather(reader.stop(), return_exceptions=True)
    return {name: asked for part in parts for name, asked in part.items()}


async def _last(
    reader: HistoryReader, partition: int, wanted: set[str], most: int
) -> dict[str, dict[str, Asked]]:
    """Of each principal the record that counted furthest, as near to the end as there is one."""
    first, end = await reader.bounds(partition)
    span = min(FIRST, most)
    while True:
        start = max(first, end - span)
        stored = await reader.read(partition, start)
        found = {one.principal: one for one in stored.histories if one.principal in wanted}
        if len(found) == len(wanted) or start <= first or span >= most:
            break
        span = min(span * _FARTHER, most)
    return {
        name: {one.proposal_digest: one for one in history.asked} for name, history in found.items()
    }
