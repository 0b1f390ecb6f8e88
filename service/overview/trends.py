"""Trends: the cells of one snapshot, grouped into buckets.

Bucket edges are whole days before the snapshot's instant, or beginnings by the clock; so every bucket is a
run of cells, and no figure is estimated.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from zoneinfo import ZoneInfo

from msgspec import Struct

from service.overview.clock import DAY_SECONDS, day_edges, hour_edges, is_midnight, is_monday, is_whole_hour
from service.overview.query import Align, Filters, TrendsQuery
from service.overview.sections import BreakagesDay, DocSyncDay, Snapshot, WorkflowActionsDay
from service.overview.summary import (
    ConsumptionTemplatesSummary,
    OverlayCacheSummary,
    by_direction,
    consumption_templates_summary,
    overlay_cache_summary,
    rate,
    sums,
)
from service.overview.times import Instant


class DocSyncPoint(Struct, frozen=True):
    """Document sync jobs of one bucket."""

    total: int
    failed_total: int
    dead_letter_total: int
    success_rate: float | None
    dead_letter_rate: float | None
    by_direction: dict[str, int]


class WorkflowActionsPoint(Struct, frozen=True):
    """Workflow custom action runs of one bucket."""

    total: int
    failed_total: int
    failed_rate: float | None


class BreakagesPoint(Struct, frozen=True):
    """Breakage incidents of one bucket."""

    total: int
    open_total: int
    open_rate: float | None


class TrendPoint(Struct, frozen=True):
    """One bucket [bucket_start, bucket_end); partial when it is clipped at window_since or generated_at."""

    bucket_start: Instant
    bucket_end: Instant
    partial: bool
    doc_sync: DocSyncPoint
    workflow_actions: WorkflowActionsPoint
    breakages: BreakagesPoint


class TrendAggregates(Struct, frozen=True):
    """The sums over all points; they equal the summary's totals of the same snapshot."""

    doc_sync_total: int
    doc_sync_failed_total: int
    doc_sync_dead_letter_total: int
    workflow_total: int
    workflow_failed_total: int
    breakages_total: int
    breakages_open_total: int


class Trends(Struct, frozen=True):
    """The window's course in buckets, oldest first, without the caller's operator_id."""

    generated_at: Instant
    window_days: int
    window_since: Instant
    bucket_days: int | None
    filters: Filters
    points: tuple[TrendPoint, ...]
    aggregates: TrendAggregates
    consumption_templates: ConsumptionTemplatesSummary
    overlay_cache: OverlayCacheSummary
    oldest_reading: Instant
    align: Align
    bucket_hours: int | None
    time_zone: str
    degraded: tuple[str, ...]


class _Cells(Struct, frozen=True):
    """Where each cell begins, in Unix seconds, and what is counted in it."""

    edges: Sequence[int]
    jobs: Sequence[DocSyncDay]
    runs: Sequence[WorkflowActionsDay]
    incidents: Sequence[BreakagesDay]


def trends_of(snapshot: Snapshot, trends: TrendsQuery) -> Trends:
    """The trends of a snapshot in the buckets that are asked for."""
    query = snapshot.query
    return Trends(
        generated_at=snapshot.instant,
        window_days=query.window_days,
        window_since=snapshot.window_since,
        bucket_days=None if trends.bucket_hours else trends.bucket_days,
        filters=query.filters,
        points=tuple(_points(snapshot, trends)),
        aggregates=_aggregates(snapshot),
        consumption_templates=consumption_templates_summary(
            snapshot.consumption_templates, query.filters.template_key
        ),
        overlay_cache=overlay_cache_summary(snapshot.overlay_cache),
        oldest_reading=snapshot.oldest_reading,
        align=trends.align,
        bucket_hours=trends.bucket_hours,
        time_zone=snapshot.zone.key,
        degraded=snapshot.degraded,
    )


def _points(snapshot: Snapshot, trends: TrendsQuery) -> Iterator[TrendPoint]:
    cells = _cells(snapshot, trends)
    since, end = cells.edges[0], int(snapshot.instant.timestamp())
    begins = _beginnings(snapshot.zone, since, trends)
    firsts = [
        number for number, edge in enumerate(cells.edges) if edge == since or (begins(edge) and edge < end)
    ]
    instants = pairwise([*(_instant(cells.edges[first]) for first in firsts), _instant(end)])
    runs = pairwise([*firsts, len(cells.edges)])
    for (first, last), (bucket_start, bucket_end) in zip(runs, instants, strict=True):
        is_last = last == len(cells.edges)
        yield TrendPoint(
            bucket_start=bucket_start,
            bucket_end=bucket_end,
            partial=(first == 0 and not begins(since)) or (is_last and not begins(end)),
            doc_sync=_doc_sync(cells.jobs[first:last]),
            workflow_actions=_workflow_actions(cells.runs[first:last]),
            breakages=_breakages(cells.incidents[first:last]),
        )


def _cells(snapshot: Snapshot, trends: TrendsQuery) -> _Cells:
    """The window's cells, of which the buckets are runs."""
    jobs, runs, incidents = snapshot.doc_sync, snapshot.workflow_actions, snapshot.breakages
    tick, days = int(snapshot.instant.timestamp()), snapshot.query.window_days
    since = tick - days * DAY_SECONDS
    if trends.align == "window":
        return _Cells(range(since, tick, DAY_SECONDS), jobs.days, runs.days, incidents.days)
    if trends.bucket_hours is None:
        edges = day_edges(snapshot.zone, tick, days)
        return _Cells(edges, jobs.by_clock, runs.by_clock, incidents.by_clock)
    edges = hour_edges(snapshot.zone, tick)
    first = edges.index(since)
    return _Cells(edges[first:], jobs.by_hour[first:], runs.by_hour[first:], incidents.by_hour[first:])


def _beginnings(zone: ZoneInfo, since: int, trends: TrendsQuery) -> Callable[[int], bool]:
    """Whether a bucket begins at an instant."""
    if trends.align == "window":
        return lambda instant: (instant - since) % (trends.bucket_days * DAY_SECONDS) == 0
    if trends.bucket_hours is not None:
        return partial(is_whole_hour, zone, every=trends.bucket_hours)
    return partial(is_midnight if trends.bucket_days == 1 else is_monday, zone)


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _doc_sync(days: Sequence[DocSyncDay]) -> DocSyncPoint:
    jobs = DocSyncDay(*sums(days))
    return DocSyncPoint(
        *(jobs.total, jobs.failed, jobs.dead_letters),
        *(rate(jobs.completed, jobs.total), rate(jobs.dead_letters, jobs.total)),
        by_direction(jobs),
    )


def _workflow_actions(days: Sequence[WorkflowActionsDay]) -> WorkflowActionsPoint:
    total, failed = sums(days)
    return WorkflowActionsPoint(total, failed, rate(failed, total))


def _breakages(days: Sequence[BreakagesDay]) -> BreakagesPoint:
    total, still_open = sums(days)
    return BreakagesPoint(total, still_open, rate(still_open, total))


def _aggregates(snapshot: Snapshot) -> TrendAggregates:
    jobs = DocSyncDay(*sums(snapshot.doc_sync.days))
    return TrendAggregates(
        *(jobs.total, jobs.failed, jobs.dead_letters),
        *sums(snapshot.workflow_actions.days),
        *sums(snapshot.breakages.days),
    )
