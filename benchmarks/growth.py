"""What grows with the rows of the two big tables: 10,000 to 5,000,000 jobs, and as many runs.

Hot answers and the process's memory should stay as they are, a cold summary should grow no faster than
the rows, and with the optional indexes one of a day alone only with the rows of that day.
"""

import asyncio
from collections.abc import Sequence

import asyncpg
import httpx
from msgspec import Struct

from benchmarks.cold import FORGETFUL, SUMMARY, missed, quiet
from benchmarks.load import Load, ask
from benchmarks.report import MEBI, Table, spread
from benchmarks.stage import NO_REFRESH, USUAL, Service, Stage, service, stage
from demo.seed import Counts
from tests.support.indexes import optional_indexes
from tests.support.tokens import bearer, token

SIZES = (10_000, 100_000, 1_000_000, 5_000_000)
ROUNDS = 7
LOAD = Load(connections=32, seconds=4)
LONG, SHORT = 90, 1


class Point(Struct, frozen=True):
    """The figures at one size; times in milliseconds, memory in MiB."""

    rows: int
    hot_rate: list[float]
    memory: float
    cold: dict[int, list[float]]
    indexed: dict[int, list[float]]


def run() -> Table:
    """A row for each size."""
    points = [measure(size) for size in SIZES]
    return Table(
        (
            *(
                "jobs, runs",
                "hot requests/s",
                "memory, MiB",
                "cold 90 days, ms",
                "a 1,000 rows",
                "cold 1 day, ms",
            ),
            *("with indexes: 90 days, ms", "1 day, ms"),
        ),
        [_row(point) for point in points],
        [f"{ROUNDS} cold answers each; memory is the worker's resident set after {LOAD.seconds} s of load."],
    )


def measure(size: int) -> Point:
    """Seed so many rows, and ask hot and cold, without and with the optional indexes."""
    with stage(Counts(size, size, USUAL.incidents, USUAL.plans)) as servers:
        with service(servers, NO_REFRESH) as hot:
            httpx.get(hot.url + SUMMARY, headers=bearer(token()), timeout=60).raise_for_status()
            rates = [ask(hot.url, SUMMARY, load=LOAD).rate for _ in range(3)]
            (worker,) = hot.workers
            memory = worker.memory_info().rss / MEBI
        with service(servers, FORGETFUL) as cold:
            plain = asyncio.run(_cold(servers, cold))
        asyncio.run(_index(servers))
        with service(servers, FORGETFUL) as cold:  # another one, which finds the indexes at once
            indexed = asyncio.run(_cold(servers, cold))
    return Point(size, rates, memory, plain, indexed)


async def _cold(servers: Stage, service: Service) -> dict[int, list[float]]:
    watching = await asyncpg.connect(servers.admin_url)
    try:
        async with httpx.AsyncClient(base_url=service.url, headers=bearer(token()), timeout=120) as client:
            await missed(client, LONG)
            return {
                days: [1000 * await _alone(watching, client, days) for _ in range(ROUNDS)]
                for days in (LONG, SHORT)
            }
    finally:
        await watching.close()


async def _alone(watching: asyncpg.Connection, client: httpx.AsyncClient, days: int) -> float:
    """The seconds of a cold summary, when nothing is read behind another one any more."""
    await quiet(watching)
    return (await missed(client, days))[0]


async def _index(servers: Stage) -> None:
    connection = await asyncpg.connect(servers.admin_url)
    for statement in (*optional_indexes(), "VACUUM ANALYZE"):
        await connection.execute(statement)
    await connection.close()


def _row(point: Point) -> Sequence[str]:
    return (
        f"{point.rows:,}",
        spread(point.hot_rate, ",.0f"),
        f"{point.memory:.0f}",
        spread(point.cold[LONG], ",.0f"),
        f"{1000 * min(point.cold[LONG]) / point.rows:.2f}",
        spread(point.cold[SHORT], ",.0f"),
        spread(point.indexed[LONG], ",.0f"),
        spread(point.indexed[SHORT], ",.0f"),
    )
