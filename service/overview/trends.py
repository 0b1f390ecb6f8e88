"""Trends: the day cells of one snapshot, grouped into buckets.

Window and bucket edges are whole days before the snapshot's instant, so every bucket is a run of
day cells and no figure is estimated.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from msgspec import Struct
from msgspec.structs import astuple

from service.overview.query import Filters
from service.overview.sections import BreakagesDay, DocSyncDay, Snapshot, WorkflowActionsDay
from service.overview.summary import (
    ConsumptionTemplatesSummary,
    OverlayCacheSummary,
    consumption_templates_summary,
    overlay_cache_summary,
    rate,
)
from service.overview.times import Instant


class DocSyncPoint(Struct, frozen=True):
    """Document sync jobs of one bucket."""

    total: int
    failed_total: int
    dead_letter_total: int
    success_rate: float | None
    dead_letter_rate: float | None


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
    """One bucket [bucket_start, bucket_end); partial when it is clipped at generated_at."""

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
    bucket_days: int
    filters: Filters
    points: tuple[TrendPoint, ...]
    aggregates: TrendAggregates
    consumption_templates: ConsumptionTemplatesSummary
    overlay_cache: OverlayCacheSummary
    oldest_reading: Instant
    degraded: tuple[str, ...]


def trends_of(snapshot: Snapshot, bucket_days: int) -> Trends:
    """The trends of a snapshot in buckets of `bucket_days`."""
    query = snapshot.query
    return Trends(
        generated_at=snapshot.instant,
        window_days=query.window_days,
        window_since=snapshot.window_since,
        bucket_days=bucket_days,
        filters=query.filters,
        points=tuple(_points(snapshot, bucket_days)),
        aggregates=_aggregates(snapshot),
        consumption_templates=consumption_templates_summary(
            snapshot.consumption_templates, query.filters.template_key
        ),
        overlay_cache=overlay_cache_summary(snapshot.overlay_cache),
        oldest_reading=snapshot.oldest_reading,
        degraded=snapshot.degraded,
    )


def _points(snapshot: Snapshot, bucket_days: int) -> Iterator[TrendPoint]:
    window_days = snapshot.query.window_days
    for first in range(0, window_days, bucket_days):
        last = min(first + bucket_days, window_days)
        yield TrendPoint(
            bucket_start=snapshot.window_since + timedelta(days=first),
            bucket_end=snapshot.window_since + timedelta(days=last),
            partial=last - first < bucket_days,
            doc_sync=_doc_sync(snapshot.doc_sync.days[first:last]),
            workflow_actions=_workflow_actions(snapshot.workflow_actions.days[first:last]),
            breakages=_breakages(snapshot.breakages.days[first:last]),
        )


def _doc_sync(days: tuple[DocSyncDay, ...]) -> DocSyncPoint:
    total, completed, failed, dead_letters = _sums(days)
    return DocSyncPoint(total, failed, dead_letters, rate(completed, total), rate(dead_letters, total))


def _workflow_actions(days: tuple[WorkflowActionsDay, ...]) -> WorkflowActionsPoint:
    total, failed = _sums(days)
    return WorkflowActionsPoint(total, failed, rate(failed, total))


def _breakages(days: tuple[BreakagesDay, ...]) -> BreakagesPoint:
    total, still_open = _sums(days)
    return BreakagesPoint(total, still_open, rate(still_open, total))


def _sums(days: Sequence[Struct]) -> Iterator[int]:
    """The sum of each field over the days."""
    return map(sum, zip(*map(astuple, days), strict=True))


def _aggregates(snapshot: Snapshot) -> TrendAggregates:
    jobs, _completed, failed, dead_letters = _sums(snapshot.doc_sync.days)
    return TrendAggregates(
        *(jobs, failed, dead_letters), *_sums(snapshot.workflow_actions.days), *_sums(snapshot.breakages.days)
    )
