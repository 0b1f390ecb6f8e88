"""What somebody without a token can do to others through nginx as it is deployed: nothing."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import pytest
import pytest_asyncio
from msgspec.structs import replace

from service.settings import Settings
from tests.support.api import PREFIX
from tests.support.balancer import Balancer, balanced
from tests.support.instances import three_instances
from tests.support.tokens import SECRET, bearer, token

SUMMARY = f"{PREFIX}/summary"
# Longer than what a server reads in one go, shorter than what nginx refuses.
BODY = b"x" * 60_000
GET = f"GET {SUMMARY} HTTP/1.1\r\nHost: test\r\n"
BODIES = {
    "GET": f"{GET}Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY + f"{GET}\r\n".encode() * 3,
    "chunked GET": f"{GET}Transfer-Encoding: chunked\r\n\r\n".encode()
    + b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
    + f"{GET}\r\n".encode() * 3,
    "sign-in": f"POST /sign-in HTTP/1.1\r\nHost: test\r\nContent-Length: {len(BODY)}\r\n\r\n".encode() + BODY,
    "sign-out": f"POST /sign-out HTTP/1.1\r\nHost: test\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
    + BODY,
}


@pytest_asyncio.fixture
async def guarded(
    settings: Settings, database: asyncpg.Connection, redis: object, tmp_path: Path
) -> AsyncIterator[Balancer]:
    """nginx before three instances that ask for a token."""
    required = replace(settings, auth="required", jwt_secret=SECRET)
    async with three_instances(required, tmp_path) as started:
        with balanced([instance.port for instance in started]) as running:
            yield running


@pytest.mark.parametrize("request_bytes", BODIES.values(), ids=BODIES)
async def test_bodies_that_nobody_wants_cost_nobody_else_an_answer(
    guarded: Balancer, request_bytes: bytes
) -> None:
    statuses: Counter[int] = Counter()
    stranger = asyncio.create_task(_keep_sending(guarded.port, request_bytes))
    async with httpx.AsyncClient(base_url=guarded.url, headers=bearer(token()), timeout=30) as caller:
        for _ in range(150):
            statuses[(await caller.get(SUMMARY)).status_code] += 1
            await asyncio.sleep(0.02)
    assert not stranger.done()
    stranger.cancel()
    await asyncio.wait([stranger])
    assert statuses == {200: 150}


async def _keep_sending(port: int, request: bytes) -> None:
    """Some twenty times a second, each on a connection of its own."""
    while True:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(request)
            await asyncio.sleep(0.05)
        finally:
            writer.transport.abort()


async def test_the_form_reaches_an_instance_and_no_other_body_does(balancer: Balancer) -> None:
    async with httpx.AsyncClient(base_url=balancer.url) as caller:
        signed_in = await caller.post("/sign-in", data={"token": "x", "next": "/?window_days=30"})
        chunked = await caller.post("/sign-in", content=_in_parts())
        assert [each.headers["location"] for each in (signed_in, chunked)] == ["/?window_days=30"] * 2
        assert (await caller.post("/sign-in", content=b"x" * 40_000)).status_code == 413
        assert (await caller.request("GET", SUMMARY, content=BODY)).status_code == 200


async def _in_parts() -> AsyncIterator[bytes]:
    for part in (b"token=x&", b"next=%2F%3Fwindow_days%3D30"):
        yield part
