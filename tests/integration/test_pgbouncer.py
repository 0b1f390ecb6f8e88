"""The service behind a PgBouncer in transaction mode, whose sessions are everybody's."""

import asyncio
from collections.abc import Generator

import asyncpg
import pytest
from sqlalchemy import func, select

from demo.servers import Postgres
from service.sources.database import Database, DatabaseLimits, StatementTimeout
from service.tenants.tenancy import TENANT
from tests.support.addresses import reader_url
from tests.support.api import PREFIX
from tests.support.builders import Database as Rows
from tests.support.builders import insert, job
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.pgbouncer import SESSIONS, PgBouncer, bouncing
from tests.support.tenants import SCHEMA_TEMPLATE, make_schemas
from tests.support.tokens import SECRET, bearer, claims, token
from tests.support.waiting import probed

SETTINGS = ("transaction_read_only", "statement_timeout", "lock_timeout", "work_mem", "jit", "timezone")
_VALUES = ", ".join(f"current_setting('{name}')" for name in SETTINGS[:-1])
STATE = f"SELECT (SELECT count(*) FROM pg_prepared_statements), {_VALUES}"
TENANTS = ("acme", "beta", "gamma", "delta")
OURS = ("on", "1500ms", "500ms", "16MB", "off", "UTC")


@pytest.fixture(scope="module")
def pgbouncer(postgres: Postgres) -> Generator[PgBouncer]:
    """One before the PostgreSQL of all tests."""
    with bouncing(postgres) as pooler:
        yield pooler


async def test_the_service_answers_as_without(
    serve: Serve, database: asyncpg.Connection, pgbouncer: PgBouncer
) -> None:
    await insert(database, Rows(jobs=[job(status="failed", created_at=NOW)]))
    answers = []
    for changes in ({}, {"database_url": pgbouncer.url}):
        async with serve(NOW, **changes) as client:
            await probed(client)
            paths = (f"{PREFIX}/summary?window_days=90", f"{PREFIX}/doc-sync/failures")
            answers.append([(await client.get(path)).json() for path in paths])
    assert answers[0] == answers[1]
    assert [answers[1][0]["doc_sync"]["total"], answers[1][1]["total"]] == [1, 1]


async def test_each_tenant_gets_its_own_figures_by_sessions_that_all_share(
    serve: Serve, database: asyncpg.Connection, pgbouncer: PgBouncer
) -> None:
    await make_schemas(database, TENANTS)
    for number, tenant in enumerate(TENANTS, 1):
        await database.execute(f"SET search_path = {SCHEMA_TEMPLATE.replace(TENANT, tenant)}")
        await insert(database, Rows(jobs=[job(status="failed", created_at=NOW) for _ in range(number)]))
    await database.execute("RESET search_path")
    many = {"tenants": "*", "database_schema": SCHEMA_TEMPLATE, "database_url": pgbouncer.url}
    paths = [f"{PREFIX}/summary?window_days={days}" for days in (1, 90)] + [f"{PREFIX}/doc-sync/failures"]
    async with serve(NOW, auth="required", jwt_secret=SECRET, **many) as client:

        async def told(tenant: str, path: str) -> int:
            headers = bearer(token(claims(tenant_id=tenant)))
            found = (await client.get(path, headers=headers)).raise_for_status().json()
            return int(found["doc_sync"]["total"] if "doc_sync" in found else found["total"])

        asked = [(tenant, path) for path in paths for tenant in TENANTS]
        figures = await asyncio.gather(*(told(*each) for each in asked))
    assert figures == [TENANTS.index(tenant) + 1 for tenant, _ in asked]


async def test_every_transaction_is_bounded_and_read_only_in_whatever_session(pgbouncer: PgBouncer) -> None:
    database = Database(pgbouncer.url, DatabaseLimits(1.5, 0.5, max_queries=8))
    asked = select(func.pg_backend_pid(), *map(func.current_setting, SETTINGS))
    try:
        results = await asyncio.gather(*(database.rows(asked) for _ in range(64)))
        found = [row for rows in results for row in rows]
        assert len({row[0] for row in found}) == SESSIONS
        assert {tuple(row[1:]) for row in found} == {OURS}
        with pytest.raises(StatementTimeout):
            await database.rows(select(func.pg_sleep(60)))
    finally:
        await database.close()


async def test_nothing_of_ours_stays_in_sessions_that_others_use(
    pgbouncer: PgBouncer, postgres: Postgres, database: object
) -> None:
    ours = Database(pgbouncer.url, DatabaseLimits(1.5, 0.5, max_queries=8))
    try:
        await asyncio.gather(*(ours.rows(select(func.pg_backend_pid())) for _ in range(64)))
    finally:
        await ours.close()
    async with asyncio.timeout(30):
        untouched, *others = [
            await asyncpg.connect(url, statement_cache_size=0)
            for url in (reader_url(postgres), *[pgbouncer.url] * SESSIONS)
        ]
        usual = await untouched.fetchrow(STATE)
        for other in others:  # each holds a session of its own until the end
            await other.execute("BEGIN")
        found = [await other.fetchrow(STATE) for other in others]
        for connection in (untouched, *others):
            await connection.close()
    assert found == [usual] * SESSIONS
