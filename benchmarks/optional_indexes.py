"""What the indexes of migrations_none/optional_indexes.sql save, by the service's own statements.

    python -m benchmarks.optional_indexes

Starts a PostgreSQL of its own with 200,000 jobs and runs and 50,000 incidents over 100 days, explains
(ANALYZE, BUFFERS) every statement without and with each index, and prints a table.
"""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import cast

import asyncpg
from msgspec import Struct
from sqlalchemy.dialects import postgresql

from benchmarks.stage import Stage, stage
from demo.seed import Counts
from service.overview.query import WINDOW_DAYS, PageQuery
from service.readings.grid import Grid, day_of, days_of
from service.readings.recurrences import edges
from service.readings.tables import DAY_TABLES, span_of
from service.sources import breakages, failing_rows
from service.sources.database import HASHING, Bound, Database, Statement, session
from tests.support.ending import exit_in_order
from tests.support.indexes import optional_indexes

COUNTS = Counts(jobs=200_000, runs=200_000, incidents=50_000, plans=3_000)
GRID = Grid(refresh=15, old_days_seconds=900)
REPEATS = 7
DIALECT = postgresql.asyncpg.dialect()  # type: ignore[no-untyped-call]


class Cost(Struct, frozen=True):
    """The quickest of the runs in milliseconds, and the 8 kB pages that a run looked at."""

    milliseconds: float
    pages: int


class Explaining:
    """Stands where lists of failures expect a Database, and takes their statements."""

    async def consistent(self, *statements: Statement) -> None:
        """Take the statements past the list, which has no rows to read."""
        raise Taken(*statements)


class Taken(Exception):
    """The statements that were asked for."""

    def __init__(self, *statements: Statement) -> None:
        self.statements = statements


async def measure(connection: asyncpg.Connection, until: datetime) -> dict[str, Cost]:
    """The cost of every statement by its name, under the settings that the service has for it."""
    costs = {}
    async with connection.transaction():
        for setting, value in HASHING.items():
            await connection.execute("SELECT set_config($1, $2, true)", setting, value)
        for name, bound in _readings(int(until.timestamp())):
            costs[name] = await _cost(connection, bound)
    for name, bound in await _failures(until):
        costs[name] = await _cost(connection, bound)
    return costs


def _readings(tick: int) -> Iterator[tuple[str, Bound]]:
    """What a tick reads: the newest days, some older ones in turn, or all."""
    today = day_of(tick)
    for name, days in (
        ("the newest days", range(today - 1, today + 1)),
        ("two older days", range(today - 40, today - 38)),
        ("all days", days_of(tick, WINDOW_DAYS[-1])),
    ):
        for table in DAY_TABLES.values():
            yield f"{table.section}, {name}", table.rows_of(span_of(GRID, tick, days))
    all_edges = edges(GRID, tick)
    yield "recurring incidents", breakages.recurrences(all_edges)


async def _failures(until: datetime) -> list[tuple[str, Bound]]:
    found = []
    for days in (7, 90):
        for name, read in (("jobs", failing_rows.failed_jobs), ("runs", failing_rows.failed_runs)):
            try:
                await read(cast("Database", Explaining()), PageQuery(days, None, 1, 20), until)
            except Taken as taken:
                for part, statement in zip(("count", "page"), taken.statements, strict=True):
                    found.append((f"failed {name} {days}d {part}", Bound(statement, {})))
    return found


async def _cost(connection: asyncpg.Connection, bound: Bound) -> Cost:
    asked = bound.statement.compile(dialect=DIALECT).construct_expanded_state(bound.values)
    explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {asked.statement}"
    arguments = asked.positional_parameters
    plans = [json.loads(await connection.fetchval(explain, *arguments))[0] for _ in range(REPEATS)]
    root = plans[-1]["Plan"]
    pages = root["Shared Hit Blocks"] + root["Shared Read Blocks"]
    return Cost(min(plan["Execution Time"] for plan in plans), pages)


def main() -> None:
    """Print what each statement costs without any index of ours, and with each of them."""
    with stage(COUNTS) as servers:
        asyncio.run(compare(servers))


async def compare(servers: Stage) -> None:
    """Explain everything without, and then with each index alone."""
    until = datetime.now(UTC).replace(microsecond=0)
    settings = session(servers.settings.database_limits)
    connection = await asyncpg.connect(servers.admin_url, server_settings=settings)
    await connection.execute("SET default_transaction_read_only = off; SET statement_timeout = 0")
    without = await measure(connection, until)
    for statement in optional_indexes():
        await connection.execute(statement)
        table = statement.partition(" ON ")[2].split()[0]
        await connection.execute(f"VACUUM ANALYZE {table}")
        name = statement.split("IF NOT EXISTS")[1].split()[0]
        size = await connection.fetchval("SELECT pg_size_pretty(pg_relation_size($1::regclass))", name)
        print(f"\n{' '.join(statement.split())}\n{size}")
        _print_gains(without, await measure(connection, until))
        await connection.execute(f"DROP INDEX {name}")
    await connection.close()


def _print_gains(without: dict[str, Cost], costs: dict[str, Cost]) -> None:
    for question, cost in costs.items():
        before = without[question]
        if cost.pages < before.pages * 0.9:
            print(
                f"  {question:34} {before.milliseconds:8.1f} ms {before.pages:6} pages"
                f" -> {cost.milliseconds:8.1f} ms {cost.pages:6} pages"
            )


if __name__ == "__main__":
    exit_in_order(main)
