"""Trends from day cells: buckets of every size, made of the same days."""

from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil

import pytest
from msgspec.structs import replace

from service.overview.clock import UTC_ZONE, hour_edges
from service.overview.query import Query, TrendsQuery
from service.overview.sections import (
    Breakages,
    BreakagesDay,
    DocSync,
    DocSyncDay,
    Snapshot,
    WorkflowActions,
    WorkflowActionsDay,
)
from service.overview.trends import Trends, trends_of
from tests.support.snapshots import INSTANT, NOTHING, SNAPSHOT

DAY = timedelta(days=1)
SIZES = [(window, bucket) for window in (1, 7, 14, 30, 90) for bucket in (1, 7, 14, 30) if bucket <= window]


def snapshot(window_days: int) -> Snapshot:
    """Day number n, from 1, has n jobs, 2n runs and 3n incidents."""
    days = range(1, window_days + 1)
    return replace(
        NOTHING,
        query=Query(window_days),
        doc_sync=DocSync(tuple(DocSyncDay(n, n // 2, n // 4, n // 8) for n in days), {}, 0),
        workflow_actions=WorkflowActions(tuple(WorkflowActionsDay(2 * n, n) for n in days), {}, {}, 0),
        breakages=Breakages(tuple(BreakagesDay(3 * n, n) for n in days), {}, {}, {}, 0),
    )


@pytest.mark.parametrize(("window_days", "bucket_days"), SIZES)
def test_points_tile_the_window_and_lose_no_row(window_days: int, bucket_days: int) -> None:
    trends = trends_of(snapshot(window_days), TrendsQuery(Query(window_days), bucket_days))
    points = trends.points
    assert len(points) == ceil(window_days / bucket_days)
    assert points[0].bucket_start == trends.window_since == INSTANT - window_days * DAY
    assert points[-1].bucket_end == INSTANT
    for point, following in pairwise(points):
        assert point.bucket_end == following.bucket_start
        assert point.bucket_end - point.bucket_start == bucket_days * DAY
    everything = sum(range(1, window_days + 1))
    assert trends.aggregates.doc_sync_total == everything
    assert trends.aggregates.workflow_total == 2 * everything
    assert trends.aggregates.breakages_total == 3 * everything


@pytest.mark.parametrize(("window_days", "bucket_days"), SIZES)
def test_only_a_clipped_last_point_is_partial(window_days: int, bucket_days: int) -> None:
    *full, last = trends_of(snapshot(window_days), TrendsQuery(Query(window_days), bucket_days)).points
    assert not any(point.partial for point in full)
    assert last.partial == (last.bucket_end - last.bucket_start < bucket_days * DAY)
    assert last.partial == (window_days % bucket_days > 0)


def test_a_point_holds_its_own_days() -> None:
    points = trends_of(snapshot(30), TrendsQuery(Query(30), 14)).points
    assert [point.doc_sync.total for point in points] == [sum(range(1, 15)), sum(range(15, 29)), 29 + 30]
    assert points[2].doc_sync.success_rate == (14 + 15) / (29 + 30)
    assert points[2].workflow_actions.failed_rate == 0.5
    assert points[2].breakages.open_rate == 1 / 3


def shown(trends: Trends) -> list[tuple[str, bool, int]]:
    """Where each point begins, whether it is partial, and its jobs."""
    return [(f"{each.bucket_start:%d %H:%M}", each.partial, each.doc_sync.total) for each in trends.points]


def hourly(instant: datetime, *newest: int) -> Snapshot:
    """A snapshot of a day: so many jobs in its newest cells, as many runs, and twice as many incidents."""
    cells = len(hour_edges(UTC_ZONE, int(instant.timestamp())))
    counts = (*[0] * (cells - len(newest)), *newest)
    return replace(
        NOTHING,
        instant=instant,
        doc_sync=replace(NOTHING.doc_sync, by_hour=tuple(map(DocSyncDay, counts))),
        workflow_actions=replace(NOTHING.workflow_actions, by_hour=tuple(map(WorkflowActionsDay, counts))),
        breakages=replace(NOTHING.breakages, by_hour=tuple(BreakagesDay(2 * each) for each in counts)),
    )


def test_by_the_clock_points_begin_at_midnights_or_at_those_of_mondays() -> None:
    days = trends_of(SNAPSHOT, TrendsQuery(SNAPSHOT.query, 1, "clock"))
    assert (len(days.points), days.bucket_days, days.bucket_hours) == (15, 1, None)
    assert shown(days)[:3] == [("24 09:30", True, 7), ("25 00:00", False, 3), ("26 00:00", False, 0)]
    assert shown(days)[-2:] == [("09 00:00", False, 0), ("10 00:00", True, 8)]
    weeks = trends_of(SNAPSHOT, TrendsQuery(SNAPSHOT.query, 7, "clock"))
    assert shown(weeks) == [("24 09:30", True, 10), ("02 00:00", False, 0), ("09 00:00", True, 8)]


def test_by_the_hour_points_begin_at_whole_hours_of_the_clock() -> None:
    trends = trends_of(hourly(INSTANT, 1, 20, 300, 4000), TrendsQuery(Query(1), 1, "clock", 6))
    assert (trends.bucket_days, trends.bucket_hours) == (None, 6)
    assert shown(trends) == [
        *(("09 09:30", True, 0), ("09 12:00", False, 0), ("09 18:00", False, 0)),
        *(("10 00:00", False, 0), ("10 06:00", True, 4321)),
    ]
    assert [point.workflow_actions.total for point in trends.points] == [0, 0, 0, 0, 4321]
    assert [point.breakages.total for point in trends.points] == [0, 0, 0, 0, 8642]


def test_on_a_whole_hour_what_is_dated_after_it_is_in_the_newest_point() -> None:
    snapshot = hourly(INSTANT.replace(minute=0), 1, 20, 300)
    points = shown(trends_of(snapshot, TrendsQuery(Query(1), 1, "clock", 1)))
    assert len(points) == 24
    assert points[0] == ("09 09:00", False, 0)
    assert points[-2:] == [("10 07:00", False, 1), ("10 08:00", False, 320)]
