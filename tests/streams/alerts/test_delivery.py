"""Endpoints that take, fail, hang, refuse and lead astray: alerts arrive, wait, or are left out one by one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from enforcers.contract.finding import Severity
from enforcers.errors import SettingsError
from streams.alerts import delivery
from streams.alerts.alert import Alert, Kind, Subject
from streams.alerts.delivery import Delivery, Stopped, client, wait_or_stop
from streams.alerts.endpoint import FORMS, Endpoint
from streams.alerts.probing import probe
from tests.streams.alerts.listening import Script, answers, drips, hangs, listening
from tests.streams.alerts.test_forms import ALERT, KEY

LATER = 4
"""Attempts after which a test's patience is over."""


class Waits:
    """Waits no time, remembers how long it would have been, and ends after some."""

    def __init__(self, most: int = LATER) -> None:
        self.seconds: list[float] = []
        self._most = most

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        if len(self.seconds) >= self._most:
            raise Stopped


def _endpoint(url: str, form: str = "webhook", **changes: Any) -> Endpoint:
    return replace(Endpoint("one", form, url, key=lambda: KEY), **changes)


def _alerts(count: int) -> Sequence[Alert]:
    return [replace(ALERT, id=f"{at:032d}") for at in range(count)]


async def _told(endpoint: Endpoint, alerts: Sequence[Alert], waits: Waits) -> Delivery:
    async with client(endpoint) as session:
        made = Delivery(endpoint, session, waits)
        try:
            await made.tell(alerts)
        except Stopped:
            made.counts["stopped"] += 1
        return made


@pytest.mark.parametrize("form", FORMS)
async def test_alerts_are_taken_in_few_requests_and_in_order(form: str) -> None:
    async with listening(answers(200)) as there:
        told = await _told(_endpoint(there.url, form), _alerts(45), Waits())
    assert there.ids == [one.id for one in _alerts(45)]
    assert (len(there.bodies), told.counts) == (3, {"taken": 45})


async def test_an_endpoint_that_fails_is_told_again_until_it_takes_them() -> None:
    waits = Waits(most=9)
    async with listening(answers(500, 502, 503, 200)) as there:
        told = await _told(_endpoint(there.url), _alerts(2), waits)
    assert there.ids == [one.id for one in _alerts(2)] * 4
    assert (told.counts["taken"], told.counts["waits"], len(waits.seconds)) == (2, 3, 3)
    names = {headers["webhook-id"] for _, _, headers in there.requests}
    assert len(names) == 1, "every attempt is the same delivery"


@pytest.mark.parametrize("code", [301, 302, 307, 308, 401, 403, 404, 429, 500, 503])
async def test_what_has_to_be_mended_first_waits_and_loses_nothing(code: int) -> None:
    async with listening(answers(code, Location="/elsewhere")) as there:
        told = await _told(_endpoint(there.url), _alerts(1), Waits())
    assert told.counts == {"waits": LATER, "stopped": 1}
    assert {path for _, path, _ in there.requests} == {"/"}, "no redirect is followed"


async def test_who_asks_for_a_wait_gets_it() -> None:
    waits = Waits(most=9)
    async with listening(answers(429, 200, **{"Retry-After": "77"})) as there:
        await _told(_endpoint(there.url), _alerts(1), waits)
    assert waits.seconds == [77.0]


@pytest.mark.parametrize("code", [400, 413, 422])
async def test_one_that_is_never_taken_is_left_out_and_no_other(
    code: int, caplog: pytest.LogCaptureFixture
) -> None:
    bad = _alerts(21)[7].id.encode()

    async def script(request: web.Request, body: bytes) -> web.StreamResponse:
        return web.Response(status=code if bad in body else 200)

    waits = Waits()
    async with listening(script) as there:
        told = await _told(_endpoint(there.url), _alerts(21), waits)
    assert told.counts == {"taken": 20, "refused": 1}
    assert waits.seconds == []
    (said,) = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
    assert bad.decode() in said
    assert f"it answered {code}; it is left out, 1 so far" in said
    assert len(there.bodies) < 12, "halved, not one by one"


async def test_who_refuses_all_of_it_does_not_hold_up_the_end() -> None:
    async with listening(answers(400)) as there:
        told = await _told(_endpoint(there.url), _alerts(30), Waits())
    assert told.counts == {"refused": 30}
    assert len(there.bodies) < 2 * 30


async def test_who_hangs_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "PATIENCE_S", 0.2)
    async with listening(hangs) as there:
        told = await _told(_endpoint(there.url), _alerts(1), Waits(most=2))
    assert told.counts == {"waits": 2, "stopped": 1}
    assert len(there.bodies) == 2


async def test_an_answer_without_end_is_not_read() -> None:
    async with listening(drips) as there:
        told = await _told(_endpoint(there.url), _alerts(1), Waits())
    assert told.counts == {"taken": 1}


async def _cut(request: web.Request, body: bytes) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    raise ConnectionResetError


@pytest.mark.parametrize("script", [_cut, None], ids=["cut", "nobody"])
async def test_who_cannot_be_reached_is_tried_again(
    script: Script | None, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(script or answers(200)) as there:
        url = f"{there.url}/SECRET"
        if script is not None:
            told = await _told(_endpoint(url), _alerts(1), Waits())
    if script is None:
        told = await _told(_endpoint(url), _alerts(1), Waits())
    assert told.counts == {"waits": LATER, "stopped": 1}
    assert "it cannot be reached" in caplog.text
    assert "SECRET" not in caplog.text


async def test_a_server_that_speaks_no_tls_gets_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async with listening(answers(200)) as there:
        url = there.url.replace("http:", "https:")
        told = await _told(_endpoint(url, token=lambda: "SECRET"), _alerts(1), Waits())
    assert told.counts["stopped"] == 1
    assert there.requests == []
    assert "SECRET" not in caplog.text


async def test_a_token_is_sent_and_looked_up_anew_each_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tokens = iter(["first", "second"])
    caplog.set_level(logging.DEBUG)
    async with listening(answers(401, 200)) as there:
        endpoint = _endpoint(there.url, token=lambda: next(tokens))
        await _told(endpoint, _alerts(1), Waits())
    sent = [headers["Authorization"] for _, _, headers in there.requests]
    assert sent == ["Bearer first", "Bearer second"]
    assert "Bearer" not in caplog.text
    assert KEY.decode() not in caplog.text


async def test_a_secret_that_is_gone_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    def gone() -> str:
        raise SettingsError("`token_file` of [alerts.one] cannot be read: no such file; mend it")

    async with listening(answers(200)) as there:
        told = await _told(_endpoint(there.url, token=gone), _alerts(1), Waits())
    assert (told.counts["waits"], there.requests) == (LATER, [])
    assert "cannot be read: no such file" in caplog.text


async def test_proxies_and_netrc_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with listening(answers(200)) as proxy, listening(answers(200)) as there:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        await _told(_endpoint(there.url), _alerts(1), Waits())
        assert (len(there.requests), proxy.requests) == (1, [])


async def test_what_an_alert_is_called_cannot_break_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    subject = Subject(Kind.DENIAL, "%s%n", "a{0}", "", Severity.WARNING)
    async with listening(answers(400)) as there:
        await _told(_endpoint(there.url), [replace(ALERT, subject=subject)], Waits())
    assert "a{0} was denied 2 times: %s%n" in caplog.text


async def test_a_wait_ends_as_soon_as_it_is_to_stop() -> None:
    stop = asyncio.Event()
    waiting = asyncio.create_task(wait_or_stop(stop, 3_600))
    await asyncio.sleep(0)
    stop.set()
    with pytest.raises(Stopped):
        await waiting
    await wait_or_stop(asyncio.Event(), 0.01)


PROBES: list[tuple[str, int, str]] = [
    ("alertmanager", 200, ""), ("alertmanager", 401, "answered 401"), ("alertmanager", 404, "answered 404"),
    ("webhook", 200, ""), ("webhook", 405, ""), ("webhook", 404, ""), ("webhook", 403, "answered 403"), ("webhook", 500, "answered 500"),
]  # fmt: skip


@pytest.mark.parametrize(("form", "code", "why"), PROBES)
async def test_asking_whether_it_answers_changes_nothing(form: str, code: int, why: str) -> None:
    async with listening(answers(code)) as there:
        found = await probe(_endpoint(there.url, form, token=lambda: "secret"))
    assert found.endswith(why)
    assert bool(found) == bool(why)
    ((method, _, headers),) = there.requests
    assert (method in ("GET", "HEAD"), there.bodies) == (True, [])
    assert headers["Authorization"] == "Bearer secret"


async def test_nobody_there_is_found() -> None:
    assert "cannot be reached" in await probe(_endpoint("http://127.0.0.1:1"))
