"""
Posts alerts to one endpoint until it took them.

    alerts ──20 at a time──▶ POST ──taken──▶ next
              ▲  halves ◀──refused──┤        (one alone is left out: a line in the log, counted)
              └──wait, longer each time──later┘

No redirect is followed, no body of an answer is read, no proxy and no cookie is taken from anywhere.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import aiohttp

from enforcers.contract.base import utc_now
from enforcers.errors import SettingsError
from streams.alerts.alert import Alert
from streams.alerts.answers import Fate, asked_wait_s, fate_of, wait_s
from streams.alerts.endpoint import Endpoint, Request, request_of
from streams.http_errors import PATIENCE_S, why

AT_ONCE = 20
"""Alerts in one request."""

log = logging.getLogger("sluicegate.alerter")

Wait = Callable[[float], Awaitable[None]]


class Stopped(Exception):  # noqa: N818 - no error: somebody asked for it
    """The alerter is to stop; what was not told will be told by the next one."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one attempt."""

    fate: Fate
    said: str
    asked_s: float = 0.0


def client(endpoint: Endpoint) -> aiohttp.ClientSession:
    """A session for one endpoint; close it. Raises SettingsError."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=endpoint.trusted(), limit=1),
        timeout=aiohttp.ClientTimeout(total=PATIENCE_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
    )


class Delivery:
    """Tells one endpoint. `counts` holds how many alerts were taken and refused, and how often one had to wait."""

    def __init__(self, endpoint: Endpoint, session: aiohttp.ClientSession, wait: Wait) -> None:
        self._endpoint = endpoint
        self._session = session
        self._wait = wait
        self.counts: Counter[str] = Counter()

    async def tell(self, alerts: Sequence[Alert]) -> None:
        """Return when every alert was taken, or refused for good. Raises Stopped."""
        for start in range(0, len(alerts), AT_ONCE):
            await self._tell(alerts[start : start + AT_ONCE])

    async def _tell(self, alerts: Sequence[Alert]) -> None:
        answer = await self._insist(alerts)
        if answer.fate is Fate.TAKEN:
            self.counts["taken"] += len(alerts)
        elif len(alerts) > 1:
            # One that cannot be taken must not hold up, or take along, the others.
            middle = len(alerts) // 2
            await self._tell(alerts[:middle])
            await self._tell(alerts[middle:])
        else:
            self._leave_out(alerts[0], answer)

    def _leave_out(self, alert: Alert, answer: Answer) -> None:
        self.counts["refused"] += 1
        log.error(
            "`%s` refused alert %s (%s): %s; it is left out, %d so far; see docs/alerting.md",
            self._endpoint.name,
            alert.id,
            alert.summary,
            answer.said,
            self.counts["refused"],
        )

    async def _insist(self, alerts: Sequence[Alert]) -> Answer:
        """The first answer that settles it."""
        attempt = 0
        while True:
            answer = await self._attempt(alerts)
            if answer.fate is not Fate.LATER:
                return answer
            self.counts["waits"] += 1
            pause = wait_s(attempt, random.random(), answer.asked_s)
            log.warning(
                "`%s` (%s) took no alerts: %s; trying again in %.0f s",
                self._endpoint.name,
                self._endpoint.shown,
                answer.said,
                pause,
            )
            await self._wait(pause)
            attempt += 1

    async def _attempt(self, alerts: Sequence[Alert]) -> Answer:
        try:
            return await self._post(request_of(self._endpoint, alerts, utc_now()))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return Answer(Fate.LATER, why(error))
        except SettingsError as error:
            return Answer(Fate.LATER, str(error))

    async def _post(self, request: Request) -> Answer:
        sent = self._session.post(
            request.url, data=request.body, headers=request.headers, allow_redirects=False
        )
        async with sent as answer:
            asked_s = asked_wait_s(answer.headers.get("Retry-After", ""), utc_now())
            return Answer(fate_of(answer.status), f"it answered {answer.status}", asked_s)


async def wait_or_stop(stop: asyncio.Event, seconds: float) -> None:
    """Wait. Raises Stopped as soon as `stop` is set."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
        raise Stopped
