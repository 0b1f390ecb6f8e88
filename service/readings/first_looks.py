"""First looks: what a first answer needs and nothing more, while nobody knows all days yet."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class FirstLooks:
    """At each section one in so many seconds, for whoever asks first: all others wait for all days.

    Were there one at each tick, on large tables they would keep the pass over all days from ending.
    """

    def __init__(self, every: float) -> None:
        self._every = every
        self._ticks: dict[str, int] = {}
        self._running: set[asyncio.Future[None]] = set()

    def is_free(self, section: str, tick: int) -> bool:
        """Whether nobody has looked at the section of late."""
        last = self._ticks.get(section)
        return last is None or not 0 <= tick - last < self._every

    @asynccontextmanager
    async def at(self, section: str, tick: int) -> AsyncIterator[None]:
        """Look at a section during the block."""
        self._ticks[section] = tick
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._running.add(over)
        try:
            yield
        finally:
            self._running.remove(over)
            over.set_result(None)

    async def over(self) -> None:
        """Wait until those end that have begun: the database has but so many cores."""
        if self._running:
            await asyncio.wait(self._running)
