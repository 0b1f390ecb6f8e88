"""The programs that change what the service reads, and note when they did."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg
from parallel_ops_recorder.keys import KINDS, counts_field, counts_key
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from demo.schema import TABLES
from tests.faults.generations import START, Generation, History, overlay_of, rows_of
from tests.support.builders import insert

PAUSE_SECONDS = 0.4
RETRY_SECONDS = 0.1
# What asyncpg raises while a server ends, at whatever moment that happens.
AWAY = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
MARK = "CREATE TABLE IF NOT EXISTS generation (number int)"


class Writer:
    """The PLM: replaces all rows, one generation a transaction, as long as it runs."""

    def __init__(self, url: str) -> None:
        self.history = History()
        self._url = url
        self._connection: asyncpg.Connection | None = None
        self._unknown: Generation | None = None
        self._number = 0
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Write until cancelled; a server that is away is waited for."""
        try:
            while True:
                async with self._turn:
                    await self._write()
                await asyncio.sleep(PAUSE_SECONDS)
        finally:
            if self._connection is not None:
                self._connection.terminate()

    @asynccontextmanager
    async def resting(self) -> AsyncIterator[None]:
        """Nothing is written during the block."""
        async with self._turn:
            yield

    async def _write(self) -> None:
        try:
            if self._connection is None:
                self._connection = await asyncpg.connect(self._url)
                await self._resolve(self._connection)
            await self._replace_rows(self._connection)
        except AWAY:
            if self._connection is not None:
                self._connection.terminate()
            self._connection = None
            await asyncio.sleep(RETRY_SECONDS)

    async def _resolve(self, connection: asyncpg.Connection) -> None:
        """Find out whether a commit was made whose acknowledgement was lost with the connection."""
        await connection.execute("SET client_min_messages = warning")
        await connection.execute(MARK)
        if self._unknown is None:
            return
        if await connection.fetchval("SELECT max(number) FROM generation") == self._unknown.number:
            self._unknown.end()
        else:
            self.history.drop(self._unknown)
        self._unknown = None

    async def _replace_rows(self, connection: asyncpg.Connection) -> None:
        self._number += 1
        transaction = connection.transaction()
        await transaction.start()
        for table in (*TABLES, "generation"):
            await connection.execute(f"DELETE FROM {table}")
        await insert(connection, rows_of(self._number))
        await connection.execute("INSERT INTO generation VALUES ($1)", self._number)
        self._unknown = self.history.begin(self._number)
        await transaction.commit()
        self._unknown.end()
        self._unknown = None


class OverlayWriter:
    """The programs that serve overlays: sets the counters of the hour in which the tests began."""

    def __init__(self, redis: Redis) -> None:
        self.history = History()
        self._redis = redis
        self._number = 0
        self._turn = asyncio.Lock()
        self.history.begin(0).end()

    async def run(self) -> None:
        """Write until cancelled. What a server that is away did with a write stays unknown until the next."""
        while True:
            async with self._turn:
                await self._write()
            await asyncio.sleep(PAUSE_SECONDS)

    async def kept(self, end: Callable[[], object]) -> None:
        """Run what ends a Redis whose replicas have all that it holds."""
        async with self._turn:
            await asyncio.to_thread(end)

    async def forgotten(self, end: Callable[[], None]) -> None:
        """Run what ends Redis, and with it all that it holds."""
        async with self._turn:
            await asyncio.to_thread(end)
            self.history.begin(0)

    async def close(self) -> None:
        """Close the connection."""
        await self._redis.aclose()

    async def _write(self) -> None:
        self._number += 1
        generation = self.history.begin(self._number)
        try:
            await self._set(overlay_of(self._number))
            generation.end()
        except ResponseError:
            self.history.drop(generation)
        except (RedisError, OSError):
            pass

    async def _set(self, counts: dict[str, int]) -> None:
        """One command, so that no reader sees half of it."""
        fields = {counts_field(START.hour, kind): str(counts[kind]) for kind in KINDS}
        await self._redis.hset(counts_key(START.date()), mapping=dict(fields.items()))


async def ended(task: asyncio.Task[None]) -> None:
    """Cancel it until it ends: a client may swallow a cancellation. Raises what ended it early."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=1)
    if not task.cancelled():
        task.result()
