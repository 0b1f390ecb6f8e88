"""Limits of one request: they change its answer, and nothing for anybody else."""

from typing import Any

import asyncpg
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis

from tests.support.api import PREFIX
from tests.support.builders import Database, incident, insert, job, run
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.reads import know_all_days
from tests.support.statement_log import StatementLog

DOC_SYNC = "doc_sync_dead_letter_rate_high"
WORKFLOW = "workflow_action_failed_rate_high"
BREAKAGE = "breakage_open_rate_high"
OVERLAY = "overlay_cache_hit_rate_low"
JUDGED = (
    *("/summary", "/alerts", "/metrics"),
    *(f"/summary/export?export_format={name}" for name in ("json", "csv", "md")),
)
# No two of them are the same, the last is what is configured, and none changes a figure.
OVERRIDES: tuple[dict[str, float], ...] = (
    {},
    {"doc_sync_dead_letter_rate_warn": 0.4},
    {"doc_sync_dead_letter_rate_warn": 0.401},
    {"workflow_failed_rate_warn": 0.4},
    {"overlay_cache_min_requests_warn": 9},
    {"overlay_cache_hit_rate_warn": 0.8},
)


def trouble() -> Database:
    """Half of the jobs are dead letters, half of the runs failed, and every incident is open."""
    dead = {"status": "failed", "attempt_count": 3, "max_attempts": 3}
    return Database(
        jobs=[job(created_at=NOW), job(**dead, created_at=NOW)],
        runs=[run(created_at=NOW), run(status="failed", created_at=NOW)],
        incidents=[incident(status="open", created_at=NOW)],
    )


def limits(answer: dict[str, Any]) -> dict[str, float]:
    """Where rates warn by an answer, and the least number of lookups."""
    told = answer["slo_thresholds"]
    return {name: limit["warn"] if isinstance(limit, dict) else limit for name, limit in told.items()}


async def hints(client: httpx.AsyncClient, **overrides: float) -> dict[str, str]:
    """The levels of the hints, by code, which summary, alerts, export and metrics agree on."""
    summary = (await client.get(f"{PREFIX}/summary", params=overrides)).json()
    alerts = (await client.get(f"{PREFIX}/alerts", params=overrides)).json()
    file = (await client.get(f"{PREFIX}/summary/export", params=overrides)).json()
    assert alerts["hints"] == summary["slo_hints"] == file["slo_hints"]
    assert alerts["slo_thresholds"] == summary["slo_thresholds"] == file["slo_thresholds"]
    found = {hint["code"]: hint["level"] for hint in summary["slo_hints"]}
    assert alerts["status"] == ("critical" if "critical" in found.values() else "warning" if found else "ok")
    text = (await client.get(f"{PREFIX}/metrics", params=overrides)).text
    families = {family.name: family.samples for family in text_string_to_metric_families(text)}
    active = families["yuantus_parallel_slo_hint_active"]
    assert found == {each.labels["code"]: each.labels["level"] for each in active if each.value}
    asked = {**{name: str(value) for name, value in overrides.items()}, "export_format": "csv"}
    rows = (await client.get(f"{PREFIX}/summary/export", params=asked)).text.splitlines()
    assert f"slo_hints.total,{len(found)}" in rows
    return found


async def test_an_answer_is_judged_by_the_limits_of_its_request(
    database: asyncpg.Connection, serve: Serve, redis: Redis
) -> None:
    await insert(database, trouble())
    async with serve(NOW, slo_workflow_failed_rate_critical=0.9) as client:
        await redis.hset("parallel-ops:{-}:overlay:counts:2026-03-10", mapping={"09:hits": 7, "09:misses": 2})
        warned = {DOC_SYNC: "warn", WORKFLOW: "warn", BREAKAGE: "warn"}
        assert await hints(client) == warned
        assert await hints(client, overlay_cache_min_requests_warn=9) == {OVERLAY: "warn", **warned}
        quiet = {"doc_sync_dead_letter_rate_warn": 0.5, "workflow_failed_rate_warn": 0.5}
        assert await hints(client, **quiet) == {BREAKAGE: "warn"}
        assert await hints(client, **quiet, breakage_open_rate_warn=1) == {}
        lookups = {"overlay_cache_min_requests_warn": 0, "overlay_cache_hit_rate_warn": 0.75}
        assert await hints(client, **lookups) == warned


async def test_what_is_critical_stays_critical(database: asyncpg.Connection, serve: Serve) -> None:
    await insert(database, trouble())
    async with serve(NOW, slo_workflow_failed_rate_critical=0.4) as client:
        found = await hints(client, workflow_failed_rate_warn=0.99)
        answer = (await client.get(f"{PREFIX}/summary?workflow_failed_rate_warn=0.99")).json()
    assert found[WORKFLOW] == "critical"
    assert answer["slo_thresholds"]["workflow_failed_rate"] == {"warn": 0.99, "critical": 0.4}


@pytest.mark.parametrize("path", JUDGED)
async def test_no_two_overrides_share_an_answer_or_a_tag(
    database: asyncpg.Connection, serve: Serve, path: str
) -> None:
    await insert(database, trouble())
    bodies: dict[str, set[bytes]] = {}
    async with serve(NOW) as client:
        for overrides in (*OVERRIDES, *OVERRIDES):  # at first made, then replayed
            address = httpx.URL(PREFIX + path).copy_merge_params(overrides)
            response = await client.get(address)
            bodies.setdefault(response.headers["etag"], set()).add(response.content)
            if path == "/summary":
                expected = {"overlay_cache_hit_rate": 0.8, "overlay_cache_min_requests": 10}
                expected |= {name.removesuffix("_warn"): value for name, value in overrides.items()}
                assert limits(response.json()).items() >= expected.items()
        same = await client.get(PREFIX + path, params=OVERRIDES[1])
        written = httpx.URL(PREFIX + path).copy_merge_params({"doc_sync_dead_letter_rate_warn": "4.0e-1"})
        assert (await client.get(written)).headers["etag"] in bodies
        other = await client.get(address, headers={"if-none-match": same.headers["etag"]})
    assert other.status_code == 200
    assert [len(each) for each in bodies.values()] == [1] * len(OVERRIDES)


async def test_limits_cost_no_statement_and_no_entry_in_redis(
    database: asyncpg.Connection, serve: Serve, redis: Redis, statements: StatementLog
) -> None:
    await insert(database, trouble())
    paths = (*(PREFIX + path for path in JUDGED), "/")
    async with serve(NOW) as client:
        await know_all_days(client)
        for path in paths:
            assert (await client.get(path)).status_code == 200
        cold, keys = statements.tables(), set(await redis.keys("*"))
        for share in range(20):
            asked = {"breakage_open_rate_warn": share / 20, "overlay_cache_min_requests_warn": share}
            for path in paths:
                response = await client.get(httpx.URL(path).copy_merge_params(asked))
                assert (response.status_code, response.headers["x-cache"]) == (200, "hit")
        assert (statements.tables(), set(await redis.keys("*"))) == (cold, keys)


async def test_other_endpoints_know_nothing_of_limits(serve: Serve, database: object) -> None:
    async with serve(NOW) as client:
        for path in ("/trends", "/trends/export", "/doc-sync/failures"):
            plain = await client.get(PREFIX + path)
            asked = await client.get(f"{PREFIX}{path}?breakage_open_rate_warn=nan")
            assert (asked.status_code, asked.content) == (200, plain.content)
