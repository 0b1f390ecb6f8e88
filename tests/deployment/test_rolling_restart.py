"""Every instance is replaced while callers keep asking: none of them notices."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle

import httpx

from tests.support.api import PREFIX
from tests.support.balancer import Balancer
from tests.support.instances import Instance
from tests.support.served import END_SECONDS
from tests.support.waiting import until

CALLERS = 8
# Hot answers and, by ever new filters, cold ones; what browsers ask and what Prometheus does.
PATHS = (
    "/summary",
    "/trends?window_days=30",
    "/alerts",
    "/metrics",
    "/doc-sync/failures",
    "/summary?site_id={}",
)


class Load:
    """What callers got: how many answers by status or error, and the longest time between two."""

    def __init__(self) -> None:
        self.outcomes: Counter[int | str] = Counter()
        self.longest_gap = 0.0
        self._last = time.monotonic()

    @property
    def failures(self) -> dict[int | str, int]:
        return {outcome: count for outcome, count in self.outcomes.items() if outcome != 200}

    def note(self, outcome: int | str) -> None:
        now = time.monotonic()
        self.outcomes[outcome] += 1
        self.longest_gap = max(self.longest_gap, now - self._last)
        self._last = now


@asynccontextmanager
async def asked_all_the_time(url: str) -> AsyncIterator[Load]:
    """CALLERS callers ask one question after the other until the block ends."""
    load, ended = Load(), asyncio.Event()

    async def ask(first: int) -> None:
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:
            for number, path in enumerate(cycle(PATHS)):
                if ended.is_set():
                    return
                try:
                    answer = await client.get(PREFIX + path.format(f"S-{first}-{number}"))
                    load.note(answer.status_code)
                except httpx.HTTPError as error:
                    load.note(repr(error))

    async with asyncio.TaskGroup() as callers:
        for first in range(CALLERS):
            callers.create_task(ask(first))
        try:
            yield load
        finally:
            ended.set()


async def test_no_request_fails(balancer: Balancer, instances: list[Instance]) -> None:
    async with asked_all_the_time(balancer.url) as load:
        for instance in instances:
            before = load.outcomes.total()
            await _restart(instance)
            assert load.outcomes.total() - before > 100
            await until(lambda restarted=instance: _asked(restarted))  # type: ignore[misc]
    assert load.failures == {}
    assert load.longest_gap < 5


async def _restart(instance: Instance) -> None:
    """As an operator would: told to end, awaited, started again, and awaited once more."""
    instance.process.terminate()
    assert await asyncio.to_thread(instance.process.wait, END_SECONDS) == 0
    instance.start()
    await until(lambda: _ready(instance))


async def _ready(instance: Instance) -> bool:
    async with httpx.AsyncClient() as direct:
        try:
            return (await direct.get(f"{instance.url}/health/ready")).status_code == 200
        except httpx.TransportError:
            return False


async def _asked(instance: Instance) -> bool:
    """Whether the balancer has sent it requests since it was started."""
    async with httpx.AsyncClient() as direct:
        text = (await direct.get(f"{instance.url}/metrics")).text
    return f'parallel_ops_requests_total{{route="{PREFIX}/summary",status="200"}}' in text
