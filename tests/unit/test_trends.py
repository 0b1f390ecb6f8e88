"""Trends from day cells: buckets of every size, made of the same days."""

from datetime import timedelta
from itertools import pairwise
from math import ceil

import pytest
from msgspec.structs import replace

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
from service.overview.trends import trends_of
from tests.support.snapshots import INSTANT, NOTHING

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
