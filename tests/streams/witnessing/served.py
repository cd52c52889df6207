"""Real HTTP servers on this machine: our own witness, and such as answer what they are told."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from nacl.signing import SigningKey

from analytics.log.cosignature import Cosigner
from streams.witnessing import Witness
from streams.witnessing.serving import MOST_BYTES, LocalWitness
from tests.analytics.lived import SIGNING

COSIGNER = Cosigner("witness.example/w1", SigningKey(bytes([4]) * 32))
STRANGER = Cosigner("witness.example/w1", SigningKey(bytes([5]) * 32))

Script = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]


def local(directory: Path) -> LocalWitness:
    directory.mkdir(exist_ok=True)
    return LocalWitness(directory, COSIGNER, (SIGNING.public,))


def named(url: str) -> Witness:
    return Witness("w1", url, COSIGNER.public, interval_s=60)


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    """Where it listens."""
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


class Heard:
    """A server with every request that came."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.bodies: list[bytes] = []
        self.url = ""

    def app(self) -> web.Application:
        async def handle(request: web.Request) -> web.StreamResponse:
            body = await request.read()
            self.bodies.append(body)
            return await self.script(request, body)

        app = web.Application(client_max_size=MOST_BYTES)
        app.router.add_route("*", "/{rest:.*}", handle)
        return app


@asynccontextmanager
async def hearing(script: Script) -> AsyncIterator[Heard]:
    """A server that answers by `script`."""
    heard = Heard(script)
    async with served(heard.app()) as heard.url:
        yield heard


def ours(witness: LocalWitness) -> Script:
    """Our own witness, heard."""

    async def script(request: web.Request, body: bytes) -> web.StreamResponse:
        assert (request.method, request.path) == ("POST", "/add-checkpoint")
        reply = witness.add(body, int(time.time()))
        return web.Response(status=reply.status, text=reply.text, content_type=reply.kind)

    return script
