"""What the indexes of migrations_none/optional_indexes.sql save, by the service's own statements.

    python -m benchmarks.optional_indexes

Starts a PostgreSQL of its own with 200,000 jobs and runs and 50,000 incidents over 100 days, explains
(ANALYZE, BUFFERS) every statement without and with each index, and prints a table.
"""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
from msgspec import Struct
from sqlalchemy import Select
from sqlalchemy.dialects import postgresql

from benchmarks.stage import Stage, stage
from demo.seed import Counts
from service.overview.query import Filters, PageQuery, Query
from service.sources import breakages, doc_sync, failing_rows, workflow_actions
from service.sources.database import session
from tests.support.ending import end_in_order
from tests.support.indexes import optional_indexes

COUNTS = Counts(jobs=200_000, runs=200_000, incidents=50_000, plans=3_000)
WINDOWS = (1, 7, 90)
REPEATS = 7
SITE, TARGET = "SH-01", "Part"
DIALECT = postgresql.asyncpg.dialect()  # type: ignore[no-untyped-call]


class Cost(Struct, frozen=True):
    """The quickest of the runs in milliseconds, and the 8 kB pages that a run looked at."""

    milliseconds: float
    pages: int


class Explaining:
    """Stands where the sources expect a Database, and explains what they ask for."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self.costs: list[Cost] = []

    async def rows(self, statement: Select[Any], **values: object) -> None:
        """Explain one statement."""
        raise Explained(await self._cost(statement, values))

    async def consistent(self, *statements: Select[Any], **values: object) -> None:
        """Explain each statement."""
        raise Explained(*[await self._cost(statement, values) for statement in statements])

    async def _cost(self, statement: Select[Any], values: dict[str, object]) -> Cost:
        compiled = statement.compile(dialect=DIALECT, compile_kwargs={"render_postcompile": True})
        parameters = {**compiled.params, **values}
        arguments = [parameters[name] for name in compiled.positiontup or ()]
        explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {compiled}"
        plans = [json.loads(await self.connection.fetchval(explain, *arguments))[0] for _ in range(REPEATS)]
        root = plans[-1]["Plan"]
        pages = root["Shared Hit Blocks"] + root["Shared Read Blocks"]
        return Cost(min(plan["Execution Time"] for plan in plans), pages)


class Explained(Exception):
    """Takes the costs past the source, which has no rows to read."""

    def __init__(self, *costs: Cost) -> None:
        self.costs = costs


async def measure(connection: asyncpg.Connection, until: datetime) -> dict[str, Cost]:
    """The cost of every statement by its name."""
    costs: dict[str, Cost] = {}
    for name, read, query in _questions():
        try:
            await read(Explaining(connection), query, until)
        except Explained as explained:
            parts = ("",) if len(explained.costs) == 1 else (" count", " page")
            costs |= {name + part: cost for part, cost in zip(parts, explained.costs, strict=True)}
    return costs


def _questions() -> Iterator[tuple[str, Any, Any]]:
    for days in WINDOWS:
        yield f"jobs {days}d", doc_sync.read, Query(days)
        yield f"jobs {days}d, a site", doc_sync.read, Query(days, Filters(site_id=SITE))
        yield f"runs {days}d", workflow_actions.read, Query(days)
        yield f"runs {days}d, a target", workflow_actions.read, Query(days, Filters(target_object=TARGET))
        yield f"incidents {days}d", breakages.read, Query(days)
        yield f"failed jobs {days}d", failing_rows.failed_jobs, PageQuery(days, None, 1, 20)
        yield f"failed runs {days}d", failing_rows.failed_runs, PageQuery(days, None, 1, 20)


def main() -> None:
    """Print what each statement costs without any index of ours, and with each of them."""
    end_in_order()
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
                f"  {question:28} {before.milliseconds:8.1f} ms {before.pages:6} pages"
                f" -> {cost.milliseconds:8.1f} ms {cost.pages:6} pages"
            )


if __name__ == "__main__":
    main()
