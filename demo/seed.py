"""Fill the PLM's tables with rows as a PLM would have them, ugly ones included.

The rows are made inside PostgreSQL, so that millions take minutes, and each is decided by its
number and by the instant the data ends at: the same seed gives the same rows everywhere.
"""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import rich_click as click
from msgspec import Struct
from msgspec.structs import astuple
from parallel_ops_recorder.keys import NO_TENANT
from redis.asyncio import Redis

from demo.overlay_counters import seed_overlay
from demo.progress import Progress, bars, console, unseen
from demo.rhythm import INCIDENTS, JOBS, RUNS, SLOT, Slot, fresh, slots
from demo.schema import TABLES, create_schema, quietly

CHUNK_ROWS = 20_000
# So that a week has enough of them at any hour of it: of four, two may be open, which is not past a half.
FEWEST_INCIDENTS = 200
SQL = Path(__file__).parent / "sql"
MOMENT = timedelta(seconds=2)
WAITING = timedelta(minutes=10)


class Counts(Struct, frozen=True):
    """How many rows each table gets."""

    jobs: int
    runs: int
    incidents: int
    plans: int

    @classmethod
    def of(cls, rows: int) -> "Counts":
        """In the proportions of the usual 20,000: as many runs as jobs, fewer of the others."""
        incidents = max(rows // 4, FEWEST_INCIDENTS)
        return cls(jobs=rows, runs=rows, incidents=incidents, plans=rows * 3 // 200)


async def seed(
    connection: asyncpg.Connection, counts: Counts, until: datetime, progress: Progress = unseen
) -> None:
    """Replace all rows by `counts` rows of the 100 days before `until` (aware).

    Calls progress(table, rows done, rows in all) after each chunk.
    """
    await create_schema(connection)
    await quietly(connection, _statement("functions"))
    async with connection.transaction():
        await connection.execute(f"TRUNCATE demo.seeds, {', '.join(TABLES)}")
        for name, table, count, rhythm in (
            ("jobs", "meta_conversion_jobs", counts.jobs, JOBS),
            ("runs", "meta_workflow_custom_action_runs", counts.runs, RUNS),
            ("incidents", "meta_breakage_incidents", counts.incidents, INCIDENTS),
        ):
            for chunk in _chunks(slots(count, until, rhythm)):
                await _insert(connection, name, chunk)
                progress(table, chunk[-1].last, count)
        await _insert_plans(connection, counts.plans, until, progress)
        values = (*astuple(counts), until)
        await connection.execute("INSERT INTO demo.seeds VALUES ($1, $2, $3, $4, $5)", *values)
    # What autovacuum would do a little later, in the middle of somebody's measurement.
    await connection.execute(f"VACUUM ANALYZE {', '.join(TABLES)}")


async def seeded_until(connection: asyncpg.Connection) -> datetime | None:
    """The instant at which the seeded data ends, if there is any."""
    if await connection.fetchval("SELECT to_regclass('demo.seeds')") is None:
        return None
    until: datetime | None = await connection.fetchval("SELECT until FROM demo.seeds")
    return until


async def fill(database_url: str, redis_url: str | None, counts: Counts, tenant: str = NO_TENANT) -> None:
    """Seed up to now, while bars show how far it is, unless that was done before."""
    connection = await asyncpg.connect(database_url)
    try:
        if until := await seeded_until(connection):
            console.print(f"The data is there already, up to {until:%Y-%m-%d %H:%M} UTC.")
            return
        now = datetime.now(UTC)
        if redis_url is not None:
            async with Redis.from_url(redis_url) as redis:
                await seed_overlay(redis, now, tenant)
        with bars() as progress:
            await seed(connection, counts, now, progress)
    finally:
        await connection.close()


async def trickle(connection: asyncpg.Connection, now: datetime) -> None:
    """Add a few rows of right now (aware), and finish a few jobs that have waited long."""
    first = int(now.timestamp() * 1000)  # numbers that no seed and no other moment has
    for name, count, rhythm in (("jobs", 2, JOBS), ("runs", 2, RUNS), ("incidents", first % 2, INCIDENTS)):
        await _insert(connection, name, [fresh(first, count, now - MOMENT, rhythm)], MOMENT)
    await connection.execute(_statement("settle"), _naive(now - WAITING))


def _chunks(all_slots: list[Slot]) -> Iterator[list[Slot]]:
    """Slots with about CHUNK_ROWS rows together, or a single one with more."""
    chunk: list[Slot] = []
    for slot in all_slots:
        chunk.append(slot)
        if slot.last - chunk[0].first + 1 >= CHUNK_ROWS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


async def _insert(
    connection: asyncpg.Connection, name: str, chunk: list[Slot], length: timedelta = SLOT
) -> None:
    columns: list[Any] = list(zip(*map(astuple, chunk), strict=True))
    await connection.execute(_statement(name), *columns, length)


async def _insert_plans(
    connection: asyncpg.Connection, count: int, until: datetime, progress: Progress
) -> None:
    for first in range(1, count + 1, CHUNK_ROWS):
        last = min(count, first + CHUNK_ROWS - 1)
        await connection.execute(_statement("plans"), first, last, _naive(until))
        progress("meta_consumption_plans", last, count)


def _statement(name: str) -> str:
    return (SQL / f"{name}.sql").read_text()


def _naive(instant: datetime) -> datetime:
    """As the tables have it: UTC, without saying so."""
    return instant.astimezone(UTC).replace(tzinfo=None)


@click.command()
@click.option(
    "--database-url", required=True, help="Of a superuser, postgresql://user:password@host/database."
)
@click.option("--redis-url", help="Where the overlay cache's counters go; without it there are none.")
@click.option("--rows", default=20_000, show_default=True, help="Jobs, as many runs, and fewer of the rest.")
def main(database_url: str, redis_url: str | None, rows: int) -> None:
    """Fill an empty PLM database with 100 days of rows; one that this has filled before is left alone."""
    asyncio.run(fill(database_url, redis_url, Counts.of(rows)))


if __name__ == "__main__":
    main()
