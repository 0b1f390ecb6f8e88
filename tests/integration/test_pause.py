"""Readings that the server ends for taking too long: the fleet does not try again at once."""

import asyncpg
import pytest
from redis.asyncio import Redis

from tests.support.api import PREFIX
from tests.support.clock import NOW, Clock
from tests.support.fixtures import Serve
from tests.support.slow_jobs import QUICK, napping
from tests.support.statement_log import StatementLog
from tests.support.waiting import until

JOBS = "meta_conversion_jobs"
SUMMARY = f"{PREFIX}/summary"


async def test_what_took_too_long_is_left_alone_for_a_while_by_all_instances(
    database: asyncpg.Connection,
    serve: Serve,
    redis: Redis,
    statements: StatementLog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("service.readings.catalogue.MOST_ROWS_LOOKED_AT", -1)
    clock = Clock(NOW)
    # A pause is a quarter of the last one at most.
    settings = {
        "statement_timeout_seconds": 0.5,
        "database_share": 0.01,
        "stale_seconds": 0.001,
        "max_stale_seconds": 60,
    }
    async with serve(clock, **settings) as one, serve(clock, flush=False, **settings) as two:
        await database.execute(napping(60))
        try:
            assert (await one.get(SUMMARY)).status_code == 503
            asked = statements.tables()[JOBS]
            assert (await two.get(SUMMARY)).status_code == 503
            assert statements.tables()[JOBS] == asked == 1
            left = await redis.pttl("parallel-ops:{-}:v1:pause")
            assert 0 < left <= 15_000
        finally:
            await database.execute(QUICK)
        await redis.delete("parallel-ops:{-}:v1:pause")

        async def is_answered() -> bool:
            return (await two.get(SUMMARY)).status_code == 200

        await until(is_answered)
