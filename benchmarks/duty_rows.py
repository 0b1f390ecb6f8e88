"""The rows that the duty boards look at, and a writer that goes on adding to them as a PLM does."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from benchmarks.stage import Fill
from demo.progress import Progress
from demo.schema import create_schema

SQL = Path(__file__).with_name("duty.sql").read_text()
SPAN = timedelta(days=100)
PLANS = 15_000
CHUNK_ROWS = 100_000
A_SECOND, CHANGES_A_SECOND = {"jobs": 3, "runs": 3, "incidents": 1}, 2
MOMENT = timedelta(milliseconds=1)
LONGEST_SECONDS = 30


def rows_of(rows: int) -> Fill:
    """What makes so many jobs and runs, a quarter as many incidents, and the plans, of the last 100 days."""

    async def fill(connection: asyncpg.Connection, progress: Progress) -> None:
        # In the transaction that makes a table, what is put into it need not be logged.
        async with connection.transaction():
            await create_schema(connection)
            await connection.execute(SQL)
            await connection.execute("SELECT setseed(0.5)")  # the same rows each time
            for name, count in {"jobs": rows, "runs": rows, "incidents": rows // 4, "plans": PLANS}.items():
                await _add(connection, name, count, progress)

    return fill


async def _add(connection: asyncpg.Connection, name: str, count: int, progress: Progress) -> None:
    step, since = SPAN / count, _now() - SPAN
    for first in range(1, count + 1, CHUNK_ROWS):
        numbers = range(first, min(count + 1, first + CHUNK_ROWS))
        await _insert(connection, name, numbers, since + first * step, step)
        progress(name, numbers[-1], count)


async def _insert(
    connection: asyncpg.Connection, name: str, numbers: range, starts: datetime, step: timedelta
) -> None:
    """The rows of these numbers, the first of them dated `starts` and each a step later."""
    statement = f"SELECT duty.{name}($1, $2, $3, $4)"
    await connection.execute(statement, numbers[0], numbers[-1], starts, step)


class Writer:
    """Adds a few rows a second, dated now, and changes the status of a few recent jobs and runs."""

    def __init__(self, connection: asyncpg.Connection, rows: int) -> None:
        self.backend: int = connection.get_server_pid()
        self._connection = connection
        self._recent = range(rows - rows // 100, rows + 1)  # of the last day

    async def write(self, seconds: float) -> None:
        """Go on for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            first = int(time.time() * 1000)  # numbers that no other moment has
            for name, count in A_SECOND.items():
                await _insert(self._connection, name, range(first, first + count), _now(), MOMENT)
            changed = random.sample(self._recent, CHANGES_A_SECOND)
            await self._connection.execute("SELECT duty.finish($1)", changed)
            await asyncio.sleep(1)


@asynccontextmanager
async def writer(url: str, rows: int) -> AsyncIterator[Writer]:
    """A writer, with a connection of its own to tables that hold so many jobs."""
    connection = await asyncpg.connect(url, command_timeout=LONGEST_SECONDS)
    try:
        yield Writer(connection, rows)
    finally:
        await connection.close()


def _now() -> datetime:
    """As the tables have it: UTC, without saying so."""
    return datetime.now(UTC).replace(tzinfo=None)
