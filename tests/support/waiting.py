"""Waiting for something to become true, instead of sleeping and hoping."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

import asyncpg
import httpx

POLL_SECONDS = 0.02


async def until(
    true: Callable[[], bool | Awaitable[bool]], seconds: float = 20.0, poll: float = POLL_SECONDS
) -> None:
    """Return as soon as `true()` holds, looked at every `poll` seconds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while True:
        result = true()
        if await result if inspect.isawaitable(result) else result:
            return
        assert time.monotonic() < deadline, f"not true within {seconds} s"
        await asyncio.sleep(poll)


async def until_blocked(connection: asyncpg.Connection) -> None:
    """Wait until some statement waits for a lock."""

    async def blocked() -> bool:
        return bool(await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))

    await until(blocked, 10)


async def probed(client: httpx.AsyncClient, status: int = 200) -> httpx.Response:
    """What the probe says that answers with `status`, once the checks have been made.

    A probe waits for them for a moment only, and a machine that is busy may take longer.
    """
    answers: list[httpx.Response] = []

    async def decided() -> bool:
        answers.append(await client.get("/health/ready"))
        return answers[-1].status_code == status and "no answer within" not in answers[-1].text

    await until(decided, poll=0.2)
    return answers[-1]
