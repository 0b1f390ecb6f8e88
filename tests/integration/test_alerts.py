"""/alerts: the hints, by level and by code, and the status that follows from them."""

import asyncpg
import pytest
from redis.asyncio import Redis

from tests.support.api import PREFIX
from tests.support.builders import Database, incident, insert, job, run
from tests.support.clock import NOW
from tests.support.fixtures import Ask, Serve

DEAD = {"status": "failed", "attempt_count": 3, "max_attempts": 3}
OVERLAY = "overlay_cache_hit_rate_low"
DOC_SYNC = "doc_sync_dead_letter_rate_high"
WORKFLOW = "workflow_action_failed_rate_high"
BREAKAGE = "breakage_open_rate_high"


def trouble() -> Database:
    """Half of the jobs are dead letters, half of the runs failed, and every incident is open."""
    return Database(
        jobs=[job(created_at=NOW), job(**DEAD, created_at=NOW)],
        runs=[run(created_at=NOW), run(status="failed", created_at=NOW)],
        incidents=[incident(status="open", created_at=NOW)],
    )


async def test_without_hints_the_status_is_ok(ask: Ask) -> None:
    answer = (await ask("/alerts")).json()
    assert list(answer.items()) == [
        ("generated_at", "2026-03-10T09:30:00Z"),
        ("window_days", 7),
        ("window_since", "2026-03-03T09:30:00Z"),
        ("filters", {"site_id": None, "target_object": None, "template_key": None, "level": None}),
        ("status", "ok"),
        ("total", 0),
        ("by_code", {}),
        ("hints", []),
        (
            "slo_thresholds",
            {
                "overlay_cache_hit_rate": {"warn": 0.8, "critical": None},
                "overlay_cache_min_requests": 10,
                "doc_sync_dead_letter_rate": {"warn": 0.05, "critical": None},
                "workflow_failed_rate": {"warn": 0.02, "critical": None},
                "breakage_open_rate": {"warn": 0.5, "critical": None},
            },
        ),
        ("oldest_reading", "2026-03-10T09:30:00Z"),
        ("degraded", []),
        ("operator_id", None),
    ]


async def test_every_hint_in_order_with_its_message(
    database: asyncpg.Connection, serve: Serve, redis: Redis
) -> None:
    await insert(database, trouble())
    async with serve(NOW) as client:
        await redis.hset("parallel-ops:{-}:overlay:counts:2026-03-10", mapping={"09:hits": 7, "09:misses": 3})
        answer = (await client.get(f"{PREFIX}/alerts")).json()
    since = {"since": "2026-03-10T09:00:00Z", "quiet_since": None}
    assert answer["hints"] == [
        {
            "code": OVERLAY,
            "level": "warn",
            "message": "Overlay cache hit rate is below 0.8 in the selected window",
            **since,
        },
        {"code": DOC_SYNC, "level": "warn", "message": "Document sync dead-letter rate is above 5%", **since},
        {
            "code": WORKFLOW,
            "level": "warn",
            "message": "Workflow custom action failed rate is above 2%",
            **since,
        },
        {
            "code": BREAKAGE,
            "level": "warn",
            "message": "Open breakage ratio is above 50%",
            **dict.fromkeys(since),
        },
    ]
    assert (answer["status"], answer["total"]) == ("warning", 4)
    assert list(answer["by_code"].items()) == [(BREAKAGE, 1), (DOC_SYNC, 1), (OVERLAY, 1), (WORKFLOW, 1)]


@pytest.mark.usefixtures("database")
async def test_few_overlay_lookups_give_no_hint(serve: Serve, redis: Redis) -> None:
    async with serve(NOW) as client:
        await redis.hset("parallel-ops:{-}:overlay:counts:2026-03-10", mapping={"09:misses": 9})
        assert (await client.get(f"{PREFIX}/alerts")).json()["hints"] == []


async def test_past_the_critical_threshold_a_hint_is_critical_and_names_that_threshold(ask: Ask) -> None:
    changes = {"slo_doc_sync_dead_letter_rate_critical": 0.25, "slo_workflow_failed_rate_critical": 0.5}
    answer = (await ask("/alerts", trouble(), settings=changes)).json()
    assert [(hint["code"], hint["level"], hint["message"]) for hint in answer["hints"]] == [
        (DOC_SYNC, "critical", "Document sync dead-letter rate is above 25%"),
        (WORKFLOW, "warn", "Workflow custom action failed rate is above 2%"),
        (BREAKAGE, "warn", "Open breakage ratio is above 50%"),
    ]
    assert answer["status"] == "critical"


async def test_one_critical_hint_makes_the_status_critical_wherever_it_stands(ask: Ask) -> None:
    changes = {"slo_workflow_failed_rate_critical": 0.25}
    answer = (await ask("/alerts", trouble(), settings=changes)).json()
    assert [hint["level"] for hint in answer["hints"]] == ["warn", "critical", "warn"]
    assert answer["status"] == "critical"


@pytest.mark.parametrize(
    ("level", "kept", "status", "codes"),
    [
        ("critical", "critical", "critical", [DOC_SYNC]),
        (" WARN\t", "warn", "warning", [WORKFLOW, BREAKAGE]),
        ("Info", "info", "ok", []),
        (" ", None, "critical", [DOC_SYNC, WORKFLOW, BREAKAGE]),
    ],
)
async def test_a_level_keeps_its_hints_and_the_rest_is_of_what_is_kept(
    ask: Ask, level: str, kept: str | None, status: str, codes: list[str]
) -> None:
    changes = {"slo_doc_sync_dead_letter_rate_critical": 0.25}
    answer = (await ask("/alerts", trouble(), settings=changes, level=level)).json()
    assert answer["filters"]["level"] == kept
    assert [hint["code"] for hint in answer["hints"]] == codes
    assert (answer["status"], answer["total"]) == (status, len(codes))
    assert answer["by_code"] == dict.fromkeys(codes, 1)


async def test_filters_decide_which_rates_are_judged(ask: Ask) -> None:
    filters = {"site_id": "elsewhere", "target_object": "ECO"}
    answer = (await ask("/alerts", trouble(), **filters)).json()
    assert [hint["code"] for hint in answer["hints"]] == [BREAKAGE]
    assert answer["filters"] == {**filters, "template_key": None, "level": None}


async def test_alerts_list_the_summarys_hints(database: asyncpg.Connection, serve: Serve) -> None:
    await insert(database, trouble())
    async with serve(NOW) as client:
        alerts = (await client.get(f"{PREFIX}/alerts")).json()
        summary = (await client.get(f"{PREFIX}/summary")).json()
    assert alerts["hints"] == summary["slo_hints"]
