"""Every kind of answer made of one snapshot, compared to the letter with a file in `expected/`."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from service.overview.alerts import alerts_of
from service.overview.export import export
from service.overview.failures import (
    FailedJob,
    FailedJobs,
    FailedRun,
    FailedRuns,
    doc_sync_failures,
    workflow_failures,
)
from service.overview.prometheus import prometheus_text
from service.overview.query import AlertsQuery, PageQuery
from service.overview.summary import summarize
from service.overview.trends import trends_of
from tests.support.snapshots import INSTANT, QUERY, SNAPSHOT, THRESHOLDS

EXPECTED = Path(__file__).parent / "expected"
SUMMARY = summarize(SNAPSHOT, THRESHOLDS)
YESTERDAY = datetime(2026, 3, 9, 12, tzinfo=UTC)
JOB = FailedJob("J1", "document_sync_push", "failed", 3, 5, "böse", "key", "S1", YESTERDAY)
RUN = FailedRun(
    *("R1", "rule", "object", "Part", "Draft", "Released", "after", "failed"),
    *(2, '{"code":[1]}', None, YESTERDAY - timedelta(microseconds=1)),
)

Made = Callable[[], object]
MADE: dict[str, Made] = {
    "summary.json": lambda: SUMMARY,
    "trends.json": lambda: trends_of(SNAPSHOT, 7),
    "alerts.json": lambda: alerts_of(SUMMARY, AlertsQuery(QUERY, None)),
    "alerts_warn.json": lambda: alerts_of(SUMMARY, AlertsQuery(QUERY, "warn")),
    "failed_jobs.json": lambda: doc_sync_failures(FailedJobs(41, (JOB,)), PageQuery(7, "S1", 3, 20), INSTANT),
    "failed_runs.json": lambda: workflow_failures(
        FailedRuns(2, (RUN,)), PageQuery(30, "Part", 1, 1), INSTANT
    ),
    "export.json": lambda: export(SUMMARY, "json"),
    "export.csv": lambda: export(SUMMARY, "csv"),
    "export.md": lambda: export(SUMMARY, "md"),
    "metrics.txt": lambda: prometheus_text(SUMMARY, QUERY),
}


def written(made: object) -> bytes:
    """What is sent of it: bytes as they are, and all else as JSON, here on lines."""
    if isinstance(made, bytes):
        return made
    return msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n"


@pytest.mark.parametrize("name", MADE)
def test_an_answer_is_what_it_is_expected_to_be_to_the_letter(name: str) -> None:
    assert written(MADE[name]()).decode() == (EXPECTED / name).read_bytes().decode()
