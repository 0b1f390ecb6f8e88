"""The seven endpoints: the table that routes and documents are made from, and their handlers."""

from typing import Any, Generic, TypeVar

from litestar import get
from msgspec import Struct
from msgspec.json import encode

from service.api import parameters
from service.api.access.admission import SCRAPED
from service.api.context import RequestContext
from service.api.dependencies import Context, GivenReplay, GivenSnapshots, GivenThresholds
from service.api.parameters import Parameters
from service.api.responses.body import JSON, Body
from service.api.responses.raw import RawResponse
from service.overview import export, prometheus
from service.overview.alerts import Alerts, alerts_of
from service.overview.failures import (
    DocSyncFailures,
    WorkflowFailures,
    doc_sync_failures,
    workflow_failures,
)
from service.overview.query import AlertsQuery, ExportQuery, PageQuery, Query, TrendsQuery
from service.overview.summary import Summary, summarize
from service.overview.trends import Trends, trends_of

Q = TypeVar("Q")

PREFIX = "/api/v1/parallel-ops"


class Endpoint(Struct, Generic[Q], frozen=True):
    """One row of the table. `bodies` are what it answers with, `example` is a query string to try."""

    path: str
    summary: str
    parameters: Parameters[Q]
    bodies: tuple[Body, ...]
    example: str = ""

    def query(self, context: RequestContext) -> Q:
        """What the request asks for. Raises InvalidRequest."""
        return self.parameters.read(context.query_string)


def _json(struct: type[Struct]) -> tuple[Body]:
    return (Body(JSON, struct, operator_in="body"),)


def _file(export_format: str, media_type: str) -> Body:
    struct = Summary if media_type == JSON else None
    return Body(media_type, struct, "header", f"{export.FILE_NAME}.{export_format}")


SUMMARY: Endpoint[Query] = Endpoint(
    "/summary",
    "Totals, maps, rates and SLO hints of the window",
    parameters.SNAPSHOT,
    _json(Summary),
    "window_days=30",
)
TRENDS: Endpoint[TrendsQuery] = Endpoint(
    "/trends",
    "The window's course in buckets, with the sums over all of them",
    parameters.TRENDS,
    _json(Trends),
    "window_days=7",
)
ALERTS: Endpoint[AlertsQuery] = Endpoint(
    "/alerts",
    "The SLO hints of the window: a status, counts by code, and one by one",
    parameters.ALERTS,
    _json(Alerts),
)
SUMMARY_EXPORT: Endpoint[ExportQuery] = Endpoint(
    "/summary/export",
    "The summary as a file, to archive or to paste into the daily log",
    parameters.EXPORT,
    tuple(_file(*item) for item in export.MEDIA_TYPES.items()),
    "export_format=md",
)
FAILED_JOBS: Endpoint[PageQuery] = Endpoint(
    "/doc-sync/failures",
    "The failed document sync jobs of the window, newest first",
    parameters.DOC_SYNC_FAILURES,
    _json(DocSyncFailures),
    "page_size=3",
)
FAILED_RUNS: Endpoint[PageQuery] = Endpoint(
    "/workflow/failures",
    "The failed workflow custom action runs of the window, newest first",
    parameters.WORKFLOW_FAILURES,
    _json(WorkflowFailures),
    "page_size=3",
)
METRICS: Endpoint[Query] = Endpoint(
    "/metrics",
    "The summary's figures as Prometheus gauges",
    parameters.SNAPSHOT,
    (Body(prometheus.MEDIA_TYPE),),
)
ENDPOINTS: tuple[Endpoint[Any], ...] = (
    *(SUMMARY, TRENDS, ALERTS, SUMMARY_EXPORT, FAILED_JOBS, FAILED_RUNS, METRICS),
)


@get(PREFIX + SUMMARY.path)
async def summary(
    context: Context, snapshots: GivenSnapshots, thresholds: GivenThresholds, replay: GivenReplay
) -> RawResponse:
    """How the five side tracks did in the window."""
    query = SUMMARY.query(context)
    found = await snapshots.get(query, context.now)
    return replay.answer(
        context, SUMMARY.bodies[0], found, lambda: encode(summarize(found.value, thresholds))
    )


@get(PREFIX + TRENDS.path)
async def trends(context: Context, snapshots: GivenSnapshots, replay: GivenReplay) -> RawResponse:
    """How they did from bucket to bucket."""
    query = TRENDS.query(context)
    found = await snapshots.get(query.snapshot, context.now)
    return replay.answer(
        context, TRENDS.bodies[0], found, lambda: encode(trends_of(found.value, query.bucket_days))
    )


@get(PREFIX + ALERTS.path)
async def alerts(
    context: Context, snapshots: GivenSnapshots, thresholds: GivenThresholds, replay: GivenReplay
) -> RawResponse:
    """What is past its threshold."""
    query = ALERTS.query(context)
    found = await snapshots.get(query.snapshot, context.now)
    return replay.answer(
        context,
        ALERTS.bodies[0],
        found,
        lambda: encode(alerts_of(summarize(found.value, thresholds), query)),
    )


@get(PREFIX + SUMMARY_EXPORT.path)
async def summary_export(
    context: Context, snapshots: GivenSnapshots, thresholds: GivenThresholds, replay: GivenReplay
) -> RawResponse:
    """The summary to keep."""
    query = SUMMARY_EXPORT.query(context)
    body = SUMMARY_EXPORT.bodies[list(export.MEDIA_TYPES).index(query.export_format)]
    found = await snapshots.get(query.snapshot, context.now)
    return replay.answer(
        context, body, found, lambda: export.export(summarize(found.value, thresholds), query.export_format)
    )


@get(PREFIX + FAILED_JOBS.path)
async def failed_jobs(context: Context, snapshots: GivenSnapshots, replay: GivenReplay) -> RawResponse:
    """Which document syncs failed."""
    query = FAILED_JOBS.query(context)
    found = await snapshots.failed_jobs(query, context.now)
    return replay.answer(
        context,
        FAILED_JOBS.bodies[0],
        found,
        lambda: encode(doc_sync_failures(found.value, query, found.instant)),
    )


@get(PREFIX + FAILED_RUNS.path)
async def failed_runs(context: Context, snapshots: GivenSnapshots, replay: GivenReplay) -> RawResponse:
    """Which workflow actions failed."""
    query = FAILED_RUNS.query(context)
    found = await snapshots.failed_runs(query, context.now)
    return replay.answer(
        context,
        FAILED_RUNS.bodies[0],
        found,
        lambda: encode(workflow_failures(found.value, query, found.instant)),
    )


@get(PREFIX + METRICS.path, opt=SCRAPED)
async def metrics(
    context: Context, snapshots: GivenSnapshots, thresholds: GivenThresholds, replay: GivenReplay
) -> RawResponse:
    """The summary for Prometheus."""
    query = METRICS.query(context)
    found = await snapshots.get(query, context.now)
    return replay.answer(
        context,
        METRICS.bodies[0],
        found,
        lambda: prometheus.prometheus_text(summarize(found.value, thresholds), query),
    )


HANDLERS = (summary, trends, alerts, summary_export, failed_jobs, failed_runs, metrics)
