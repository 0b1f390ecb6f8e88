"""A standby is read, never older than the question; the primary is read where the standby will not do."""

import asyncio
from collections.abc import AsyncIterator, Generator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
import structlog
from sqlalchemy import Text, column, func, select, table

from demo.run import reader_role_script
from demo.schema import create_schema
from demo.servers import Postgres
from service.check import inspect
from service.settings import Settings
from service.sources.database import Database, DatabaseError, DatabaseLimits
from service.sources.replicas import Standbys, database_at
from tests.support.api import PREFIX
from tests.support.builders import Database as Rows
from tests.support.builders import insert, job
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.folders import passing_folder
from tests.support.standby import Standby, address_of, replay, replicated
from tests.support.tokens import SECRET
from tests.support.waiting import probed, until

LIMITS = DatabaseLimits(15, 3, max_queries=4)
Pair = tuple[Postgres, Standby]
WHERE = select(func.pg_is_in_recovery())
SEEN = select(func.pg_is_in_recovery(), func.count()).select_from(table("notes", column("note", Text)))
NAP = select(func.pg_is_in_recovery(), func.pg_sleep(column("seconds"))).select_from(table("naps"))
# Longer than a server may take to say what it is.
SLEEP = select(func.pg_is_in_recovery(), func.pg_sleep(2.2))
TABLES = """
CREATE TABLE IF NOT EXISTS notes (note text); TRUNCATE notes;
CREATE TABLE IF NOT EXISTS naps (seconds float); TRUNCATE naps;
GRANT SELECT ON notes, naps TO parallel_ops_reader
"""


@pytest.fixture(scope="module")
def running() -> Generator[Pair]:
    """Both."""
    with passing_folder() as folder, replicated(folder) as servers:
        yield servers


@pytest.fixture
def servers(running: Pair, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """Both; one that is left alone is so for a moment."""
    monkeypatch.setattr("service.sources.replicas.REST_SECONDS", 0.2)
    for server in running:
        server.resume()
        server.start()
    return running


@pytest_asyncio.fixture
async def primary(servers: Pair) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection to the primary, which has the PLM's tables, and two of this test's."""
    connection = await asyncpg.connect(servers[0].url)
    await create_schema(connection)
    await connection.execute(reader_role_script())
    await connection.execute(TABLES)
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def reading(servers: Pair, primary: object) -> AsyncIterator[Database]:
    """The servers as the service reads them; a busy machine may lag."""
    database = database_at(address_of(*servers), LIMITS, standbys=Standbys(10))
    yield database
    await database.close()


async def reads(database: Database, role: str) -> bool:
    """Whether what is read next is a standby or the primary."""
    ((is_standby,),) = await database.rows(WHERE)
    return ("standby" if is_standby else "primary") == role


async def test_what_was_written_before_the_question_is_seen_on_the_standby(
    reading: Database, primary: asyncpg.Connection
) -> None:
    await until(lambda: reads(reading, "standby"))
    for number in range(1, 51):
        await primary.execute("INSERT INTO notes VALUES ('x')")
        assert [tuple(row) for row in await reading.rows(SEEN)] == [(True, number)]
    # A primary at rest is no lag.
    assert [await reads(reading, "standby") for _ in range(50)] == [True] * 50


async def test_a_server_is_asked_in_the_manner_that_all_are(reading: Database) -> None:
    asked = select(func.current_setting("enable_sort"))
    ways = reading, reading.hashing(), reading.hashing().for_section("doc_sync")
    assert [tuple(row) for each in ways for row in await each.rows(asked)] == [("on",), ("off",), ("off",)]


async def test_a_standby_that_lags_is_not_read_until_it_has_all(
    servers: Pair, primary: asyncpg.Connection
) -> None:
    told: list[tuple[str, float]] = []
    standbys = Standbys(0.1, lambda role, lag: told.append((role, lag)))
    database = database_at(address_of(*servers), LIMITS, standbys=standbys)
    standby = await asyncpg.connect(servers[1].url)
    try:
        await until(lambda: reads(database, "standby"))
        with structlog.testing.capture_logs() as logs:
            await replay(standby, "pause")
            await primary.execute("INSERT INTO notes VALUES ('x')")
            assert [tuple(row) for row in await database.rows(SEEN)] == [(False, 1)]
        await replay(standby, "resume")
        assert (told[-1][0], told[-1][1] >= 0.1) == ("primary", True)
        assert any("lags by" in str(entry.get("why")) for entry in logs)
        await until(lambda: reads(database, "standby"))
    finally:
        await replay(standby, "resume")
        await standby.close()
        await database.close()


async def test_a_standby_that_dies_costs_no_answer_and_is_read_again_when_it_is_back(
    servers: Pair, reading: Database
) -> None:
    await until(lambda: reads(reading, "standby"))
    asking = [asyncio.create_task(reading.rows(WHERE)) for _ in range(20)]
    servers[1].kill()
    await asyncio.gather(*asking)
    assert await reads(reading, "primary")
    await asyncio.to_thread(servers[1].start)
    await until(lambda: reads(reading, "standby"))


async def test_a_standby_that_hangs_is_left_alone(
    servers: Pair, reading: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As long as the primary may take to answer, too, on a busy machine.
    monkeypatch.setattr("service.sources.replicas.CONNECT_SECONDS", 3)
    await until(lambda: reads(reading, "standby"))
    servers[1].pause()
    assert await reads(reading, "primary")
    servers[1].resume()
    await until(lambda: reads(reading, "standby"))


async def test_a_pool_that_is_full_is_no_reason_to_read_elsewhere(
    reading: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.sources.replicas.CONNECT_SECONDS", 2)
    await until(lambda: reads(reading, "standby"))
    naps = [asyncio.create_task(reading.rows(SLEEP)) for _ in range(2 * LIMITS.max_queries)]
    assert [row[0] for rows in await asyncio.gather(*naps) for row in rows] == [True] * len(naps)


async def test_connections_to_the_primary_are_given_back(
    servers: Pair, reading: Database, primary: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.sources.replicas.UNUSED_SECONDS", 0)
    servers[1].kill()
    await reading.fill()

    async def count() -> int:
        ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'parallel-ops'"
        return int(await primary.fetchval(ours))

    assert await count() == LIMITS.max_queries + 1  # which asks how far it has written
    await asyncio.to_thread(servers[1].start)
    await until(lambda: reads(reading, "standby"))

    async def one() -> bool:
        return await count() <= 1

    await until(one)


async def test_a_statement_that_replaying_ends_is_asked_again(
    servers: Pair, reading: Database, primary: asyncpg.Connection
) -> None:
    standby = await asyncpg.connect(servers[1].url)
    await primary.execute("INSERT INTO naps VALUES (60)")
    await until(lambda: reads(reading, "standby"))
    asked = asyncio.create_task(reading.rows(NAP))

    async def naps() -> bool:
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        return bool(await standby.fetchval(query))

    await until(naps)
    await primary.execute("UPDATE naps SET seconds = 0")
    await primary.execute("VACUUM naps")
    await standby.close()
    # It naps no more, so it was ended and asked again, and there.
    assert [row[0] for row in await asked] == [True]


async def test_the_service_reads_the_standby_and_says_so(
    servers: Pair, serve: Serve, settings: Settings, primary: asyncpg.Connection
) -> None:
    await primary.execute("TRUNCATE meta_conversion_jobs")
    await insert(primary, Rows(jobs=[job(status="failed", created_at=NOW)]))
    url = address_of(*servers)
    async with serve(NOW, database_url=url, max_replica_lag_seconds=10) as client:
        await probed(client)
        assert (await client.get(f"{PREFIX}/summary?window_days=90")).json()["doc_sync"]["total"] == 1
        own = (await client.get("/metrics")).text
    assert _reads(own, "standby") > _reads(own, "primary")
    given = {"DATABASE_URL": url, "REDIS_URL": settings.redis_url, "JWT_SECRET": SECRET, "TENANTS": "*"}
    variables = {f"PARALLEL_OPS_{name}": value for name, value in given.items()}
    report = await asyncio.to_thread(inspect, variables)
    told = [line.message for line in report.checks if line.subject == "PostgreSQL"]
    for server, role in zip(servers, ("primary", "standby"), strict=True):
        assert f"127.0.0.1:{server.port} is a {role}" in told


async def test_a_standby_that_is_promoted_is_read_as_the_primary(tmp_path: Path) -> None:
    with passing_folder() as folder, replicated(folder) as servers:
        connection = await asyncpg.connect(servers[0].url)
        await create_schema(connection)
        await connection.execute(reader_role_script())
        await connection.close()
        database = database_at(address_of(*servers), LIMITS, standbys=Standbys(10))
        try:
            await until(lambda: reads(database, "standby"))
            servers[0].kill()
            with pytest.raises(DatabaseError):  # what the standby lacks, nobody knows
                await database.rows(WHERE)
            promoted = await asyncpg.connect(servers[1].url)
            await promoted.execute("SELECT pg_promote()")
            await promoted.close()
            assert await reads(database, "primary")
        finally:
            await database.close()


def _reads(own: str, server: str) -> float:
    """How many questions the service has counted there."""
    name = f'parallel_ops_database_reads_total{{server="{server}"}} '
    return next(float(line.removeprefix(name)) for line in own.splitlines() if line.startswith(name))
