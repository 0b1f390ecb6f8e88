"""Tables with more names and codes than a reading tells apart: every figure is right all the same."""

from collections import Counter
from datetime import timedelta

import asyncpg
import httpx
import pytest
from redis.asyncio import Redis

from service.sources.by_day import MOST_GROUPS, MOST_NAMES
from tests.support.api import PREFIX
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.reads import know_all_days
from tests.support.statement_log import StatementLog

MANY = MOST_GROUPS + 2_000
LONG_AGO = NOW.replace(tzinfo=None) - timedelta(days=20)
# As the contract has it.
MOST_KEYS, OTHERS = 500, "(others)"
SITES = """
INSERT INTO meta_conversion_jobs (id, task_type, payload, status, created_at)
SELECT 'job-' || n, 'document_sync_push',
       jsonb_build_object('site_id', 'site-' || n % $1 || repeat('x', 150)),
       CASE WHEN n % 3 = 0 THEN 'failed' ELSE 'completed' END, $2
FROM generate_series(1, $3::int) AS n
"""
RUNS = """
INSERT INTO meta_workflow_custom_action_runs
    (id, rule_id, object_id, target_object, trigger_phase, status, attempts, result, created_at)
SELECT 'run-' || n, 'rule', 'object', 'target-' || n, 'after',
       CASE WHEN n = 7 THEN 'Failed' WHEN n = 8 THEN 'WARNING' ELSE 'state-' || n END,
       1, jsonb_build_object('result_code', 'code-' || lpad(n::text, 6, '0')), $1
FROM generate_series(1, $2::int) AS n
"""
INCIDENTS = """
INSERT INTO meta_breakage_incidents (id, description, status, severity, responsibility, created_at)
SELECT 'incident-' || n, n, CASE WHEN n = 7 THEN 'Open' ELSE 'a-' || n % ($2::int - 10) END,
       'minor', 'nobody-' || n, $1
FROM generate_series(1, $2::int) AS n
"""


@pytest.fixture
async def crowded(database: asyncpg.Connection) -> asyncpg.Connection:
    """A day with more sites, targets, statuses and codes than a reading has room for, long past."""
    now = LONG_AGO
    await database.execute(SITES, MANY, now, MANY)
    # Of one site there is more than of any other.
    await database.execute(SITES.replace("'job-'", "'more-'"), 1, now, 50)
    await database.execute(RUNS, now, MANY)
    return database


async def summary(client: httpx.AsyncClient, **asked: str) -> dict[str, dict[str, object]]:
    answer = await client.get(f"{PREFIX}/summary", params={"window_days": "90", **asked})
    found: dict[str, dict[str, object]] = answer.raise_for_status().json()
    return found


async def test_totals_count_every_row_and_maps_are_bounded(crowded: object, serve: Serve) -> None:
    async with serve(NOW) as client:
        found = await summary(client)
    jobs, runs = found["doc_sync"], found["workflow_actions"]
    assert jobs["by_status"] == {"completed": MANY - MANY // 3 + 34, "failed": MANY // 3 + 16}
    codes, states = runs["by_result_code"], runs["by_status"]
    assert isinstance(codes, dict)
    assert isinstance(states, dict)
    assert sum(codes.values()) == sum(states.values()) == runs["total"] == MANY
    # Of codes that are equally frequent the first by name are told; what figures are made of always counts.
    told = MOST_KEYS - 1
    assert codes == {**{f"code-{n:06}": 1 for n in range(1, told + 1)}, OTHERS: MANY - told}
    assert (states["failed"], runs["failed_rate"], runs["warning_rate"]) == (1, 1 / MANY, 1 / MANY)
    assert (len(states), "warning" in states) == (MOST_KEYS, False)


async def test_open_incidents_count_however_rare_they_are(database: asyncpg.Connection, serve: Serve) -> None:
    await database.execute(INCIDENTS, NOW.replace(tzinfo=None), MANY)
    async with serve(NOW) as client:
        breakages = (await summary(client))["breakages"]
    assert (breakages["total"], breakages["open_total"], breakages["open_rate"]) == (MANY, 1, 1 / MANY)
    for name in ("by_status", "by_severity", "by_responsibility"):
        counts = breakages[name]
        assert isinstance(counts, dict)
        assert (len(counts) <= MOST_KEYS, sum(counts.values())) == (True, MANY)


async def test_a_frequent_name_is_in_the_reading_and_a_rare_one_is_asked_for(
    crowded: object, serve: Serve, statements: StatementLog
) -> None:
    frequent, rare = f"site-0{'x' * 150}", f"site-{MANY - 1}{'x' * 150}"
    async with serve(NOW) as client:
        await know_all_days(client)
        asked = statements.tables()
        assert (await summary(client, site_id=frequent))["doc_sync"]["total"] == 51
        assert statements.tables() == asked
        assert (await summary(client, site_id=rare))["doc_sync"]["total"] == 1
        assert statements.tables() == asked + Counter({"meta_conversion_jobs": 1})
        assert (await summary(client, site_id="nowhere"))["doc_sync"]["total"] == 0
        assert (await summary(client, target_object="target-7"))["workflow_actions"]["failed_rate"] == 1
        rarest = (await summary(client, target_object=f"target-{MANY}"))["workflow_actions"]
    assert rarest["by_result_code"] == {f"code-{MANY:06}": 1}


async def test_a_first_look_tells_the_same_worst_names_as_all_days(
    database: asyncpg.Connection, serve: Serve, statements: StatementLog
) -> None:
    """Of all days together there are more than one day may have, and all but the worst are more frequent."""
    at = NOW.replace(tzinfo=None)
    good = SITES.replace("'failed'", "'completed'")
    for day in range(6):
        of_day = good.replace("'job-'", f"'{day}-'").replace("'site-'", f"'site-{day}-'")
        await database.execute(of_day, MANY // 5, at - timedelta(days=day, hours=6), MANY // 5 * 2)
    bad = SITES.replace("'completed'", "'failed'")
    await database.execute(bad.replace("'job-'", "'rare-'"), 1, at, 1)
    await database.execute(bad.replace("'job-'", "'none-'").replace("'site_id'", "'no_site'"), 1, at, 1)
    async with serve(NOW) as client:
        looked = (await summary(client))["doc_sync"]
        await know_all_days(client)
        asked = statements.tables()
        read = (await summary(client, window_days="30"))["doc_sync"]
        assert statements.tables() == asked
    assert isinstance(looked["by_site"], list)
    assert [(each["site_id"], each["failed_total"]) for each in looked["by_site"]] == [
        (None, 1),
        (f"site-0{'x' * 150}", 1),
    ]
    assert read == looked


async def test_a_reading_is_not_large(crowded: asyncpg.Connection, serve: Serve, redis: Redis) -> None:
    # Not too many groups for a day that is told by the hour, but too long names.
    await crowded.execute(SITES.replace("'job-'", "'new-'"), MANY, NOW.replace(tzinfo=None), MANY)
    async with serve(NOW) as client:
        await know_all_days(client)
    sizes = [await redis.strlen(key) for key in await redis.keys("parallel-ops:{-}:v1:day:*")]
    # A thousand names of 160 characters, and 10,000 groups of a few numbers.
    assert 50_000 < max(sizes) < 200 * MOST_NAMES + 20 * MOST_GROUPS
