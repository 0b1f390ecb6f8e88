"""Tenants: one that is checked, all in one database, or many of which none sees what is another's."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import asyncpg
import httpx
import pytest
import structlog
from parallel_ops_recorder.recorder import OverlayRecorder
from redis.asyncio import Redis

from demo.servers import Postgres
from service.settings import Settings
from service.sources.database import Database as PostgreSQL
from service.tenants.connections import is_there
from tests.support.api import PREFIX
from tests.support.builders import Database, insert, job
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.tenants import (
    SCHEMA_TEMPLATE,
    connected,
    databases_url,
    make_databases,
    make_schemas,
    refusing_the_reader,
)
from tests.support.tokens import SCRAPE_TOKEN, SECRET, bearer, claims, token
from tests.support.waiting import probed

SUMMARY = f"{PREFIX}/summary"
METRICS = f"{PREFIX}/metrics"
GUARDED: dict[str, Any] = {"auth": "required", "jwt_secret": SECRET, "scrape_token": SCRAPE_TOKEN}
JOBS = {"acme": 3, "beta-2": 5}
Client = AbstractAsyncContextManager[httpx.AsyncClient]


def of(tenant: object, **more: object) -> dict[str, str]:
    """The header of a token of that tenant."""
    return bearer(token(claims(tenant_id=tenant, **more)))


def jobs(number: int) -> Database:
    return Database(jobs=[job(created_at=NOW) for _ in range(number)])


async def counted(client: httpx.AsyncClient, tenant: str) -> int:
    answer = await client.get(SUMMARY, headers=of(tenant))
    assert answer.status_code == 200, answer.text
    total: int = answer.json()["doc_sync"]["total"]
    return total


async def tags(redis: Redis) -> set[str]:
    """Whose keys are in Redis."""
    keys: list[Any] = await redis.keys("*")
    assert all(key.startswith(b"parallel-ops:") for key in keys)
    return {key.decode().split(":")[1] for key in keys}


def assert_forbidden(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["detail"]["code"]) == (403, "parallel_ops_forbidden")


@pytest.fixture
async def by_schema(serve: Serve, database: asyncpg.Connection) -> Callable[..., Client]:
    """Two tenants with a schema each, and other rows in `public`: `async with by_schema() as client`."""
    await make_schemas(database, list(JOBS))
    for tenant, number in JOBS.items():
        await database.execute(
            f"SET search_path = {SCHEMA_TEMPLATE.format(tenant_id=tenant.replace('-', '_'))}"
        )
        await insert(database, jobs(number))
        await database.execute("RESET search_path")
    await insert(database, jobs(9))
    many: dict[str, Any] = {"tenants": ",".join(JOBS), "database_schema": SCHEMA_TEMPLATE, **GUARDED}
    return lambda **changes: serve(NOW, **(many | changes))


@pytest.fixture
async def by_database(serve: Serve, postgres: Postgres) -> Callable[..., Client]:
    """Two tenants with a database each."""
    await make_databases(postgres, list(JOBS))
    for tenant, number in JOBS.items():
        async with connected(postgres, f"tenant_{tenant}") as connection:
            await insert(connection, jobs(number))
    many: dict[str, Any] = {"tenants": "*", "database_url": databases_url(postgres), **GUARDED}
    return lambda **changes: serve(NOW, **(many | changes))


async def test_one_tenants_tokens_open_the_service_and_no_others(
    database: asyncpg.Connection, serve: Serve, redis: Redis
) -> None:
    await insert(database, jobs(2))
    async with serve(NOW, tenants="acme", **GUARDED) as client:
        assert await counted(client, "acme") == 2
        for other in ("beta", "ACME", "acme2", "a/b", "", "*", 7, ["acme"]):
            for path in (SUMMARY, f"{PREFIX}/report", METRICS):
                assert_forbidden(await client.get(path, headers=of(other)))
        page = await client.get("/", headers=of("beta") | {"Accept-Language": "zh"})
        assert (page.status_code, "租户" in page.text) == (403, True)
        assert "Tenant acme" in (await client.get("/", headers=of("acme"))).text
        for query, status in (("", 200), ("?tenant_id=acme", 200), ("?tenant_id=beta", 403)):
            assert (await client.get(METRICS + query, headers=bearer(SCRAPE_TOKEN))).status_code == status
    assert await tags(redis) == {"{acme}"}


async def test_one_database_of_all_tenants_is_open_to_each_and_the_start_says_so(
    database: asyncpg.Connection, serve: Serve, redis: Redis
) -> None:
    await insert(database, jobs(2))
    with structlog.testing.capture_logs() as logs:
        async with serve(NOW, tenants="*", **GUARDED) as client:
            assert [await counted(client, each) for each in ("acme", "beta", "b/c")] == [2, 2, 2]
            assert "tenant_id" not in (await client.get(METRICS, headers=bearer(SCRAPE_TOKEN))).text
    assert any("any tenant's token" in line["event"] for line in logs)
    assert await tags(redis) == {"{-}"}


async def test_a_plain_schema_is_all_that_is_looked_at(database: asyncpg.Connection, serve: Serve) -> None:
    await make_schemas(database, ["plain"])
    await insert(database, jobs(2))
    async with serve(NOW, database_schema="yt_t_plain") as client:
        assert (await client.get(SUMMARY)).json()["doc_sync"]["total"] == 0
    await database.execute("DROP TABLE yt_t_plain.meta_conversion_jobs")
    async with serve(NOW, database_schema="yt_t_plain") as client:
        assert (await client.get(SUMMARY)).status_code == 503


async def test_each_tenant_has_a_schema_of_its_own(by_schema: Callable[..., Client], redis: Redis) -> None:
    async with by_schema() as client:
        found = await asyncio.gather(*(counted(client, tenant) for tenant in JOBS))
        assert_forbidden(await client.get(SUMMARY, headers=of("gamma")))
    assert dict(zip(JOBS, found, strict=True)) == JOBS
    assert await tags(redis) == {f"{{{each}}}" for each in JOBS}


async def test_each_tenant_has_a_database_of_its_own(by_database: Callable[..., Client]) -> None:
    async with by_database() as client:
        found = await asyncio.gather(*(counted(client, tenant) for tenant in JOBS))
        await probed(client)
    assert dict(zip(JOBS, found, strict=True)) == JOBS


async def test_a_database_that_is_not_there_costs_one_attempt(
    by_database: Callable[..., Client], postgres: Postgres
) -> None:
    before = postgres.log.stat().st_size
    async with by_database() as client:
        for answer in await asyncio.gather(*(client.get(SUMMARY, headers=of("nobody")) for _ in range(20))):
            assert_forbidden(answer)
    assert postgres.log.read_bytes()[before:].count(b'database "tenant_nobody" does not exist') == 1


@pytest.mark.parametrize("path", [SUMMARY, f"{PREFIX}/report", "/"])
async def test_who_turns_out_to_have_no_place_is_forbidden_at_once(
    by_schema: Callable[..., Client], database: asyncpg.Connection, path: str
) -> None:
    async with by_schema(tenants="*") as client:
        async with refusing_the_reader(database):
            away = await client.get(f"{PREFIX}/doc-sync/failures?page=2", headers=of("nobody"))
        answers = [(await client.get(path, headers=of("nobody"))).status_code for _ in range(2)]
    assert (away.status_code, answers) == (503, [403, 403])


@pytest.mark.parametrize("tenant", ["public", "pg_catalog", "../x", "x" * 64, "a b", "{org_id}"])
async def test_no_id_makes_an_address_of_something_else(
    by_schema: Callable[..., Client], tenant: str
) -> None:
    async with by_schema(tenants="*", database_schema="{tenant_id}") as client:
        assert_forbidden(await client.get(SUMMARY, headers=of(tenant)))


async def test_of_two_ids_with_one_schema_the_second_is_refused(by_schema: Callable[..., Client]) -> None:
    async with by_schema(tenants="*") as client:
        assert await counted(client, "beta-2") == JOBS["beta-2"]
        for other in ("beta_2", "Beta-2"):
            assert_forbidden(await client.get(SUMMARY, headers=of(other)))
        assert await counted(client, "beta-2") == JOBS["beta-2"]


async def test_a_scrape_says_whose_figures_it_wants_and_gets_them_labelled(
    by_schema: Callable[..., Client],
) -> None:
    async with by_schema() as client:
        scrape = bearer(SCRAPE_TOKEN)
        whose = await client.get(METRICS, headers=scrape)
        assert (whose.status_code, "tenant_id" in whose.json()["detail"]["message"]) == (400, True)
        assert_forbidden(await client.get(f"{METRICS}?tenant_id=gamma", headers=scrape))
        assert_forbidden(await client.get(f"{METRICS}?tenant_id=acme", headers=of("beta-2")))
        for tenant, number in JOBS.items():
            text = (await client.get(f"{METRICS}?tenant_id={tenant}", headers=scrape)).text
            labels = f'{{tenant_id="{tenant}",window_days="7"}}'
            assert f"yuantus_parallel_doc_sync_jobs_total{labels} {number}.0" in text
        own = await client.get("/metrics", headers=scrape)
        assert (own.status_code, "tenant" in own.text) == (200, False)


async def test_the_same_entity_tag_of_another_tenant_gives_no_304(by_schema: Callable[..., Client]) -> None:
    async with by_schema() as client:
        theirs = (await client.get(SUMMARY, headers=of("acme"))).headers["etag"]
        answer = await client.get(SUMMARY, headers=of("beta-2") | {"If-None-Match": theirs})
    assert (answer.status_code, answer.json()["doc_sync"]["total"]) == (200, JOBS["beta-2"])


async def test_callers_of_tenants_are_counted_apart(by_schema: Callable[..., Client], redis: Redis) -> None:
    async with by_schema(rate_limit="2/hour") as client:
        for tenant in JOBS:
            answers = [(await client.get(SUMMARY, headers=of(tenant))).status_code for _ in range(3)]
            assert answers == [200, 200, 429]
    assert await tags(redis) == {f"{{{each}}}" for each in JOBS}


async def test_a_recorder_counts_for_its_tenant(
    by_schema: Callable[..., Client], settings: Settings, redis: Redis
) -> None:
    def count() -> None:
        for tenant, number in JOBS.items():
            with OverlayRecorder(settings.redis_url, 1, 1, tenant=tenant, clock=NOW.timestamp) as recorder:
                recorder.hit(number)

    async with by_schema() as client:
        await asyncio.to_thread(count)
        for tenant, number in JOBS.items():
            cache = (await client.get(SUMMARY, headers=of(tenant))).json()["overlay_cache"]
            assert cache["hits"] == number
    with pytest.raises(ValueError, match="tenant must be"):
        OverlayRecorder(settings.redis_url, 1, 1, tenant="a:b")


async def test_a_session_that_was_not_told_its_schema_is_taken_for_one_without(
    by_schema: Callable[..., Client], settings: Settings
) -> None:
    """As behind a pooler that drops the search path: what it finds would be that of `public`."""
    database = PostgreSQL(settings.database_url, settings.database_limits)
    try:
        assert not await is_there(database.rows, SCHEMA_TEMPLATE.format(tenant_id="acme"))
    finally:
        await database.close()
