"""What the service's connections to the database are like, and what they let it do."""

import asyncio

import asyncpg
from sqlalchemy import func, select

from demo.servers import Postgres
from service.sources.database import Database, DatabaseLimits
from tests.support.api import PREFIX
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.slow_jobs import is_napping, napping
from tests.support.waiting import until

SESSION = {
    "transaction_read_only": "on",
    "statement_timeout": "1500ms",
    "lock_timeout": "500ms",
    "application_name": "parallel-ops",
    "TimeZone": "UTC",
}

ONE_MORE = """
INSERT INTO real_jobs (id, task_type, payload, status, created_at)
SELECT 'late', task_type, payload, status, created_at FROM real_jobs
"""


async def test_a_transaction_is_read_only_and_bounded_even_for_a_superuser(postgres: Postgres) -> None:
    database = Database(postgres.url, DatabaseLimits(1.5, 0.5, max_queries=1))
    try:
        (found,) = await database.rows(select(*map(func.current_setting, SESSION)))
    finally:
        await database.close()
    assert dict(zip(SESSION, found, strict=True)) == SESSION


async def test_a_page_and_its_total_are_of_one_moment(slow_jobs: asyncpg.Connection, serve: Serve) -> None:
    async with serve(NOW) as client:
        await slow_jobs.execute(napping(0.5))
        asked = asyncio.create_task(client.get(f"{PREFIX}/doc-sync/failures"))
        await until(lambda: is_napping(slow_jobs))
        await slow_jobs.execute(ONE_MORE)
        answer = (await asked).json()
    assert (answer["total"], len(answer["jobs"])) == (1, 1)
