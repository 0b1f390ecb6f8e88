"""Work behind the scenes: little of it at once, and not all of it in one moment."""

import asyncio
import time
from contextlib import AbstractAsyncContextManager


class Turnstile(AbstractAsyncContextManager[None]):
    """Lets `most` in at once, and one every `pace` seconds. Whoever came first goes first."""

    def __init__(self, most: int, pace: float) -> None:
        self._room = asyncio.Semaphore(most)
        self._pace = pace
        self._next = 0.0

    async def __aenter__(self) -> None:
        """Wait for room, and for one's moment."""
        await self._room.acquire()
        try:
            now = time.monotonic()
            moment = max(now, self._next)
            self._next = moment + self._pace
            await asyncio.sleep(moment - now)
        except BaseException:
            self._room.release()
            raise

    async def __aexit__(self, *_: object) -> None:
        """Make room."""
        self._room.release()
