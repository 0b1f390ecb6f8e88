"""What can happen to a server, whatever it serves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from demo.process import Server

Outage = AbstractAsyncContextManager[None]


@asynccontextmanager
async def away(server: Server, end: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """It has ended in that way, and is started again afterwards."""
    await end()
    try:
        yield
    finally:
        await asyncio.to_thread(server.start)


@asynccontextmanager
async def hung(server: Server) -> AsyncIterator[None]:
    """It takes connections and answers nothing."""
    server.pause()
    try:
        yield
    finally:
        server.resume()


@asynccontextmanager
async def momentary(outage: Outage) -> AsyncIterator[None]:
    """It was away, and is back before anything else is done."""
    async with outage:
        pass
    yield
