"""Connections that servers close, or that hang: the next request is none the worse, none waits for ever."""

import asyncio
from collections import Counter

import asyncpg
import pytest
import structlog
from redis.asyncio import Redis
from sqlalchemy import func, select

from demo.run import READER
from demo.servers import Postgres, Valkey
from service.sources.database import Connection, Database, DatabaseError, DatabaseLimits
from tests.support.api import PREFIX
from tests.support.clock import NOW, Clock
from tests.support.fixtures import Serve
from tests.support.reads import ONE_READING, know_all_days
from tests.support.relay import Relay
from tests.support.statement_log import StatementLog

# Of the largest window: no day is then left to be read behind the answer.
SUMMARY = f"{PREFIX}/summary?window_days=90"
# And what a first look asks: days whose names are apart, and recurrences of one window.
REHEARSED = ONE_READING + Counter(list(ONE_READING)[:3])
HOUR = 3600
AWAY = "redis is away: going on with process memory"
# Whatever a server or a database sets for its sessions, a transaction of the service has its own of these.
SESSION = {
    "application_name": ("elsewhere", "parallel-ops"),
    "default_transaction_read_only": ("off", "on"),
    "statement_timeout": ("0", "10s"),
    "lock_timeout": ("0", "3s"),
    "max_parallel_workers_per_gather": ("8", "0"),
    "jit": ("on", "off"),
    "work_mem": ("64kB", "16MB"),
    "timezone": ("Asia/Shanghai", "UTC"),
}


async def test_a_transaction_has_its_own_settings_whatever_the_database_says(
    spare: asyncpg.Connection, spare_url: str
) -> None:
    for name, (other, _) in SESSION.items():
        await spare.execute(f"ALTER DATABASE spare SET {name} = '{other}'")
    database = Database(spare_url, DatabaseLimits(10, 3, max_queries=1))
    in_force = [name.removeprefix("default_") for name in (*SESSION, "enable_sort")]
    asked = select(*map(func.current_setting, in_force))
    try:
        (found,), (of_hashing,) = [await each.rows(asked) for each in (database, database.hashing())]
    finally:
        await database.close()
    ours = [setting for _, setting in SESSION.values()]
    assert (list(found), list(of_hashing)) == ([*ours, "on"], [*ours, "off"])


async def test_connections_that_postgresql_closes_while_they_idle_harm_no_request(
    database: asyncpg.Connection, serve: Serve
) -> None:
    clock = Clock(NOW)
    with structlog.testing.capture_logs() as logs:
        async with serve(clock) as client:
            await know_all_days(client)
            ended = await database.fetch(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = $1", READER
            )
            assert ended
            clock.now += HOUR
            answer = await client.get(SUMMARY)
            await know_all_days(client)
    assert (answer.status_code, answer.headers.get("x-cache")) == (200, "miss")
    # A first look would do for the answer, though all days cannot be read.
    assert "computation failed" not in [entry["event"] for entry in logs]


async def test_connections_that_redis_closes_while_they_idle_harm_no_request(
    database: asyncpg.Connection, serve: Serve, redis: Redis
) -> None:
    clock = Clock(NOW)
    with structlog.testing.capture_logs() as logs:
        async with serve(clock) as client:
            await know_all_days(client)
            assert await redis.client_kill_filter(_type="normal", skipme=True) >= 1
            clock.now += HOUR
            answer = await client.get(SUMMARY)
            await know_all_days(client)
    assert (answer.status_code, answer.json()["degraded"]) == (200, [])
    assert len(await redis.keys(f"*:{int(clock.now)}")) == 7
    assert AWAY not in [entry["event"] for entry in logs]


async def test_a_connection_that_breaks_in_the_middle_of_a_command_is_replaced_unseen(
    database: asyncpg.Connection, serve: Serve, valkey: Valkey, redis: Redis
) -> None:
    clock = Clock(NOW)
    with structlog.testing.capture_logs() as logs:
        async with Relay(valkey.port) as relay:
            async with serve(clock, redis_url=f"redis://127.0.0.1:{relay.port}/0") as client:
                await know_all_days(client)
                clock.now += HOUR
                relay.breaks = 1
                answer = await client.get(SUMMARY)
                await know_all_days(client)
            assert relay.breaks == 0
    assert (answer.status_code, answer.json()["degraded"]) == (200, [])
    assert len(await redis.keys(f"*:{int(clock.now)}")) == 7
    assert AWAY not in [entry["event"] for entry in logs]


async def test_a_statement_on_a_frozen_server_is_given_up(own_postgres: Postgres) -> None:
    database = Database(own_postgres.url, DatabaseLimits(0.2, 0.2, max_queries=1))
    try:
        await database.rows(select(func.now()))
        own_postgres.pause()
        # The server's own statement_timeout sleeps with it.
        async with asyncio.timeout(30):
            with pytest.raises(DatabaseError):
                await database.rows(select(func.now()))
    finally:
        own_postgres.resume()
        await database.close()


async def test_a_process_that_is_ready_has_rehearsed_what_it_will_ask_on_each_connection(
    serve: Serve, statements: StatementLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A machine that is too busy for it is ready nevertheless.
    monkeypatch.setattr("service.api.telemetry.probes.PREPARING_SECONDS", 30)
    monkeypatch.setattr("service.api.telemetry.health.WAIT_SECONDS", 30)
    async with serve(NOW, max_database_queries=3) as client:
        assert (await client.get("/health/ready")).status_code == 200
        assert statements.tables() == Counter({table: 3 * times for table, times in REHEARSED.items()})
        assert statements.count("LIMIT") >= 3 * REHEARSED.total()  # 0, and so no row is read
        rehearsed = statements.texts()
        assert (await client.get(SUMMARY)).status_code == 200
        assert statements.tables().total() > 3 * REHEARSED.total()
        assert statements.texts() - rehearsed == set()


async def test_a_connection_of_a_frozen_server_closes_in_time_and_in_silence(own_postgres: Postgres) -> None:
    """Who waits for it may have been cancelled meanwhile, and what it raises would be nobody's then."""
    connection = await asyncpg.connect(own_postgres.url, connection_class=Connection)
    own_postgres.pause()
    try:
        await connection.close(timeout=0.2)
    finally:
        own_postgres.resume()
    assert connection.is_closed()


async def test_a_pool_is_closed_in_time_though_the_server_is_gone(own_postgres: Postgres) -> None:
    """Without a packet that says so: a connection that says goodbye would wait for minutes."""
    database = Database(own_postgres.url, DatabaseLimits(0.2, 0.1, 1))
    await database.rows(select(1))
    own_postgres.pause()
    try:
        async with asyncio.timeout(30):
            await database.close()
    finally:
        own_postgres.resume()
