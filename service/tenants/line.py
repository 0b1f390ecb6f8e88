"""Requests of one tenant stand in a line of their own, so that many of them keep nobody else waiting."""

import asyncio

from service.cache.unavailable import TooManyAtOnce, Unavailable

# What takes more than a replay; the event loop gives each that is begun its time in turn.
MOST_AT_ONCE = 8
MOST_WAITING = 256


class Line:
    """Lets MOST_AT_ONCE in, and has MOST_WAITING wait for so many `seconds` at most."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._free = asyncio.Semaphore(MOST_AT_ONCE)
        self._waiting = 0

    async def enter(self) -> None:
        """Wait for one's turn. Raises Unavailable, and TooManyAtOnce at once."""
        if self._waiting >= MOST_WAITING:
            raise TooManyAtOnce
        self._waiting += 1
        try:
            async with asyncio.timeout(self._seconds):
                await self._free.acquire()
        except TimeoutError:
            raise Unavailable from None
        finally:
            self._waiting -= 1

    def leave(self) -> None:
        """Make room for the next one."""
        self._free.release()
