"""Work behind the scenes does not begin all in one moment."""

import asyncio
import time


class Pacer:
    """Lets one begin every `pace` seconds, in the order in which they came."""

    def __init__(self, pace: float) -> None:
        self._pace = pace
        self._next = 0.0

    async def wait(self) -> None:
        """Wait for one's moment."""
        now = time.monotonic()
        moment = max(now, self._next)
        self._next = moment + self._pace
        await asyncio.sleep(moment - now)
