"""A large database: the rows stay where they are, and the process stays small."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import psutil
import pytest
from msgspec.structs import replace
from redis.asyncio import Redis
from sqlalchemy import make_url

from demo.run import READER, reader_role_script
from demo.schema import create_schema
from demo.servers import Postgres
from service.settings import Settings
from tests.support.api import PREFIX
from tests.support.instances import Instance
from tests.support.wire import RowCounter

ROWS = 200_000
MAX_BYTES = 150 * 1024 * 1024
# What opening a connection reads: server settings and the types of JSON, on each of the four.
CONNECTING = 4 * 20
FILL = (
    """
INSERT INTO meta_conversion_jobs (id, task_type, payload, status, attempt_count, max_attempts, created_at)
SELECT 'job-' || n, 'document_sync_push', jsonb_build_object('site_id', 'S' || n % 25),
    (ARRAY['completed', 'failed', 'pending'])[1 + n % 3], n % 4, 3,
    now() AT TIME ZONE 'UTC' - n * interval '89 days' / $1
FROM generate_series(1, $1) AS n
""",
    """
INSERT INTO meta_workflow_custom_action_runs
    (id, rule_id, object_id, target_object, trigger_phase, status, attempts, result, created_at)
SELECT 'run-' || n, 'rule', 'object', (ARRAY['Part', 'ECO'])[1 + n % 2], 'after',
    (ARRAY['completed', 'failed', 'warning'])[1 + n % 3], 1, jsonb_build_object('result_code', 'C' || n % 9),
    now() AT TIME ZONE 'UTC' - n * interval '89 days' / $1
FROM generate_series(1, $1) AS n
""",
)


@pytest.fixture
async def large(admin: asyncpg.Connection, postgres: Postgres) -> AsyncIterator[str]:
    """The name of a database of its own with 200,000 jobs and as many runs, all of the last 89 days."""
    await admin.execute("CREATE DATABASE large")
    connection = await asyncpg.connect(postgres.url, database="large")
    await create_schema(connection)
    await connection.execute(reader_role_script())
    for statement in FILL:
        await connection.execute(statement, ROWS)
    await connection.close()
    yield "large"
    await admin.execute("DROP DATABASE large WITH (FORCE)")


@pytest.fixture
async def wire(postgres: Postgres) -> AsyncIterator[RowCounter]:
    """Between the service and PostgreSQL."""
    async with RowCounter(postgres.port) as counter:
        yield counter


@pytest.fixture
async def instance(
    large: str, wire: RowCounter, settings: Settings, redis: Redis, tmp_path: Path
) -> AsyncIterator[Instance]:
    """A server process that reads the large database through the counter."""
    address = make_url(settings.database_url).set(
        username=READER, port=wire.port, database=large, query={"ssl": "disable"}
    )
    url = address.render_as_string(hide_password=False)
    served = Instance(replace(settings, database_url=url), tmp_path / "service.log")
    served.start()
    await served.ready()
    yield served
    served.kill()


async def test_ninety_days_of_a_large_database_cost_few_rows_and_little_memory(
    instance: Instance, wire: RowCounter
) -> None:
    async with httpx.AsyncClient(base_url=instance.url + PREFIX, timeout=60) as client:
        summary = (await client.get("/summary?window_days=90")).raise_for_status().json()
        fetched = wire.rows
        for path in ("/trends", "/metrics", "/summary/export"):
            (await client.get(f"{path}?window_days=90")).raise_for_status()
        failures = await client.get("/doc-sync/failures?window_days=90&page_size=200&page=300")
    sections = [summary[name] for name in ("doc_sync", "workflow_actions", "breakages")]
    assert [section["total"] for section in sections] == [ROWS, ROWS, 0]
    # By another clock than the database's, as it once was in `make loaded`, all rows could be of one day.
    assert abs(datetime.fromisoformat(summary["generated_at"]) - datetime.now(UTC)) < timedelta(minutes=2)
    cells = 3 * 90
    entries = sum(len(value) for section in sections for value in section.values() if isinstance(value, dict))
    the_rest = 2  # what all templates come to, and the repeated incidents
    assert cells / 2 < fetched <= cells + entries + the_rest + CONNECTING
    assert len(failures.json()["jobs"]) == 200
    assert wire.rows <= 2 * (fetched + 200)  # the answers after it may have crossed a tick
    assert max(_sizes(instance)) < MAX_BYTES


def _sizes(instance: Instance) -> list[int]:
    """The resident bytes of the process and its workers."""
    parent = psutil.Process(instance.process.pid)
    return [process.memory_info().rss for process in (parent, *parent.children(recursive=True))]
