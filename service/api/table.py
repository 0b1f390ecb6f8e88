"""The table of endpoints: what routes, the replay, the API document and the demo's welcome are made from."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from msgspec import Struct

from service.api import parameters
from service.api.context import RequestContext
from service.api.parameters import Parameters
from service.api.responses.body import JSON, Body
from service.overview import markdown, prometheus
from service.overview.alerts import Alerts, alerts_of
from service.overview.budgets import Budgets, budgets_of, each_of
from service.overview.export import SUMMARY_FILE, TRENDS_FILE, summary_table, trends_table
from service.overview.failures import DocSyncFailures, WorkflowFailures, doc_sync_failures, workflow_failures
from service.overview.files import FORMATS, written
from service.overview.overrides import NO_OVERRIDES, Overrides
from service.overview.slo import Thresholds
from service.overview.summary import Summary, summarize
from service.overview.trends import Trends, trends_of
from service.report import report
from service.snapshots import Dated

Q = TypeVar("Q")

PREFIX = "/api/v1/parallel-ops"
TAGS = {
    "figures": "Totals, rates and hints of a window, of one moment for all five side tracks.",
    "files": "The same to keep, or to paste.",
    "failures": "The rows that failed, one by one.",
    "monitoring": "The same for Prometheus.",
}


class Endpoint(Struct, Generic[Q], frozen=True):
    """One row of the table.

    `tag` is one of TAGS. `bodies` are the kinds that it answers with, by export format where a query has one.
    `view` makes the answer, a struct or a text, of what was found for a query and the limits in force for it.
    `example` is a query string to try.
    """

    path: str
    tag: str
    summary: str
    parameters: Parameters[Q]
    bodies: dict[str | None, Body]
    view: Callable[[Dated[Any], Q, Thresholds], Struct | bytes]
    example: str = ""

    @property
    def try_it(self) -> str:
        """An address to try, below the service's own."""
        return f"{PREFIX}{self.path}{'?' if self.example else ''}{self.example}"

    def query(self, context: RequestContext) -> Q:
        """What the request asks for. Raises InvalidRequest."""
        return self.parameters.read(context.query_string)

    def body(self, query: Q) -> Body:
        """What kind of body the answer has."""
        return self.bodies[getattr(query, "export_format", None)]

    def overrides(self, query: Q) -> Overrides:
        """The limits that the request brings."""
        given: Overrides | None = getattr(query, "overrides", None)
        return given or NO_OVERRIDES


def _json(struct: type[Struct]) -> dict[str | None, Body]:
    return {None: Body(JSON, struct, operator_in="body")}


def _files(name: str, struct: type[Struct]) -> dict[str | None, Body]:
    return {
        ending: Body(
            kind.media_type, struct if kind.media_type == JSON else None, "header", f"{name}.{ending}"
        )
        for ending, kind in FORMATS.items()
    }


ENDPOINTS: tuple[Endpoint[Any], ...] = (
    SUMMARY := Endpoint(
        "/summary",
        "figures",
        "Totals, maps, rates and SLO hints of the window",
        parameters.SUMMARY,
        _json(Summary),
        lambda found, _, limits: summarize(found.value, limits),
        example="window_days=30",
    ),
    TRENDS := Endpoint(
        "/trends",
        "figures",
        "The window's course in buckets, with the sums over all of them",
        parameters.TRENDS,
        _json(Trends),
        lambda found, query, _: trends_of(found.value, query),
        example="window_days=7",
    ),
    ALERTS := Endpoint(
        "/alerts",
        "figures",
        "The SLO hints of the window: a status, counts by code, and one by one",
        parameters.ALERTS,
        _json(Alerts),
        lambda found, query, limits: alerts_of(summarize(found.value, limits), query),
    ),
    BUDGETS := Endpoint(
        "/budgets",
        "figures",
        "How much of each error budget of 30 days is spent, and how fast it goes",
        parameters.BUDGETS,
        _json(Budgets),
        lambda found, _, limits: budgets_of(found.value, limits),
    ),
    SUMMARY_EXPORT := Endpoint(
        "/summary/export",
        "files",
        "The summary as a file, to archive or to paste into the daily log",
        parameters.EXPORT,
        _files(SUMMARY_FILE, Summary),
        lambda found, query, limits: written(
            summary_table(summarize(found.value, limits)), query.export_format
        ),
        example="export_format=md",
    ),
    TRENDS_EXPORT := Endpoint(
        "/trends/export",
        "files",
        "The trends as a file, a row for each bucket: for a spreadsheet",
        parameters.TRENDS_EXPORT,
        _files(TRENDS_FILE, Trends),
        lambda found, query, _: written(trends_table(trends_of(found.value, query)), query.export_format),
        example="window_days=30&export_format=csv",
    ),
    REPORT := Endpoint(
        "/report",
        "files",
        "The state, its limits and the newest failures in words, for the daily log",
        parameters.REPORT,
        {None: Body(markdown.MEDIA_TYPE, None, "header", report.file_name, "inline")},
        lambda found, query, limits: report.written(found.value, query.lang, limits),
        example="lang=zh",
    ),
    FAILED_JOBS := Endpoint(
        "/doc-sync/failures",
        "failures",
        "The failed document sync jobs of the window, newest first",
        parameters.DOC_SYNC_FAILURES,
        _json(DocSyncFailures),
        lambda found, query, _: doc_sync_failures(found.value, query, found.instant),
        example="page_size=3",
    ),
    FAILED_RUNS := Endpoint(
        "/workflow/failures",
        "failures",
        "The failed workflow custom action runs of the window, newest first",
        parameters.WORKFLOW_FAILURES,
        _json(WorkflowFailures),
        lambda found, query, _: workflow_failures(found.value, query, found.instant),
        example="page_size=3",
    ),
    METRICS := Endpoint(
        "/metrics",
        "monitoring",
        "The summary's figures as Prometheus gauges",
        parameters.SUMMARY,
        {None: Body(prometheus.MEDIA_TYPE, operator_in="header")},
        lambda found, query, limits: prometheus.prometheus_text(
            summarize(found.value, limits), each_of(found.value, limits), query.snapshot, query.labels
        ),
    ),
)
