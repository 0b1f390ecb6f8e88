"""Every kind of answer made of one snapshot, compared to the letter with a file in `expected/`."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from service.overview.alerts import alerts_of
from service.overview.budgets import budgets_of, each_of
from service.overview.export import SUMMARY_FILE, TRENDS_FILE, summary_table, trends_table
from service.overview.failures import (
    FailedJob,
    FailedJobs,
    FailedRuns,
    KeptRun,
    OpenIncident,
    OpenIncidents,
    doc_sync_failures,
    workflow_failures,
)
from service.overview.files import FORMATS, written
from service.overview.prometheus import MEDIA_TYPE, prometheus_text
from service.overview.query import AlertsQuery, PageQuery, TrendsQuery
from service.overview.slo import Thresholds
from service.overview.summary import Summary, summarize
from service.overview.trends import trends_of
from service.report import report
from tests.support.reports import found
from tests.support.snapshots import INSTANT, NOTHING, QUERY, QUIET, SNAPSHOT, THRESHOLDS

INCIDENT = OpenIncident("I1", "Leak\nat the seal", None, "high", datetime(2026, 3, 9, tzinfo=UTC))
EXPECTED = Path(__file__).parent / "expected"
YESTERDAY = datetime(2026, 3, 9, 12, tzinfo=UTC)
JOB = FailedJob("J1", "document_sync_push", "failed", 3, 5, "böse", "key", "S1", YESTERDAY, "push")
RUN = KeptRun(
    *("R1", "rule", "object", "Part", "Draft", "Released", "after", "failed"),
    *(2, '{"code":[1]}', None, YESTERDAY - timedelta(microseconds=1)),
)
FOUND = found(
    replace(SNAPSHOT, degraded=()),
    jobs=FailedJobs(41, (JOB, replace(JOB, site_id=None, last_error=None)), ("böse: Zeile 2", None)),
    runs=FailedRuns(2, (RUN,), (None,)),
    incidents=OpenIncidents(5, (INCIDENT,)),
)


def summary() -> Summary:
    return summarize(SNAPSHOT, THRESHOLDS)


def summary_file(export_format: str) -> bytes:
    return written(summary_table(summary()), export_format)


def trends_file(export_format: str) -> bytes:
    return written(trends_table(trends_of(SNAPSHOT, TrendsQuery(SNAPSHOT.query, 7))), export_format)


Made = Callable[[], object]
MADE: dict[str, Made] = {
    "summary.json": summary,
    "summary_of_nothing.json": lambda: summarize(NOTHING, Thresholds()),
    "summary_of_quiet.json": lambda: summarize(QUIET, Thresholds()),
    "trends.json": lambda: trends_of(SNAPSHOT, TrendsQuery(SNAPSHOT.query, 7)),
    "alerts.json": lambda: alerts_of(summary(), AlertsQuery(QUERY, None)),
    "alerts_of_nothing.json": lambda: alerts_of(
        summarize(NOTHING, Thresholds()), AlertsQuery(NOTHING.query, "info")
    ),
    "alerts_warn.json": lambda: alerts_of(summary(), AlertsQuery(QUERY, "warn")),
    "failed_jobs.json": lambda: doc_sync_failures(FailedJobs(41, (JOB,)), PageQuery(7, "S1", 3, 20), INSTANT),
    "failed_runs.json": lambda: workflow_failures(
        FailedRuns(2, (RUN,)), PageQuery(30, "Part", 1, 1), INSTANT
    ),
    **{f"export.{name}": partial(summary_file, name) for name in FORMATS},
    **{f"trends_export.{name}": partial(trends_file, name) for name in FORMATS},
    "report.md": lambda: report.written(FOUND, "en", THRESHOLDS),
    "report.zh.md": lambda: report.written(FOUND, "zh", THRESHOLDS),
    "report_of_nothing.md": lambda: report.written(found(NOTHING), "en", Thresholds()),
    "metrics.txt": lambda: prometheus_text(summary(), each_of(SNAPSHOT, THRESHOLDS), QUERY),
    "budgets.json": lambda: budgets_of(SNAPSHOT, THRESHOLDS),
    "budgets_of_nothing.json": lambda: budgets_of(NOTHING, Thresholds()),
    "trends_by_clock.json": lambda: trends_of(SNAPSHOT, TrendsQuery(SNAPSHOT.query, 7, "clock")),
}


def sent(made: object) -> bytes:
    """What is sent of it: bytes as they are, and all else as JSON, here on lines."""
    if isinstance(made, bytes):
        return made
    return msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n"


@pytest.mark.parametrize("name", MADE)
def test_an_answer_is_what_it_is_expected_to_be_to_the_letter(name: str) -> None:
    assert sent(MADE[name]()).decode() == (EXPECTED / name).read_bytes().decode()


def test_files_and_texts_are_of_the_kinds_that_they_are_said_to_be() -> None:
    assert {name: kind.media_type for name, kind in FORMATS.items()} == {
        "json": "application/json",
        "csv": "text/csv; charset=utf-8",
        "md": "text/markdown; charset=utf-8",
    }
    assert (SUMMARY_FILE, TRENDS_FILE) == ("parallel-ops-summary", "parallel-ops-trends")
    assert MEDIA_TYPE == "text/plain; version=0.0.4; charset=utf-8"
