"""What callers do who do not behave, while others go on as ever."""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from random import Random
from typing import Any
from urllib.parse import quote

from msgspec.structs import replace

from service.api.access.body import BODY_SECONDS
from service.overview.query import FILTERS
from service.serving import CONNECTIONS_PER_WORKER, HEAD_BYTES, HEAD_MILLISECONDS
from service.unread import UNREAD_MILLISECONDS
from tests.faults.checker import LATE
from tests.faults.client import Answer, Client
from tests.faults.crowd import connections, received, send
from tests.faults.trial import Fault
from tests.faults.world import World
from tests.support.api import PREFIX
from tests.support.instances import Instance
from tests.support.tokens import bearer, claims, token
from tests.support.waiting import until

MEGABYTE = 1024 * 1024
SUMMARY = f"{PREFIX}/summary"
READY_SECONDS = 2.0
CROWD = 10_000
WORKERS = 16


def _abuse(act: Callable[[World], Awaitable[None]]) -> Callable[[World], AbstractAsyncContextManager[None]]:
    """Abuse as a fault: it is over when the act has ended, and no worker may have grown by much."""

    @asynccontextmanager
    async def broken(world: World) -> AsyncIterator[None]:
        before = await world.holdings()
        await act(world)
        after = await world.holdings()
        grown = [now.memory - then.memory for now, then in zip(after, before, strict=True)]
        assert max(grown) < GROWN.get(act, 32 * MEGABYTE), grown
        yield

    return broken


async def half_open(world: World) -> None:
    """Heads that never end, callers who hang up half-way, and callers who do not read."""
    port = world.addresses[0].port
    head = f"GET {SUMMARY} HTTP/1.1\r\nHost: test\r\nAuthorization: {_token(501)}\r\n".encode()
    async with connections(port, 300) as slow, connections(port, 100) as deaf:
        await asyncio.gather(*(send(one, head[: 10 + n % len(head)]) for n, one in enumerate(slow)))
        await asyncio.gather(*(send(one, (head + b"\r\n") * 20) for one in deaf))
        assert (await _ready(port)).status == 200
        longest = HEAD_MILLISECONDS / 1000 + 5
        answers = await asyncio.gather(*(received(one, longest) for one in slow))
        assert all(answer == b"" or b" 408 " in answer[:20] for answer in answers), set(answers)


async def crowded_balancer(world: World) -> None:
    """More connections than the balancer takes, and none of them says anything; an instance is as ever."""
    async with connections(world.balancer.port, CROWD) as taken:
        assert len(taken) >= 1000
        assert (await _ready(world.addresses[0].port)).status == 200
    assert (await _ready(world.balancer.port)).status == 200


async def crowded_instance(world: World) -> None:
    """The same at an instance's own port, where only the balancer should come.

    Its kernel takes some that it cannot serve before others have been silent for too long; the balancer's
    may be among them.
    """
    async with connections(world.addresses[0].port, CROWD) as taken:
        assert len(taken) >= 1000
        patience = HEAD_MILLISECONDS / 1000 + READY_SECONDS
        assert (await _ready(world.balancer.port, patience)).status == 200
    assert (await _ready(world.addresses[0].port)).status == 200


async def silent_bodies(world: World) -> None:
    """More forms than an instance serves at once, none of which goes on after six bytes."""
    form = b"POST /sign-in HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\ntoken="
    await _hold(world, form, BODY_SECONDS)


async def deaf(world: World) -> None:
    """As many who ask all the time and read nothing."""
    await _hold(
        world, b"GET /schema/openapi.json HTTP/1.1\r\nHost: test\r\n\r\n" * 300, UNREAD_MILLISECONDS / 1000
    )


async def _hold(world: World, request: bytes, seconds: float) -> None:
    """Hold an instance's own port with whatever makes it wait; it is as ever after these seconds and some."""
    async with connections(world.addresses[0].port, CONNECTIONS_PER_WORKER + 76) as taken:
        assert len(taken) > CONNECTIONS_PER_WORKER
        await asyncio.gather(*(_send_some(one, request) for one in taken))
        assert (await _ready(world.addresses[0].port, seconds + 5)).status == 200
        assert (await _ready(world.addresses[0].port)).status == 200


async def _send_some(one: socket.socket, request: bytes) -> None:
    """Send what is taken within a second."""
    with suppress(TimeoutError):
        async with asyncio.timeout(1):
            await send(one, request)


async def large_heads(world: World) -> None:
    """URLs and headers of all sizes: a refusal that says so, and no more memory."""
    client = Client(world.addresses[0].port)
    for length, status in ((8_000, 200), (9_000, 414), (100_000, 414)):
        answer = await client.get(f"{SUMMARY}?x={'x' * length}", {"Authorization": _token(502)})
        assert answer.status == status, (length, answer)
    for headers in ({"X": "x" * 300_000}, {f"X-{n}": "x" for n in range(5000)}):
        for _ in range(20):
            answer = await client.get(SUMMARY, headers)
            assert answer.status == 431, answer
    async with connections(world.addresses[0].port, 20) as endless:
        await asyncio.gather(*(send(one, b"GET / HTTP/1.1\r\nX: " + b"x" * MEGABYTE) for one in endless))
        await asyncio.gather(*(received(one, 5) for one in endless))
    client.close()


async def pipelining(world: World) -> None:
    """Fifty requests in one go are answered one by one, in their order."""
    for number, address in enumerate((world.balancer, *world.addresses)):
        head = f"GET {SUMMARY} HTTP/1.1\r\nHost: test\r\nAuthorization: {_token(510 + number)}\r\n"
        requests = [f"{head}X-Request-ID: number-{n}\r\n\r\n" for n in range(49)]
        requests.append(f"{head}X-Request-ID: number-49\r\nConnection: close\r\n\r\n")
        async with connections(address.port, 1) as (one,):
            await send(one, "".join(requests).encode())
            answers = (await received(one, 10)).decode().split("HTTP/1.1 200 ")[1:]
        ids = [answer.partition("x-request-id: ")[2].partition("\r")[0] for answer in answers]
        assert ids == [f"number-{n}" for n in range(50)], address


async def unwanted_bodies(world: World) -> None:
    """Bodies that nobody wants, with more requests behind them; nginx shares its connections with others."""
    body = b"x" * 60_000
    get = f"GET {SUMMARY} HTTP/1.1\r\nHost: test\r\n".encode()
    sized = b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    requests = (get + sized + (get + b"\r\n") * 3, b"POST /sign-in HTTP/1.1\r\nHost: test\r\n" + sized)
    ports = [world.balancer.port] * 3 + [address.port for address in world.addresses]
    for n in range(60):
        async with AsyncExitStack() as stack:
            for port in ports:
                (one,) = await stack.enter_async_context(connections(port, 1))
                await send(one, requests[n % len(requests)])
            await asyncio.sleep(0.05)


async def distinct_filters(world: World) -> None:
    """Each request wants a computation that nobody else needs; some may be told to come back."""
    before = await world.redis.dbsize()
    targets = [f"{SUMMARY}?site_id={quote(f'站点 {n} ' + 'x' * (n % 150))}" for n in range(3000)]
    statuses = await _flood(world, ((target, _token(20_000 + n)) for n, target in enumerate(targets)))
    assert set(statuses) <= {200, 503}, statuses
    assert statuses[200] >= 1500, statuses
    kept = world.settings.cache_policy.kept_seconds
    deadline = time.monotonic() + kept + 5
    while await world.redis.dbsize() > before + 500:
        assert time.monotonic() < deadline, "Redis keeps what nobody asks for"
        await asyncio.sleep(0.5)


async def one_curious_caller(world: World) -> None:
    """One caller with 300 connections and nothing that limits it: who asks something new is answered."""
    instance = Instance(replace(world.settings, rate_limit=None), world.folder / "curious.log")
    instance.start()
    await instance.ready()
    statuses: Counter[int] = Counter()
    curious = [asyncio.create_task(_be_curious(Client(instance.port), n, statuses)) for n in range(300)]
    try:
        await until(lambda: statuses[429] > 0)
        client = Client(instance.port)
        for n in range(20):
            answer = await client.get(
                f"{SUMMARY}?{_nobody_asked(f'other {n}')}", {"Authorization": _token(600 + n)}
            )
            assert answer.status == 200, answer
        client.close()
    finally:
        for caller in curious:
            caller.cancel()
        await asyncio.wait(curious)
        instance.kill()


async def _be_curious(client: Client, number: int, statuses: Counter[int]) -> None:
    """Ask, and ask again: a flood of refusals is another fault, and what a rate limit is for."""
    try:
        for n in range(1_000_000):
            target = f"{SUMMARY}?{_nobody_asked(f'{number} {n}')}"
            status = (await client.get(target, {"Authorization": _token(599)})).status
            statuses[status] += 1
            await asyncio.sleep(0 if status == 200 else 1)
    finally:
        client.close()


def _nobody_asked(name: str) -> str:
    """Filters of which each takes a computation of its own."""
    return "&".join(f"{filtered}={quote(name)}" for filtered in FILTERS)


async def random_bytes(world: World) -> None:
    """What is no HTTP is refused or cut off."""
    random = Random(7)
    for address in (world.addresses[0], world.balancer):
        async with connections(address.port, 500) as crowd:
            noise = [random.randbytes(random.randrange(1, 2000)) + b"\r\n\r\n" for _ in crowd]
            await asyncio.gather(*(send(one, data) for one, data in zip(crowd, noise, strict=True)))
            answers = await asyncio.gather(*(received(one, 15) for one in crowd))
        assert all(answer == b"" or b" 400 " in answer[:20] for answer in answers), set(answers)


async def deep_pages(world: World) -> None:
    """A page far past the end is empty, and costs no more than the first."""
    client = Client(world.balancer.port)
    for path in ("/doc-sync/failures", "/workflow/failures"):
        for page in (10**6, 2**31, 2**63 - 1, 2**63, 10**30, int("9" * 3000)):
            answer = await client.get(
                f"{PREFIX}{path}?page={page}&page_size=200", {"Authorization": _token(504)}
            )
            assert answer.status == 200, answer
            assert b'"jobs":[]' in answer.body or b'"runs":[]' in answer.body
            assert answer.received - answer.sent < world.checker.bounds.answer
    client.close()


async def many_tokens(world: World) -> None:
    """More callers than are remembered; and as many bad tokens, which count for whoever tries them out."""
    good = ((SUMMARY, _token(10_000 + n)) for n in range(6000))
    assert await _flood(world, good) == {200: 6000}
    bad = ((SUMMARY, _token(n)[:-4] + "AAAA") for n in range(6000))
    statuses = await _flood(world, bad)
    assert set(statuses) == {401, 429}, statuses


async def one_greedy_caller(world: World) -> None:
    """Who asks more than the limit is told to wait, and nobody else is."""
    greedy = ((SUMMARY, _token(505)) for _ in range(1000))
    statuses = await _flood(world, greedy)
    assert set(statuses) == {200, 429}, statuses
    assert statuses[429] > 100, statuses


async def _flood(world: World, requests: Iterable[tuple[str, str]]) -> Counter[int]:
    """Ask all of it, as fast as some callers can, through every address; how often each status came."""
    statuses: Counter[int] = Counter()
    pending = iter(requests)

    async def ask(client: Client) -> None:
        for target, authorization in pending:
            answer = await client.get(target, {"Authorization": authorization})
            statuses[answer.status] += 1
        client.close()

    addresses = [world.balancer, *world.addresses]
    await asyncio.gather(*(ask(Client(addresses[n % len(addresses)].port)) for n in range(WORKERS)))
    return statuses


async def _ready(port: int, seconds: float = READY_SECONDS) -> Answer:
    """What readiness says, in time and on a new connection."""
    client = Client(port)
    async with asyncio.timeout(seconds):
        answer = await client.get("/health/ready", {})
    client.close()
    return answer


def _token(operator: int) -> str:
    return bearer(token(claims(sub=str(operator))))["Authorization"]


ACTS = {
    "slow and half-open callers": half_open,
    "10,000 connections to the balancer": crowded_balancer,
    "10,000 connections to an instance": crowded_instance,
    "1,100 silent bodies at an instance": silent_bodies,
    "1,100 who never read": deaf,
    "giant headers and URLs": large_heads,
    "pipelining": pipelining,
    "bodies that nobody wants": unwanted_bodies,
    "a flood of distinct filters": distinct_filters,
    "random bytes": random_bytes,
    "deep pages": deep_pages,
    "a flood of tokens": many_tokens,
    "a greedy caller": one_greedy_caller,
}
# What nobody reads is kept until it is given up, for each connection.
GROWN: dict[Any, int] = {deaf: CONNECTIONS_PER_WORKER * HEAD_BYTES}
EXCUSES = dict.fromkeys((crowded_instance, silent_bodies, deaf), (LATE,))
FAULTS = tuple(Fault(name, _abuse(act), 0, EXCUSES.get(act, ())) for name, act in ACTS.items())
