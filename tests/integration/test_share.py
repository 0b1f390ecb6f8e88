"""The database's share where tables can only be read whole: they are read as seldom as it demands."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import pytest
import structlog
from redis.asyncio import Redis

from service.check import Line, inspect
from service.settings import Settings
from service.shared_redis import SharedRedis
from service.tenants.neighbours import Neighbours, Told
from service.tenants.tenant import EVERYBODY
from tests.support.api import PREFIX
from tests.support.builders import Database, insert, job
from tests.support.clock import NOW, Clock
from tests.support.fixtures import Serve
from tests.support.indexes import optional_indexes
from tests.support.reads import ONE_READING, know_all_days
from tests.support.statement_log import StatementLog
from tests.support.tenants import SCHEMA_TEMPLATE, make_schemas
from tests.support.tokens import SECRET, bearer, token
from tests.support.waiting import until

SUMMARY = f"{PREFIX}/summary?window_days=90"
TINY = {"database_share": 1e-9, "stale_seconds": 0.001, "max_stale_seconds": 300}
# The longest that answers may be old for it: no tick later is within MAX_STALE_SECONDS.
LATER = 285


@pytest.fixture
async def slowed(spare: asyncpg.Connection, spare_url: str, serve: Serve) -> tuple[Serve, str]:
    """A database without an index on created_at, with one job."""
    await insert(spare, Database(jobs=[job(created_at=NOW)]))
    return serve, spare_url


async def age(client: httpx.AsyncClient) -> int:
    answer = (await client.get(SUMMARY)).raise_for_status()
    assert answer.json()["doc_sync"]["total"] == 1
    return int(answer.headers["age"])


@pytest.mark.parametrize("late", [0, 14])
async def test_nothing_is_read_again_before_the_share_allows_it(
    slowed: tuple[Serve, str], statements: StatementLog, late: int
) -> None:
    """And who asks then, or some time in that tick, has it read, and does not wait for that."""
    serve, url = slowed
    clock = Clock(NOW)
    async with serve(clock, database_url=url, **TINY) as client:
        await know_all_days(client)
        read = statements.tables()
        for seconds in range(15, LATER, 15):
            clock.now += 15
            assert await age(client) == seconds
        assert (await client.get(SUMMARY)).headers["x-cache"] == "stale"
        async with serve(clock, flush=False, database_url=url, **TINY) as another:
            assert await age(another) == LATER - 15
        assert statements.tables() == read
        clock.now += 15 + late

        async def is_fresh() -> bool:
            return await age(client) == late

        assert await age(client) == LATER + late
        await until(is_fresh)
    assert statements.tables() == read + ONE_READING


async def test_instances_with_longer_ticks_do_not_hold_up_those_with_shorter_ones(
    slowed: tuple[Serve, str],
) -> None:
    serve, url = slowed
    clock = Clock(NOW)
    slow = {"refresh_seconds": 1800, "max_stale_seconds": 3600}
    async with serve(clock, database_url=url, **TINY | slow) as client:
        assert await age(client) == 0
        clock.now += 45
        async with serve(clock, flush=False, database_url=url, **TINY) as quick:
            assert await age(quick) == 0
        assert await age(client) == 45


async def test_the_log_says_which_indexes_would_help(slowed: tuple[Serve, str]) -> None:
    serve, url = slowed
    with structlog.testing.capture_logs() as logs:
        async with serve(NOW, database_url=url, **TINY) as client:
            await know_all_days(client)
    (told,) = [entry for entry in logs if "refreshes are rare" in entry["event"]]
    assert "meta_conversion_jobs" in told["tables"]
    assert "optional_indexes.sql" in told["remedy"]


async def test_with_the_indexes_every_tick_is_read_and_the_log_says_that_the_share_is_too_small(
    slowed: tuple[Serve, str], spare: asyncpg.Connection
) -> None:
    serve, url = slowed
    for statement in optional_indexes():
        await spare.execute(statement)
    clock = Clock(NOW)
    with structlog.testing.capture_logs() as logs:
        async with serve(clock, database_url=url, **TINY) as client:
            await know_all_days(client)
            for _ in range(5):
                assert await age(client) == 0
                clock.now += 15
    (told,) = [entry for entry in logs if "share is too small" in entry["event"]]
    assert told["remedy"].startswith("PARALLEL_OPS_DATABASE_SHARE=0.0")


async def test_check_says_whether_the_share_will_do(settings: Settings, serve: Serve) -> None:
    given = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url, "AUTH": "disabled"}
    variables = {f"PARALLEL_OPS_{name}": value for name, value in given.items()}
    # What was read some ticks ago tells it, too.
    async with serve(datetime.now(UTC) - timedelta(minutes=1)) as client:
        await know_all_days(client)
    for share, status in (("64", "ok"), ("0.000001", "advice")):
        line = await told(variables | {"PARALLEL_OPS_DATABASE_SHARE": share})
        assert (line.status, bool(line.remedy)) == (status, status == "advice")


async def test_check_holds_what_a_tenant_needs_to_its_part_of_the_share(
    settings: Settings, serve: Serve, database: asyncpg.Connection, redis: Redis
) -> None:
    """By how many are open on its server in the whole fleet."""
    await make_schemas(database, ["acme"])
    many = {"tenants": "*", "database_schema": SCHEMA_TEMPLATE, "jwt_secret": SECRET}
    async with serve(datetime.now(UTC), auth="required", **many) as client:
        client.headers.update(bearer(token()))
        await know_all_days(client)
    server = settings.tenancy.place_of(EVERYBODY).server
    others = {f"tenant{number}": Told(time.time(), 0.0, 0.0) for number in range(9)}
    await Neighbours(SharedRedis(redis), time.time).tell({server: others})
    given = many | {"database_url": settings.database_url, "redis_url": settings.redis_url}
    line = await told({f"PARALLEL_OPS_{name.upper()}": value for name, value in given.items()}, "acme")
    assert "may take 0.01, a part of 0.1 for each of the 10 tenants" in line.message


async def told(variables: dict[str, str], tenant: str | None = None) -> Line:
    """What check says of the share."""
    report = await asyncio.to_thread(inspect, variables, tenant)
    (line,) = [each for each in report.checks if each.subject == "database share"]
    return line
