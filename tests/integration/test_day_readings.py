"""Day readings on the real servers: while the clock moves on, every answer is the contract's."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import asyncpg
import pytest
from msgspec.structs import replace

from service.settings import Settings
from tests.support.builders import Database, insert, template
from tests.support.clock import Clock
from tests.support.edge_rows import edge_times, rows_at
from tests.support.fixtures import Serve
from tests.support.moving_answers import Question, age_of, ask, ask_now, assert_right, generated_at

# Three ticks before midnight.
START = datetime(2026, 3, 9, 23, 59, 15, tzinfo=UTC)
REFRESH, OLD_DAYS = 15, 60
TICKS = [int(START.timestamp()) + REFRESH * number for number in range(12)]
# Of the database's time: so little that days are read in their turn, and enough for all at every tick.
TINY, PLENTY = 1e-6, 64.0
# Nothing older is served while an answer can be made.
NEVER = 1e-3
# Over less and more than a reading may be used, an answer be served, and a day; and back again.
JUMPS = (
    *(0, 15, 45, 60, 75, 15, 30, 300, 315, 15, 3600, 45, -15, 15, -60, 60),
    *(86_400, 30, 3 * 86_400, -3600, 15, -86_400, 15),
)
NAMES: tuple[tuple[str, ...], ...] = ((), ("A", "Part"), ("B", "ECO"), ("7", "nobody's"))
QUESTIONS = [
    Question(path, days, *names)
    for path in ("/summary", "/trends", "/alerts")
    for days in (1, 7, 14, 30, 90)
    for names in NAMES
]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Redis is waited for: answers without it are others, and a busy machine takes its time for so many."""
    return replace(settings, redis_url=f"{settings.redis_url}?socket_timeout=30&socket_connect_timeout=30")


@pytest.mark.usefixtures("indexes")
async def test_days_are_read_in_their_turn_and_every_answer_is_the_contracts(
    database: asyncpg.Connection, serve: Serve
) -> None:
    ages = await walk(database, serve, TINY, OLD_DAYS + REFRESH)
    assert max(ages) > timedelta(seconds=REFRESH)


@pytest.mark.usefixtures("indexes")
async def test_with_plenty_all_days_are_read_at_every_tick(
    database: asyncpg.Connection, serve: Serve
) -> None:
    await walk(database, serve, PLENTY, 0)


async def test_without_indexes_every_answer_is_the_contracts(
    database: asyncpg.Connection, serve: Serve
) -> None:
    await walk(database, serve, PLENTY, 0)


async def test_without_indexes_and_without_time_to_spare_answers_are_old_but_right(
    database: asyncpg.Connection, serve: Serve
) -> None:
    random, clock = Random(4), Clock(START)
    rows = await edge_rows(database, random, TICKS)
    settings = {"database_share": TINY, "old_days_seconds": OLD_DAYS, "max_stale_seconds": 6 * REFRESH}
    async with serve(clock, **settings) as one, serve(clock, flush=False, **settings) as two:
        for clock.now in TICKS:
            for client in (one, two):
                questions = random.sample(QUESTIONS, 6)
                answers = [await ask(client, question) for question in questions]
                assert_right(questions, answers, rows, OLD_DAYS + REFRESH)
                ages = [clock.now - generated_at(answer).timestamp() for answer in answers]
                assert 0 <= min(ages) <= max(ages) <= 6 * REFRESH


async def test_a_new_instance_between_two_passes_answers_what_nobody_asked_before(
    database: asyncpg.Connection, serve: Serve
) -> None:
    random, clock = Random(5), Clock(START)
    rows = await edge_rows(database, random, TICKS)
    settings = {"database_share": TINY, "old_days_seconds": OLD_DAYS}
    async with serve(clock, **settings) as one:
        await ask(one, Question("/summary", 90))
        for number, clock.now in enumerate(TICKS[:5]):
            question = Question("/summary", 30, f"S{number}")
            async with serve(clock, flush=False, **settings) as new:
                assert_right([question], [await ask(new, question)], rows, OLD_DAYS + REFRESH)


@pytest.mark.usefixtures("indexes")
async def test_a_clock_that_jumps_on_and_back_changes_no_figure(
    database: asyncpg.Connection, serve: Serve
) -> None:
    random, clock = Random(7), Clock(START)
    jumped_to = [int(clock.now) + sum(JUMPS[: number + 1]) for number in range(len(JUMPS))]
    rows = await edge_rows(database, random, jumped_to)
    settings = {"database_share": TINY, "old_days_seconds": OLD_DAYS, "stale_seconds": NEVER}
    async with serve(clock, **settings) as one, serve(clock, flush=False, **settings) as two:
        for clock.now in jumped_to:
            questions = random.sample(QUESTIONS, 10)
            for client in random.sample([one, two], random.choice((1, 2))):
                answers = await ask_now(client, clock, questions)
                assert_right(questions, answers, rows, OLD_DAYS + REFRESH)


async def walk(database: asyncpg.Connection, serve: Serve, share: float, oldest: float) -> list[timedelta]:
    """One instance through all ticks and another from their middle on; the ages of the oldest readings."""
    random, clock, ages = Random(share), Clock(START), [timedelta()]
    rows = await edge_rows(database, random, TICKS)
    settings = {"database_share": share, "old_days_seconds": OLD_DAYS, "stale_seconds": NEVER}
    async with serve(clock, **settings) as one, serve(clock, flush=False, **settings) as two:
        for number, tick in enumerate(TICKS):
            clock.now = tick
            await add_rows(database, rows, random, tick)
            questions = QUESTIONS if number in (0, 6) else random.sample(QUESTIONS, 10)
            for client in (one, two)[: 1 + number // 6]:
                answers = await ask_now(client, clock, questions)
                assert_right(questions, answers, rows, oldest)
                ages += map(age_of, answers)
    return ages


async def edge_rows(database: asyncpg.Connection, random: Random, ticks: Sequence[int]) -> Database:
    """Rows on the edges of the ticks and beside them."""
    rows = rows_at(random, edge_times(random, ticks))
    rows.plans += [template("pump", active=True), template("pump", active=True), template("valve")]
    await insert(database, rows)
    return rows


async def add_rows(database: asyncpg.Connection, rows: Database, random: Random, tick: int) -> None:
    """Rows of now, of yesterday, of any moment between, and of later; they always show at once."""
    now = datetime.fromtimestamp(tick, UTC)
    midnight = now.replace(hour=0, minute=0, second=0)
    yesterday = midnight - timedelta(days=1)
    times = [
        now,
        yesterday,
        yesterday + random.random() * (now - yesterday),
        now + random.random() * (now - yesterday),
    ]
    more = rows_at(random, times)
    await insert(database, more)
    rows.jobs += more.jobs
    rows.runs += more.runs
    rows.incidents += more.incidents
