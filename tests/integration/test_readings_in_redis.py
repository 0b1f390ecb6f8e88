"""What instances leave each other in Redis: all that they need while it is there, never a wrong figure."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import asyncpg
import pytest
from redis.asyncio import Redis

from demo.process import free_port
from demo.schema import TABLES
from tests.support.builders import Database, incident, insert, job, run
from tests.support.clock import Clock
from tests.support.edge_rows import edge_times, rows_at
from tests.support.fixtures import Serve
from tests.support.moving_answers import Question, age_of, ask, ask_now, assert_right
from tests.support.reads import know_all_days
from tests.support.spoiling import (
    SPOILINGS,
    Which,
    every_other_one_gone,
    found_in,
    gone,
    is_a_day,
    is_anything,
    is_no_day,
    spoil,
)
from tests.support.statement_log import StatementLog
from tests.support.waiting import until

NOW = datetime(2026, 3, 9, 23, 59, 30, tzinfo=UTC)
REFRESH, OLD_DAYS = 15, 60
BOUND = OLD_DAYS + REFRESH
TICKS = [int(NOW.timestamp()) + REFRESH * number for number in range(6)]
SETTINGS: dict[str, Any] = {"database_share": 1e-6, "old_days_seconds": OLD_DAYS, "stale_seconds": 1e-3}
SOME = [Question("/summary", 90), Question("/trends", 30, "A", "Part"), Question("/alerts", 7, "B")]
OTHERS = [Question("/trends", 90, "7"), Question("/summary", 14, None, "ECO"), Question("/summary", 1, "A")]


@pytest.fixture
async def rows(database: asyncpg.Connection) -> Database:
    """Rows on the edges of all ticks and beside them."""
    random = Random(3)
    rows = rows_at(random, edge_times(random, TICKS))
    await insert(database, rows)
    return rows


@pytest.mark.usefixtures("indexes")
@pytest.mark.parametrize("which", [is_a_day, is_no_day, is_anything])
async def test_whatever_becomes_of_redis_every_answer_is_the_contracts(
    serve: Serve, redis: Redis, rows: Database, which: Which
) -> None:
    clock = Clock(NOW)
    async with serve(clock, **SETTINGS) as one, serve(clock, flush=False, **SETTINGS) as two:
        instances = [one, two]
        for clock.now, how in zip(TICKS, SPOILINGS, strict=True):
            first, second = instances
            for client, questions in ((first, SOME), (second, OTHERS), (first, OTHERS)):
                answers = await ask_now(client, clock, questions)
                assert_right(questions, answers, rows, BOUND)
                await spoil(redis, which, how)
            instances.reverse()


@pytest.mark.usefixtures("indexes")
async def test_instances_of_other_ticks_use_what_is_cut_for_theirs(serve: Serve, rows: Database) -> None:
    clock = Clock(NOW)
    quick, slow = ({**SETTINGS, "refresh_seconds": seconds} for seconds in (REFRESH, 2 * REFRESH))
    async with serve(clock, **slow) as one, serve(clock, flush=False, **quick) as two:
        for number, clock.now in enumerate(TICKS):
            for client in (two,) if number % 2 else (one, two):
                answers = [await ask(client, question) for question in SOME]
                assert_right(SOME, answers, rows, OLD_DAYS + 2 * REFRESH)


@pytest.mark.usefixtures("indexes")
async def test_a_new_instance_answers_its_first_requests_from_redis_alone(
    serve: Serve, rows: Database, statements: StatementLog
) -> None:
    clock = Clock(NOW)
    async with serve(clock, **SETTINGS) as one:
        for clock.now in TICKS[:3]:
            await ask_now(one, clock, SOME)
        asked = statements.tables()
        for questions in (SOME, OTHERS):
            async with serve(clock, flush=False, **SETTINGS) as new:
                answers = await ask_now(new, clock, questions)
                assert_right(questions, answers, rows, BOUND)
    assert statements.tables() == asked


@pytest.mark.usefixtures("indexes")
async def test_a_new_instance_goes_on_where_the_others_are(serve: Serve, rows: Database) -> None:
    clock = Clock(NOW)
    async with serve(clock, **SETTINGS) as one:
        await ask_now(one, clock, SOME)
    for clock.now in TICKS[1:4]:
        async with serve(clock, flush=False, **SETTINGS) as new:
            answers = await ask_now(new, clock, SOME)
        assert_right(SOME, answers, rows, BOUND)
        # The oldest are those of the first tick: not all has been read again.
        assert age_of(answers[0]).total_seconds() == clock.now - TICKS[0]


async def test_after_a_first_answer_all_days_are_read_and_wait_for_who_asks_for_them(
    serve: Serve, redis: Redis, rows: Database, statements: StatementLog
) -> None:
    clock = Clock(NOW)

    async def all_are_read() -> bool:
        return bool(await redis.exists(f"parallel-ops:{{-}}:v1:readings:refresh=15:zone=UTC:{TICKS[0]}"))

    async with serve(clock, **SETTINGS) as one:
        question = Question("/summary", 1)
        assert_right([question], await ask_now(one, clock, [question]), rows, 0)
        await until(all_are_read)
        read = statements.tables()
        assert_right(SOME, await ask_now(one, clock, SOME), rows, 0)
    assert statements.tables() == read


async def test_readings_outlast_all_that_may_be_made_of_them_and_end(
    serve: Serve, redis: Redis, rows: Database
) -> None:
    clock = Clock(NOW)
    async with serve(clock, max_stale_seconds=200, **SETTINGS) as one:
        await ask_now(one, clock, SOME)
    left = [await redis.ttl(key) for key in await found_in(redis, is_a_day)]
    assert len(left) >= 2 * 91
    assert min(left) > 200 + OLD_DAYS
    assert max(left) < 1000


@pytest.mark.usefixtures("indexes")
async def test_without_redis_each_instance_reads_for_itself(serve: Serve, rows: Database) -> None:
    clock = Clock(NOW)
    away = SETTINGS | {"redis_url": f"redis://127.0.0.1:{free_port()}"}
    async with serve(clock, **away) as one, serve(clock, **away) as two:
        for clock.now in TICKS[:4]:
            for client in (one, two):
                answers = await ask_now(client, clock, SOME)
                assert_right(SOME, answers, rows, BOUND, overlay=None)


async def test_of_a_ticks_readings_that_are_lost_in_part_none_is_mixed_with_what_is_read_again(
    serve: Serve, redis: Redis, database: asyncpg.Connection
) -> None:
    """All rows are replaced in between: every section is of those before, or of those after."""
    before, after = everything("completed"), everything("failed")
    await insert(database, before)
    clock, question = Clock(NOW), Question("/summary", 90)
    async with serve(clock) as one, serve(clock, flush=False) as two:
        await ask_now(one, clock, [question])
        for table in TABLES:
            await database.execute(f"DELETE FROM {table}")
        await insert(database, after)
        await spoil(redis, is_a_day, every_other_one_gone)
        await spoil(redis, is_a_section, gone)
        (answer,) = await ask_now(two, clock, [question])
    expected = [question.expected(rows, NOW, None) for rows in (before, after)]
    for section in ("doc_sync", "workflow_actions", "breakages"):
        assert answer[section] in [each[section] for each in expected]


def everything(word: str) -> Database:
    """Rows of every day whose figures all depend on the word."""
    times = [NOW - timedelta(days=days) for days in range(80)]
    return Database(
        jobs=[job(status=word, created_at=at) for at in times],
        runs=[run(status=word, created_at=at) for at in times],
        incidents=[
            incident(status=word, description=word if word == "failed" else f"{word} {at}", created_at=at)
            for at in times
        ],
    )


def is_a_section(key: bytes) -> bool:
    """Whether a key is that of a section's sums."""
    return is_no_day(key) and b":readings:" not in key


async def test_what_was_replaced_goes_though_instances_read_in_turn(
    serve: Serve, redis: Redis, rows: Database
) -> None:
    clock = Clock(NOW)
    async with serve(clock) as one, serve(clock, flush=False) as two:
        for clock.now, client in zip(TICKS, (one, two) * 3, strict=True):
            await ask_now(client, clock, SOME[:1])
            await know_all_days(client)
            assert len(await found_in(redis, is_a_day)) <= 2 * 3 * 91  # those that stand, and those before
