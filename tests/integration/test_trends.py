"""/trends: where buckets begin and end, which row is in which, and what is said of each."""

from collections.abc import Callable
from datetime import timedelta
from math import ceil

import asyncpg
import pytest

from tests.support.api import PREFIX
from tests.support.builders import INFINITY, Database, Row, incident, insert, job, run, template
from tests.support.clock import NOW
from tests.support.fixtures import Ask, Serve

MICROSECOND = timedelta(microseconds=1)
DAY = timedelta(days=1)
SIZES = [(window, bucket) for window in (1, 7, 14, 30, 90) for bucket in (1, 7, 14, 30) if bucket <= window]


async def test_points_cover_the_window_without_a_gap_and_the_last_is_clipped(serve: Serve) -> None:
    async with serve(NOW) as client:
        for window_days, bucket_days in SIZES:
            asked = {"window_days": window_days, "bucket_days": bucket_days}
            trends = (await client.get(f"{PREFIX}/trends", params=asked)).json()
            points = trends["points"]
            edges = [NOW - window_days * DAY + number * bucket_days * DAY for number in range(len(points))]
            edges.append(NOW)
            assert len(points) == ceil(window_days / bucket_days)
            assert [point["bucket_start"] for point in points] == [written(edge) for edge in edges[:-1]]
            assert [point["bucket_end"] for point in points] == [written(edge) for edge in edges[1:]]
            partial = [False] * len(points)
            partial[-1] = window_days % bucket_days != 0
            assert [point["partial"] for point in points] == partial


def written(instant: object) -> str:
    """As the contract writes times."""
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize(
    ("table", "build", "section"),
    [
        ("jobs", job, "doc_sync"),
        ("runs", run, "workflow_actions"),
        ("incidents", incident, "breakages"),
    ],
)
async def test_a_row_on_an_edge_is_in_the_bucket_that_starts_there(
    ask: Ask, table: str, build: Callable[..., Row], section: str
) -> None:
    since = NOW - 30 * DAY
    edges = [since, since + 14 * DAY, since + 28 * DAY, NOW]
    moments = [edge + step for edge in edges for step in (-MICROSECOND, timedelta(0), MICROSECOND)]
    moments += [NOW + 300 * DAY, INFINITY]
    rows = Database(**{table: [build(created_at=moment) for moment in moments]})
    points = (await ask("/trends", rows, window_days=30, bucket_days=14)).json()["points"]
    # The one just before the window is in none; all of the future is in the newest, clipped bucket.
    assert [point[section]["total"] for point in points] == [3, 3, 2 + 3 + 2]


async def test_a_bucket_of_a_day_starts_at_the_answers_time_of_day_and_not_at_midnight(ask: Ask) -> None:
    midnight = NOW.replace(hour=0, minute=0)
    rows = Database(jobs=[job(created_at=midnight + step) for step in (-MICROSECOND, timedelta(0))])
    points = (await ask("/trends", rows)).json()["points"]
    assert [point["doc_sync"]["total"] for point in points] == [0, 0, 0, 0, 0, 0, 2]


async def test_a_point_says_what_failed_in_its_bucket(ask: Ask) -> None:
    at = {"created_at": NOW - DAY / 2}
    rows = Database(
        jobs=[
            job(status="FAILED", attempt_count=3, max_attempts=3, **at),
            job(status="failed", attempt_count=1, max_attempts=3, **at),
            job(status="Completed", **at),
            job(status=None, attempt_count=3, max_attempts=3, **at),
            job(status="failed", task_type="cad_preview", **at),
        ],
        runs=[run(status="Failed", **at), run(**at), run(status="", **at)],
        incidents=[incident(status="OPEN", **at), incident(**at)],
    )
    point = (await ask("/trends", rows, window_days=1)).json()["points"][0]
    assert list(point.items()) == [
        ("bucket_start", "2026-03-09T09:30:00Z"),
        ("bucket_end", "2026-03-10T09:30:00Z"),
        ("partial", False),
        (
            "doc_sync",
            {
                "total": 4,
                "failed_total": 2,
                "dead_letter_total": 1,
                "success_rate": 0.25,
                "dead_letter_rate": 0.25,
                "by_direction": {"push": 4},
            },
        ),
        ("workflow_actions", {"total": 3, "failed_total": 1, "failed_rate": 1 / 3}),
        ("breakages", {"total": 2, "open_total": 1, "open_rate": 0.5}),
    ]


async def test_an_empty_bucket_has_null_rates(ask: Ask) -> None:
    point = (await ask("/trends", window_days=1)).json()["points"][0]
    assert point["doc_sync"] == {
        "total": 0,
        "failed_total": 0,
        "dead_letter_total": 0,
        "success_rate": None,
        "dead_letter_rate": None,
        "by_direction": {},
    }
    assert point["workflow_actions"] == {"total": 0, "failed_total": 0, "failed_rate": None}
    assert point["breakages"] == {"total": 0, "open_total": 0, "open_rate": None}


async def test_aggregates_are_the_sums_over_the_points(ask: Ask) -> None:
    dead = {"status": "failed", "attempt_count": 9, "max_attempts": 3}
    ages = [NOW - days * DAY for days in (0, 1, 3, 6)]
    rows = Database(
        jobs=[job(**dead, created_at=at) for at in ages]
        + [job(status="failed", created_at=at) for at in ages],
        runs=[run(status=status, created_at=at) for at in ages for status in ("failed", "failed", "warning")],
        incidents=[incident(status=status, created_at=at) for at in ages for status in ("open", "closed")],
    )
    assert (await ask("/trends", rows, bucket_days=7)).json()["aggregates"] == {
        "doc_sync_total": 8,
        "doc_sync_failed_total": 8,
        "doc_sync_dead_letter_total": 4,
        "workflow_total": 12,
        "workflow_failed_total": 8,
        "breakages_total": 8,
        "breakages_open_total": 4,
    }


async def test_keys_come_in_the_contracts_order(ask: Ask) -> None:
    assert list((await ask("/trends")).json()) == [
        *("generated_at", "window_days", "window_since", "bucket_days", "filters", "points", "aggregates"),
        *("consumption_templates", "overlay_cache", "oldest_reading", "align", "bucket_hours", "time_zone"),
        *("degraded", "operator_id"),
    ]


async def test_filters_are_echoed_trimmed_and_keep_rows(database: asyncpg.Connection, serve: Serve) -> None:
    at = {"created_at": NOW}
    rows = Database(
        jobs=[job(**at), job(payload={"site_id": 2}, **at)],
        runs=[run(**at), run(target_object="ECO", **at), run(target_object="ECO", **at)],
        plans=[template("pump"), template("seal")],
    )
    await insert(database, rows)
    asked = {"site_id": " 2", "target_object": "ECO\t", "template_key": "\xa0seal"}
    async with serve(NOW) as client:
        trends = (await client.get(f"{PREFIX}/trends", params=asked)).json()
        summary = (await client.get(f"{PREFIX}/summary", params=asked)).json()
    assert list(trends["filters"].items()) == [
        ("site_id", "2"),
        ("target_object", "ECO"),
        ("template_key", "seal"),
    ]
    aggregates = trends["aggregates"]
    assert (aggregates["doc_sync_total"], aggregates["workflow_total"]) == (1, 2)
    for section in ("consumption_templates", "overlay_cache"):
        assert trends[section] == summary[section]


async def test_filters_that_are_blank_or_not_given_are_null(ask: Ask) -> None:
    trends = (await ask("/trends", site_id=" ", target_object="")).json()
    assert trends["filters"] == {"site_id": None, "target_object": None, "template_key": None}
    assert trends["bucket_days"] == 1
