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
from tests.support.tokens import SCRAPE_TOKEN, SECRET, bearer, token

SUMMARY = f"{PREFIX}/summary"
# Longer than what a server reads in one go, shorter than what nginx refuses.
BODY = b"x" * 60_000
GET = f"GET {SUMMARY} HTTP/1.1\r\nHost: test\r\n"
BODIES = {
    "GET": f"{GET}Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY + f"{GET}\r\n".encode() * 3,
    "chunked GET": f"{GET}Transfer-Encoding: chunked\r\n\r\n".encode()
    + b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
    + f"{GET}\r\n".encode() * 3,
    # Short enough for nginx to pass it on.
    "form": b"POST /sign-in HTTP/1.1\r\nHost: test\r\nContent-Length: 30000\r\n\r\n" + b"x" * 30_000,
    "sign-in": f"POST /sign-in HTTP/1.1\r\nHost: test\r\nContent-Length: {len(BODY)}\r\n\r\n".encode() + BODY,
    "sign-out": f"POST /sign-out HTTP/1.1\r\nHost: test\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
    + BODY,
}


@pytest_asyncio.fixture
async def guarded(
    settings: Settings, database: asyncpg.Connection, redis: object, tmp_path: Path
) -> AsyncIterator[Balancer]:
    """nginx before three instances that ask for a token."""
    required = replace(
        settings,
        auth="required",
        jwt_secret=SECRET,
        scrape_token=SCRAPE_TOKEN,
        rate_limit="200/hour",
        trusted_proxies="127.0.0.1",
    )
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


async def test_trying_tokens_out_keeps_nobody_else_out(guarded: Balancer) -> None:
    stranger, other = _from("127.0.0.2", guarded), _from("127.0.0.3", guarded)
    async with stranger, other:
        tried = [await stranger.post("/sign-in", data={"token": "bad"}) for _ in range(40)]
        asked = Counter(
            [(await stranger.get(SUMMARY, headers=bearer("bad"))).status_code for _ in range(300)]
        )
        refused = next(answer for answer in tried if answer.status_code == 429)
        assert refused.json()["detail"]["code"] == "parallel_ops_rate_limited"
        assert refused.headers["retry-after"] == "2"
        assert Counter(answer.status_code for answer in tried)[401] >= 11
        assert asked.keys() == {401, 429}
        signed_in = await other.post("/sign-in", data={"token": token()})
        scraped = await stranger.get(f"{PREFIX}/metrics", headers=bearer(SCRAPE_TOKEN))
        known = await stranger.get(SUMMARY, headers=bearer(token()))
        assert [answer.status_code for answer in (signed_in, scraped, known)] == [303, 200, 200]


async def test_a_name_that_is_made_to_lead_here_is_not_answered(guarded: Balancer) -> None:
    async with httpx.AsyncClient(base_url=guarded.url, headers=bearer(token())) as caller:
        rebound = await caller.get(SUMMARY, headers={"Host": "evil.example:8080"})
        probed = await caller.get("/health/ready", headers={"Host": "evil.example:8080"})
        hosts = ("localhost:8080", "nginx:8080", "127.0.0.1", "[::1]:8080")
        known = [await caller.get(SUMMARY, headers={"Host": host}) for host in hosts]
    assert (rebound.status_code, rebound.json()["detail"]["code"]) == (421, "parallel_ops_unknown_host")
    assert rebound.headers["content-type"] == "application/json"
    assert [answer.status_code for answer in (probed, *known)] == [200] * 5


def _from(address: str, balancer: Balancer) -> httpx.AsyncClient:
    """A caller with an address of its own, of which the machine itself has many."""
    transport = httpx.AsyncHTTPTransport(local_address=address)
    return httpx.AsyncClient(base_url=balancer.url, transport=transport, timeout=30)


async def _in_parts() -> AsyncIterator[bytes]:
    for part in (b"token=x&", b"next=%2F%3Fwindow_days%3D30"):
        yield part
