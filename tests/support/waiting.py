"""Waiting for something to become true, instead of sleeping and hoping."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

import asyncpg

POLL_SECONDS = 0.02


async def until(true: Callable[[], bool | Awaitable[bool]], seconds: float = 20.0) -> None:
    """Return as soon as `true()` holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while True:
        result = true()
        if await result if inspect.isawaitable(result) else result:
            return
        assert time.monotonic() < deadline, f"not true within {seconds} s"
        await asyncio.sleep(POLL_SECONDS)


async def until_blocked(connection: asyncpg.Connection) -> None:
    """Wait until some statement waits for a lock."""

    async def blocked() -> bool:
        return bool(await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))

    await until(blocked, 10)
