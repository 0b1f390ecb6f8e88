"""The seeded data: the same everywhere, with a bad week and a quiet quarter, and with ugly rows."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from demo.schema import TABLES
from demo.seed import Counts, seed, seeded_until, trickle
from demo.servers import Postgres
from tests.support.children import run_program
from tests.support.seeded import FEW_ROWS, SITES

SUNDAY_NIGHT = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
MONDAY_MORNING = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
THURSDAY_NOON = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
COUNTS = Counts.of(20_000)

JOBS, RUNS, INCIDENTS, PLANS = TABLES


@pytest.fixture(scope="module")
async def database(postgres: Postgres) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a database that is seeded up to SUNDAY_NIGHT."""
    async with database_of_its_own(postgres, "seeded") as connection:
        await seed(connection, COUNTS, SUNDAY_NIGHT)
        yield connection


@pytest.fixture
async def scratch(postgres: Postgres) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a database that is still empty."""
    async with database_of_its_own(postgres, "scratch") as connection:
        yield connection


@asynccontextmanager
async def database_of_its_own(postgres: Postgres, name: str) -> AsyncIterator[asyncpg.Connection]:
    admin = await asyncpg.connect(postgres.url)
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    connection = await asyncpg.connect(address(postgres, name))
    yield connection
    await connection.close()
    await admin.execute(f"DROP DATABASE {name}")
    await admin.close()


def address(postgres: Postgres, name: str) -> str:
    return postgres.url.removesuffix("postgres") + name


async def test_the_sites_that_benchmarks_ask_for_are_those_with_most_jobs(
    database: asyncpg.Connection,
) -> None:
    most = "SELECT payload ->> 'site_id' FROM meta_conversion_jobs GROUP BY 1 ORDER BY count(*) DESC LIMIT $1"
    assert {site for (site,) in await database.fetch(most, len(SITES))} == set(SITES)


async def test_each_table_gets_its_rows(database: asyncpg.Connection) -> None:
    found = [await database.fetchval(f"SELECT count(*) FROM {table}") for table in TABLES]
    assert found == [20_000, 20_000, 5_000, 300]
    assert await seeded_until(database) == SUNDAY_NIGHT


async def test_the_same_seed_gives_the_same_rows_and_progress_is_told(scratch: asyncpg.Connection) -> None:
    told: list[tuple[str, int, int]] = []

    async def checksums(until: datetime) -> list[str]:
        await seed(scratch, Counts.of(1_000), until, lambda *step: told.append(step))
        return [
            await scratch.fetchval(f"SELECT md5(string_agg(t::text, '\n' ORDER BY id)) FROM {table} AS t")
            for table in TABLES
        ]

    first = await checksums(SUNDAY_NIGHT)
    assert await checksums(SUNDAY_NIGHT) == first
    assert await checksums(THURSDAY_NOON) != first
    assert told[-4:] == [(JOBS, 1000, 1000), (RUNS, 1000, 1000), (INCIDENTS, 250, 250), (PLANS, 15, 15)]


async def hints(connection: asyncpg.Connection, until: datetime, days: int) -> list[bool]:
    """Whether each rate of the last days is past its limit."""
    return [
        await dead_letter_rate(connection, until, days) > 0.05,
        await rate(connection, RUNS, "failed", until, days) > 0.02,
        await rate(connection, INCIDENTS, "open", until, days) > 0.5,
    ]


@pytest.mark.parametrize(("days", "is_bad"), [(7, True), (90, False)])
async def test_all_hints_show_of_a_week_and_none_of_ninety_days_even_on_a_quiet_sunday(
    database: asyncpg.Connection, days: int, is_bad: bool
) -> None:
    assert await hints(database, SUNDAY_NIGHT, days) == [is_bad] * 3


async def test_a_week_is_bad_and_a_quarter_is_quiet_with_few_rows_at_any_hour(
    scratch: asyncpg.Connection,
) -> None:
    """The demo is started at all hours; steps of 13 hours come by each of them within a fortnight."""
    for step in range(26):
        until = MONDAY_MORNING + step * timedelta(hours=13, minutes=7)
        await seed(scratch, Counts.of(FEW_ROWS), until)
        assert await hints(scratch, until, 7) == [True] * 3, until
        assert await hints(scratch, until, 90) == [False] * 3, until


async def test_open_incidents_outnumber_the_others_of_a_week_however_few_jobs_there_are(
    scratch: asyncpg.Connection,
) -> None:
    for step in range(26):
        until = MONDAY_MORNING + step * timedelta(hours=13, minutes=7)
        await seed(scratch, Counts.of(200), until)
        assert (
            await rate(scratch, INCIDENTS, "open", until, 7)
            > 0.5
            > (await rate(scratch, INCIDENTS, "open", until, 90))
        ), until


async def test_failures_are_believably_few(database: asyncpg.Connection) -> None:
    assert await dead_letter_rate(database, SUNDAY_NIGHT, 90) < 0.15
    assert await rate(database, RUNS, "failed", SUNDAY_NIGHT, 90) < 0.10
    assert await rate(database, INCIDENTS, "open", SUNDAY_NIGHT, 90) < 0.70


async def test_one_bad_day_of_the_last_week_stands_out(database: asyncpg.Connection) -> None:
    days = await database.fetch(
        f"""
        SELECT date_trunc('day', created_at) AS day, count(*) AS total,
            count(*) FILTER (WHERE lower(status) = 'failed') / count(*)::float AS failed
        FROM {JOBS} WHERE created_at < $1 GROUP BY day ORDER BY total DESC
        """,
        naive(SUNDAY_NIGHT),
    )
    worst, second = days[:2]
    assert worst["total"] > 1.5 * second["total"]
    assert worst["failed"] > 0.3 > max(day["failed"] for day in days[1:])
    assert timedelta() < naive(SUNDAY_NIGHT) - worst["day"] < timedelta(days=7)


async def test_weekends_and_nights_are_quiet(database: asyncpg.Connection) -> None:
    weekend, monday = await database.fetchrow(
        f"""
        SELECT count(*) FILTER (WHERE extract(isodow FROM created_at) = 7),
            count(*) FILTER (WHERE extract(isodow FROM created_at) = 1)
        FROM {JOBS} WHERE created_at < $1
        """,
        naive(SUNDAY_NIGHT),
    )
    assert 0 < weekend < monday / 2


@pytest.mark.parametrize("table", [JOBS, RUNS, INCIDENTS])
async def test_rows_cover_100_days_and_a_few_are_dated_in_the_future(
    database: asyncpg.Connection, table: str
) -> None:
    oldest, ahead = await database.fetchrow(
        f"SELECT min(created_at), count(*) FILTER (WHERE created_at > $1) FROM {table}",
        naive(SUNDAY_NIGHT),
    )
    assert timedelta(days=99) < naive(SUNDAY_NIGHT) - oldest <= timedelta(days=100)
    assert 1 <= ahead <= 10


UGLY_ROWS = {
    "a status of null": f"{JOBS} WHERE status IS NULL",
    "a blank status": f"{JOBS} WHERE status = ''",
    "a status in another case": f"{JOBS} WHERE status <> lower(status)",
    "a job of no time": f"{JOBS} WHERE created_at IS NULL",
    "no attempts known": f"{JOBS} WHERE attempt_count IS NULL",
    "no limit known": f"{JOBS} WHERE max_attempts IS NULL",
    "a limit of 0": f"{JOBS} WHERE max_attempts = 0",
    "a failure that is tried again": f"{JOBS} WHERE status = 'failed' AND attempt_count < max_attempts",
    "another type": f"{JOBS} WHERE task_type LIKE 'cad%'",
    "a type that a wildcard takes for a document sync": f"{JOBS} WHERE task_type = 'documentXsyncYpush'",
    "a type that is all prefix": f"{JOBS} WHERE task_type = 'document_sync_'",
    "a payload that is a list": f"{JOBS} WHERE jsonb_typeof(payload) = 'array'",
    "a payload that is text": f"{JOBS} WHERE jsonb_typeof(payload) = 'string'",
    "a payload of null": f"{JOBS} WHERE payload = 'null'",
    "a site that is a number": f"{JOBS} WHERE jsonb_typeof(payload -> 'site_id') = 'number'",
    "a padded site": f"{JOBS} WHERE payload ->> 'site_id' LIKE '  SH-01%'",
    "a blank site": f"{JOBS} WHERE payload ->> 'site_id' = ''",
    "a site of white space": f"{JOBS} WHERE payload ->> 'site_id' = '   '",
    "a site of null": f"{JOBS} WHERE payload -> 'site_id' = 'null'",
    "a site that is an object": f"{JOBS} WHERE jsonb_typeof(payload -> 'site_id') = 'object'",
    "no site": f"{JOBS} WHERE jsonb_typeof(payload) = 'object' AND NOT payload ? 'site_id'",
    "an error of several lines": f"{JOBS} WHERE last_error LIKE E'%\\n%\\n%'",
    "a long error": f"{JOBS} WHERE length(last_error) > 1000",
    "an error in Chinese": f"{JOBS} WHERE last_error LIKE '站点%'",
    "no dedupe key": f"{JOBS} WHERE dedupe_key IS NULL",
    "a result of SQL null": f"{RUNS} WHERE result IS NULL AND status = 'completed'",
    "a result of JSON null": f"{RUNS} WHERE result = 'null'",
    "a result that is a list": f"{RUNS} WHERE jsonb_typeof(result) = 'array'",
    "a result without code": f"{RUNS} WHERE jsonb_typeof(result) = 'object' AND NOT result ? 'result_code'",
    "a code that is a number": f"{RUNS} WHERE result -> 'result_code' = '200'",
    "a code of 0": f"{RUNS} WHERE result -> 'result_code' = '0'",
    "a code of false": f"{RUNS} WHERE result -> 'result_code' = 'false'",
    "a blank code": f"{RUNS} WHERE result -> 'result_code' = '\"\"'",
    "a code of retries": f"{RUNS} WHERE result ->> 'result_code' = 'RETRY_EXHAUSTED'",
    "a run without states": f"{RUNS} WHERE from_state IS NULL AND to_state IS NULL",
    "a target in another case": f"{RUNS} WHERE target_object = 'eco'",
    "nobody responsible": f"{INCIDENTS} WHERE responsibility IS NULL",
    "blank responsibility": f"{INCIDENTS} WHERE responsibility = ''",
    "a blank description": f"{INCIDENTS} WHERE btrim(description, E' \\t') = ''",
    "a description in capitals": f"{INCIDENTS} WHERE btrim(description) = 'SCREW MISSING'",
    "a description in Chinese": f"{INCIDENTS} WHERE btrim(description) = '轴承异响'",
    "a severity in another case": f"{INCIDENTS} WHERE severity <> lower(severity)",
    "properties of null": f"{PLANS} WHERE properties IS NULL",
    "a template that is text": f"{PLANS} WHERE jsonb_typeof(properties -> 'template') = 'string'",
    "a template key that is a number": f"""{PLANS}
        WHERE jsonb_typeof(properties -> 'template' -> 'key') = 'number'""",
    "a version flag that is text": f"""{PLANS}
        WHERE jsonb_typeof(properties -> 'template' -> 'is_template_version') = 'string'""",
    "several active versions": f"""(SELECT properties -> 'template' ->> 'key' FROM {PLANS}
        WHERE properties -> 'template' -> 'is_active' = 'true' GROUP BY 1 HAVING count(*) > 1) AS keys""",
    "templates with no active version": f"""(SELECT properties -> 'template' ->> 'key' FROM {PLANS}
        GROUP BY 1 HAVING count(*) = 5 AND count(*) FILTER (
            WHERE properties -> 'template' -> 'is_active' NOT IN ('false', '0', 'null', '""', '[]')
        ) = 0) AS keys""",
}


@pytest.mark.parametrize("rows", UGLY_ROWS.values(), ids=UGLY_ROWS)
async def test_there_is(database: asyncpg.Connection, rows: str) -> None:
    assert await database.fetchval(f"SELECT count(*) FROM {rows}") > 0


async def test_eight_sites_and_many_repeated_incidents(database: asyncpg.Connection) -> None:
    sites = await database.fetchval(
        f"""SELECT count(DISTINCT payload ->> 'site_id') FROM {JOBS}
        WHERE payload ->> 'site_id' ~ '^[A-Z]+-[0-9]+$'"""
    )
    unique = await database.fetchval(
        f"""SELECT count(*) FROM
        (SELECT FROM {INCIDENTS} GROUP BY lower(btrim(description)) HAVING count(*) = 1) AS unique_ones"""
    )
    assert sites == 8
    assert 2_000 < unique < 4_000


async def test_a_trickle_brings_rows_of_now_and_finishes_what_waits(scratch: asyncpg.Connection) -> None:
    await seed(scratch, Counts.of(1_000), SUNDAY_NIGHT)
    waiting = f"SELECT count(*) FROM {JOBS} WHERE status IN ('pending', 'processing') AND created_at < $1"
    before = await scratch.fetchval(waiting, naive(SUNDAY_NIGHT))
    for seconds in range(4):
        await trickle(scratch, MONDAY_MORNING + timedelta(seconds=seconds, milliseconds=seconds))
    since = naive(MONDAY_MORNING) - timedelta(seconds=2)
    fresh = [
        await scratch.fetchval(f"SELECT count(*) FROM {table} WHERE created_at >= $1", since)
        for table in (JOBS, RUNS, INCIDENTS)
    ]
    assert fresh == [8, 8, 2]
    assert await scratch.fetchval(waiting, naive(SUNDAY_NIGHT)) < before


async def test_the_command_fills_an_empty_database_once(
    scratch: asyncpg.Connection, postgres: Postgres
) -> None:
    url = address(postgres, "scratch")
    command = [sys.executable, "-m", "demo.seed", "--database-url", url, "--rows", "200"]
    first, second = [await asyncio.to_thread(run_program, command, capture_output=True) for _ in range(2)]
    assert "200/200" in first.stderr
    assert "The data is there already" in second.stderr
    assert await scratch.fetchval(f"SELECT count(*) FROM {RUNS}") == 200


async def dead_letter_rate(connection: asyncpg.Connection, until: datetime, days: int) -> float:
    return await connection.fetchval(  # type: ignore[no-any-return]
        rf"""
        SELECT avg((lower(status) = 'failed' AND attempt_count >= max_attempts AND max_attempts > 0)::int)
        FROM {JOBS} WHERE task_type LIKE 'document\_sync\_%' AND created_at >= $1
        """,
        naive(until) - timedelta(days=days),
    )


async def rate(connection: asyncpg.Connection, table: str, status: str, until: datetime, days: int) -> float:
    return await connection.fetchval(  # type: ignore[no-any-return]
        f"SELECT avg((lower(status) = $1)::int) FROM {table} WHERE created_at >= $2",
        status,
        naive(until) - timedelta(days=days),
    )


def naive(instant: datetime) -> datetime:
    return instant.replace(tzinfo=None)
