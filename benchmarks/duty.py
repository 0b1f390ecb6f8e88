"""What the duty boards cost the database while rows come in: 130 boards before three instances.

    python -m benchmarks.duty 200000 --no-indexes --seconds 30

measures one size for a short while, and prints its table.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median, quantiles

import asyncpg
import rich_click as click
from msgspec import Struct
from redis.asyncio import Redis

from benchmarks.duty_boards import BOARDS, EVERY_SECONDS, Answer, boards
from benchmarks.duty_rows import PLANS, Writer, rows_of, writer
from benchmarks.processor import spent
from benchmarks.report import MEBI, Table, as_markdown
from benchmarks.stage import ROOMY, Service, Stage, service, stage_with
from demo.progress import bars
from tests.support.ending import end_in_order
from tests.support.indexes import optional_indexes

SIZES = (200_000, 1_000_000, 10_000_000)
INSTANCES = 3
SECONDS, WARM_UP_SECONDS = 120, 60
# From so many rows on there has to be room for more, and it takes longer until every instance knows them.
MANY_ROWS, MANY_ROWS_WARM_UP_SECONDS = 5_000_000, 120
ROOM_FOR_MANY = ROOMY | {"shared_buffers": "8GB"}
REFRESH = {"refresh_seconds": str(EVERY_SECONDS)}
STATES = ("hit", "stale", "miss")


class Case(Struct, frozen=True):
    """So many rows, with or without the optional indexes, and for how many seconds they are watched."""

    rows: int
    indexes: bool
    warm_up: int
    seconds: int


class Cores(Struct, frozen=True):
    """How many cores were taken on average: by PostgreSQL, but for the writer, and by all instances."""

    postgres: float
    service: float


class Watched(Struct, frozen=True):
    """What a case came to: its good answers, and how many others there were of which status.

    `memory` is the resident set of the largest worker in the end, in bytes; `refused` are the others of the
    warm-up.
    """

    case: Case
    cores: Cores
    memory: int
    answers: list[Answer]
    wrong: Counter[int]
    refused: Counter[int]


def run() -> Table:
    """Two rows for each size: without the optional indexes, and with them."""
    return table([watched for rows in SIZES for watched in measure(rows)])


def measure(
    rows: int, indexes: Sequence[bool] = (False, True), seconds: int = SECONDS, warm_up: int | None = None
) -> list[Watched]:
    """Fill the tables once, and watch them for each of `indexes`; those without come first."""
    many = rows >= MANY_ROWS
    if warm_up is None:
        warm_up = MANY_ROWS_WARM_UP_SECONDS if many else WARM_UP_SECONDS
    with stage_with(rows_of(rows), ROOM_FOR_MANY if many else ROOMY) as servers:
        return [_watched(servers, Case(rows, each, warm_up, seconds)) for each in sorted(indexes)]


def _watched(servers: Stage, case: Case) -> Watched:
    click.echo(f"{case.rows:,} rows, {_indexes(case)} the optional indexes ...", err=True)
    asyncio.run(_prepare(servers, case))
    with ExitStack() as running:
        instances = [running.enter_context(service(servers, REFRESH)) for _ in range(INSTANCES)]
        watched = asyncio.run(_watch(servers, instances, case))
    click.echo(as_markdown(table([watched])), err=True)  # should a later one fail, this is known
    return watched


async def _prepare(servers: Stage, case: Case) -> None:
    """Add the indexes if they are wanted, do what autovacuum would do in between, and forget all readings."""
    connection = await asyncpg.connect(servers.admin_url)
    try:
        for statement in (*(optional_indexes() if case.indexes else ()), "VACUUM ANALYZE", "CHECKPOINT"):
            await connection.execute(statement)
    finally:
        await connection.close()
    async with Redis.from_url(servers.settings.redis_url) as redis:
        await redis.flushall()


async def _watch(servers: Stage, instances: Sequence[Service], case: Case) -> Watched:
    urls = [instance.url for instance in instances]
    async with (
        writer(servers.admin_url, case.rows) as plm,
        boards(urls) as watching,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(plm.write(case.warm_up + case.seconds))
        tasks.create_task(watching.watch(case.warm_up + case.seconds))
        await _pass("warming up", case.warm_up)
        began = time.monotonic()
        cores = await _cores(servers, instances, plm, case.seconds)
    for error in watching.lost:
        click.echo(f"no answer: {error!r}", err=True)
    counted = [each for each in watching.answers if each.asked >= began]
    wrong = Counter(each.status for each in counted if not each.good)
    refused = Counter(each.status for each in watching.answers if each.asked < began and not each.good)
    memory = max(worker.memory_info().rss for instance in instances for worker in instance.workers)
    return Watched(case, cores, memory, [each for each in counted if each.good], wrong, refused)


async def _cores(servers: Stage, instances: Sequence[Service], plm: Writer, seconds: int) -> Cores:
    """What is taken within the next seconds."""

    def taken() -> tuple[float, float, float]:
        of_service = sum(spent(instance.parent) for instance in instances)
        return time.monotonic(), spent(servers.postmaster, without=plm.backend), of_service

    before = taken()
    await _pass("watching", seconds)
    wall, *cores = (after - earlier for after, earlier in zip(taken(), before, strict=True))
    return Cores(*(each / wall for each in cores))


async def _pass(what: str, seconds: int) -> None:
    """Let so much time pass, and show it."""
    end = time.monotonic() + seconds
    with bars() as progress:
        for second in range(1, seconds + 1):
            await asyncio.sleep(end - seconds + second - time.monotonic())
            progress(what, second, seconds)


def table(seen: Sequence[Watched]) -> Table:
    """A row for each case."""
    return Table(
        (
            *("jobs, runs", "optional indexes", "PostgreSQL, cores", "service, cores", "age, s", "worst"),
            *("oldest reading, worst", "p50 ms", "p99 ms", "longest ms", "memory, MiB", *STATES),
        ),
        [_row(watched) for watched in seen],
        [
            f"{len(BOARDS)} boards, {INSTANCES} instances; incidents: a quarter of the jobs; {PLANS:,} plans."
            " Cores: PostgreSQL's without the writer's connection, and those of all instances together."
            " Ages: of answers as they came in, the median and the worst.",
            f"Watched: {_times(seen)}.",
            *(
                f"{watched.case.rows:,} rows {_indexes(watched.case)} indexes, {when}: {_told(others)}."
                for watched in seen
                for when, others in (("watched", watched.wrong), ("warming up", watched.refused))
                if others
            ),
        ],
    )


def _row(watched: Watched) -> tuple[str, ...]:
    answers = watched.answers
    ages = [answer.age for answer in answers]
    waits = [1000 * answer.waited for answer in answers]
    states = Counter(answer.state for answer in answers)
    return (
        f"{watched.case.rows:,}",
        _indexes(watched.case),
        f"**{watched.cores.postgres:.2f}**",
        f"{watched.cores.service:.2f}",
        *(f"{age:.1f}" for age in (median(ages), max(ages), max(answer.oldest for answer in answers))),
        *(f"{wait:,.1f}" for wait in (median(waits), quantiles(waits, n=100)[98], max(waits))),
        f"{watched.memory / MEBI:.0f}",
        *(f"{states[state] / len(answers):.1%}" for state in STATES),
    )


def _indexes(case: Case) -> str:
    return "with" if case.indexes else "without"


def _times(seen: Sequence[Watched]) -> str:
    times = {(case.rows, case.seconds, case.warm_up) for case in (watched.case for watched in seen)}
    lasted = "{:,} rows for {} s after {} s of warming up"
    return ", ".join(lasted.format(*each) for each in sorted(times))


def _told(others: Counter[int]) -> str:
    return ", ".join(f"{number} answers {status or 'lost'}" for status, number in sorted(others.items()))


@click.command()
@click.argument("rows", type=click.IntRange(min=1_000))
@click.option("--indexes/--no-indexes", default=None, help="With or without the optional indexes, not both.")
@click.option("--seconds", type=click.IntRange(min=5), default=SECONDS, show_default=True)
@click.option(
    "--warm-up", type=click.IntRange(min=1), help="Seconds before that; by default a minute or two."
)
def main(rows: int, indexes: bool | None, seconds: int, warm_up: int | None) -> None:
    """Measure one size, so many jobs and runs, and print the table."""
    end_in_order()
    wanted = (False, True) if indexes is None else (indexes,)
    click.echo(as_markdown(table(measure(rows, wanted, seconds, warm_up))))


if __name__ == "__main__":
    main()
