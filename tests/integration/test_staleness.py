"""Old answers: served while a refresh runs, and while refreshing fails, but never for too long."""

import asyncio
from datetime import UTC, datetime

import asyncpg
import httpx
import pytest
from msgspec.structs import replace

from demo.run import READER
from demo.schema import create_schema
from demo.servers import Postgres
from service.settings import Settings
from tests.support.addresses import reader_url
from tests.support.api import PREFIX
from tests.support.builders import Database, insert, job
from tests.support.checkout import ROOT
from tests.support.clock import Clock
from tests.support.fixtures import Serve
from tests.support.held import held_jobs
from tests.support.reads import know_all_days
from tests.support.slow_jobs import napping
from tests.support.waiting import until

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> Clock:
    """The time, which each test moves."""
    return Clock(NOW)


async def test_nobody_waits_at_the_end_of_a_tick(
    database: asyncpg.Connection, serve: Serve, clock: Clock
) -> None:
    await insert(database, Database(jobs=[job(status="failed", created_at=NOW)]))
    async with serve(clock, statement_timeout_seconds=100) as client:
        await know_all_days(client)
        fresh = await client.get(f"{PREFIX}/summary")
        async with held_jobs(database) as hold:
            clock.now += 16
            await client.get(f"{PREFIX}/summary")
            await until(hold.is_read)
            for _ in range(20):
                answer = await client.get(f"{PREFIX}/summary")
                assert (answer.headers["x-cache"], answer.headers["age"]) == ("stale", "16")
                assert answer.content == fresh.content
            assert await hold.reading() == 1  # all of that was answered while the refresh still ran
            await hold.let_go()
            await until(lambda: _is(client, "hit"))
        assert (await _generated_at(client)) == clock.now - 1


@pytest.mark.parametrize("path", ["/", f"{PREFIX}/summary"], ids=["board", "summary"])
async def test_the_age_is_that_of_the_moment_when_the_answer_comes(
    database: asyncpg.Connection, serve: Serve, clock: Clock, path: str
) -> None:
    async with serve(clock, statement_timeout_seconds=100) as client, held_jobs(database) as hold:
        asked = asyncio.create_task(client.get(path))
        await until(hold.is_read)
        clock.now += 7
        await hold.let_go()
        assert (await asked).headers["age"] == "7"


async def test_a_failing_source_is_bridged_and_then_admitted(
    spare: asyncpg.Connection, spare_url: str, serve: Serve, clock: Clock
) -> None:
    await insert(spare, Database(jobs=[job(status="failed", created_at=NOW)]))
    async with serve(clock, database_url=spare_url) as client:
        fresh = await client.get(f"{PREFIX}/summary")
        await spare.execute(f"REVOKE SELECT ON meta_conversion_jobs FROM {READER}")
        for age in (60, 120, 300):
            clock.now = NOW.timestamp() + age
            answer = await client.get(f"{PREFIX}/summary")
            assert (answer.status_code, answer.headers["x-cache"]) == (200, "stale")
            assert answer.content == fresh.content
        clock.now = NOW.timestamp() + 301  # no more than that, wherever in its tick it is asked
        answer = await client.get(f"{PREFIX}/summary")
        assert answer.status_code == 503
        assert answer.json()["detail"]["code"] == "parallel_ops_unavailable"
        assert int(answer.headers["retry-after"]) > 0


async def test_a_clock_set_back_in_the_middle_of_a_computation_lets_nobody_see_the_future(
    database: asyncpg.Connection, serve: Serve, clock: Clock
) -> None:
    failures = f"{PREFIX}/doc-sync/failures?window_days=1"
    async with serve(clock, statement_timeout_seconds=100) as client, held_jobs(database) as hold:
        early = asyncio.create_task(client.get(failures))
        await until(hold.is_read)
        clock.now -= 3600
        asked_later = asyncio.create_task(client.get(failures))
        # It waits for the other one: a moment too short for that would fail nothing.
        await asyncio.sleep(0.2)
        await hold.let_go()
        late = await asked_later
        await early
    since = datetime.fromisoformat(late.json()["window_since"]).timestamp()
    assert since == clock.now - 24 * 3600


async def test_a_slow_scan_stretches_the_time_that_an_answer_hides_its_refresh(
    slow_jobs: asyncpg.Connection, serve: Serve, clock: Clock
) -> None:
    await slow_jobs.execute(napping(1))
    async with serve(clock, refresh_seconds=1, stale_seconds=1) as client:
        assert await _is(client, "miss")
        clock.now += 4  # four times the duration
        assert await _is(client, "stale")
        clock.now += 60
        assert not await _is(client, "stale")


@pytest.fixture
async def own_settings(settings: Settings, own_postgres: Postgres) -> Settings:
    """The service on a PostgreSQL that may be stopped, with one job of now."""
    connection = await asyncpg.connect(own_postgres.url)
    await create_schema(connection)
    await connection.execute("TRUNCATE meta_conversion_jobs")
    await connection.execute((ROOT / "migrations_none" / "reader_role.sql").read_text())
    await insert(connection, Database(jobs=[job(created_at=NOW)]))
    await connection.close()
    return replace(settings, database_url=reader_url(own_postgres))


async def test_the_service_is_fresh_again_after_postgres_was_stopped(
    own_postgres: Postgres, own_settings: Settings, serve: Serve, clock: Clock
) -> None:
    async with serve(clock, database_url=own_settings.database_url) as client:
        assert await _is(client, "miss")
        own_postgres.stop()
        clock.now += 75
        assert await _is(client, "stale")
        clock.now += 300
        assert (await client.get(f"{PREFIX}/summary")).status_code == 503
        own_postgres.start()
        await until(lambda: _is(client, "miss", "hit"))
        assert await _generated_at(client) == clock.now


async def test_a_frozen_postgres_costs_a_bounded_wait(
    own_postgres: Postgres, own_settings: Settings, serve: Serve, clock: Clock
) -> None:
    async with serve(clock, database_url=own_settings.database_url, statement_timeout_seconds=1) as client:
        assert await _is(client, "miss")
        own_postgres.pause()
        clock.now += 600
        answer = await client.get(f"{PREFIX}/summary", timeout=20)
        assert answer.status_code == 503
        own_postgres.resume()
        await until(lambda: _is(client, "miss", "hit"))


async def _is(client: httpx.AsyncClient, *states: str) -> bool:
    answer = await client.get(f"{PREFIX}/summary")
    return answer.headers.get("x-cache") in states


async def _generated_at(client: httpx.AsyncClient) -> float:
    answer = await client.get(f"{PREFIX}/summary")
    return datetime.fromisoformat(answer.json()["generated_at"]).timestamp()
