"""A real HTTP server on this machine that answers as it is told, and keeps what it got."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Script = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]


@dataclass
class Listener:
    """Where it listens, and what came."""

    url: str = ""
    bodies: list[Any] = field(default_factory=list)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        """Alerts that came, in order, whichever form they had."""
        return [_id(one) for body in self.bodies for one in _alerts(body)]


def _alerts(body: Any) -> Sequence[Any]:
    return body if isinstance(body, list) else body["data"]["alerts"]


def _id(alert: Any) -> str:
    return str(alert["id"] if "id" in alert else alert["annotations"]["alert_id"])


@asynccontextmanager
async def listening(script: Script) -> AsyncIterator[Listener]:
    """A server that answers by `script`."""
    listener = Listener()

    async def handle(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        listener.requests.append((request.method, request.path_qs, dict(request.headers)))
        if body:
            listener.bodies.append(json.loads(body))
        return await script(request, body)

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    listener.url = site.name if ":0" not in site.name else _address(runner)
    try:
        yield listener
    finally:
        await runner.cleanup()


def _address(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}"


def answers(*codes: int, **headers: str) -> Script:
    """These codes one after the other; the last one for ever."""
    left = list(codes)

    async def script(request: web.Request, body: bytes) -> web.StreamResponse:
        code = left.pop(0) if len(left) > 1 else left[0]
        return web.Response(status=code, headers=headers, text="x" * 100_000)

    return script


async def hangs(request: web.Request, body: bytes) -> web.StreamResponse:
    """Takes the request and says nothing."""
    await asyncio.sleep(3_600)
    raise AssertionError


async def drips(request: web.Request, body: bytes) -> web.StreamResponse:
    """Says yes at once, and never ends to say more."""
    answer = web.StreamResponse(status=200)
    await answer.prepare(request)
    while True:
        await answer.write(b"x" * 65_536)
        await asyncio.sleep(0.01)
