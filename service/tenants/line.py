"""Requests of one tenant stand in a line of their own, so that many of them keep nobody else waiting."""

import asyncio

from service.cache.tick_cache import TooManyAtOnce

# What takes more than a replay; the event loop gives each that is begun its time in turn.
MOST_AT_ONCE = 8
MOST_WAITING = 256


class Line:
    """Lets MOST_AT_ONCE in, and has MOST_WAITING wait."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(MOST_AT_ONCE)
        self._waiting = 0

    async def enter(self) -> None:
        """Wait for one's turn. Raises TooManyAtOnce."""
        if self._waiting >= MOST_WAITING:
            raise TooManyAtOnce
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1

    def leave(self) -> None:
        """Make room for the next one."""
        self._free.release()
