"""Single flight: whoever asks for the same thing at the same time shares one computation."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable
from typing import Any

from service.cache.budget import Ceiling
from service.cache.unavailable import Closed


class Flights:
    """Running computations by key; those that somebody asked for are under a ceiling.

    One whose callers all went away runs on to its end.
    """

    def __init__(self, ceiling: Ceiling | None = None) -> None:
        self.ceiling = ceiling or Ceiling()
        self._running: dict[Hashable, asyncio.Task[Any]] = {}
        self._of: Counter[Hashable] = Counter()
        self._closed = False

    def start(
        self, key: Hashable, compute: Callable[[], Awaitable[Any]], caller: Hashable = None
    ) -> asyncio.Task[Any]:
        """The running computation of that key, or a new one, which counts as that caller's. Raises Closed.

        Wait for it by `landing`, or a cancelled waiter cancels it for all.
        """
        if self._closed:
            raise Closed
        task = self._running.get(key)
        if task is None or task.done():
            task = asyncio.ensure_future(_run(compute))
            self._running[key] = task
            self._of[caller] += 1
            self.ceiling.running += caller is not None
            task.add_done_callback(lambda done: self._landed(key, done, caller))
        return task

    def of(self, caller: Hashable) -> int:
        """How many computations of that caller run, whether or not it still waits for them."""
        return self._of[caller]

    @property
    def asked_for(self) -> int:
        """How many computations run that some caller asked for."""
        return self._of.total() - self._of[None]

    def __len__(self) -> int:
        return len(self._running)

    async def close(self) -> None:
        """Cancel what still runs, wait until it has cleaned up, and start nothing more.

        Who waited for what was cancelled would otherwise start it again, with connections that are closed.
        """
        self._closed = True
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _landed(self, key: Hashable, task: asyncio.Task[Any], caller: Hashable) -> None:
        self.ceiling.running -= caller is not None
        self._of[caller] -= 1
        if not self._of[caller]:
            del self._of[caller]
        if self._running.get(key) is task:
            del self._running[key]
        if not task.cancelled():
            task.exception()  # looked at, so that asyncio does not report it a second time


async def landing(computation: asyncio.Task[Any]) -> Any:  # noqa: ANN401
    """What a computation comes to; it goes on, whoever goes away that waits. Raises Closed when it was ended.

    Who waits by asyncio.shield() is cancelled then, as if he had gone away himself.
    """
    await asyncio.wait([computation])
    if computation.cancelled():
        raise Closed
    return computation.result()


async def _run(compute: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401
    return await compute()
