"""What the API document shows as answers: made of a few made-up figures by what makes the real ones."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from service.api.responses.body import JSON, Body
from service.api.table import FAILED_JOBS, FAILED_RUNS, REPORT, Endpoint
from service.overview.failures import (
    FailedJob,
    FailedJobs,
    FailedRuns,
    KeptRun,
    OpenIncident,
    OpenIncidents,
)
from service.overview.query import Query
from service.overview.sections import (
    Breakages,
    BreakagesDay,
    ConsumptionTemplates,
    DocSync,
    DocSyncDay,
    Lookups,
    OverlayCache,
    Snapshot,
    WorkflowActions,
    WorkflowActionsDay,
)
from service.overview.slo import Thresholds
from service.report.found import Found
from service.snapshots import Dated

T = TypeVar("T")

OPERATOR_ID = 7
_QUERY = "window_days=7&bucket_days=7&export_format={export_format}"
_INSTANT = datetime(2026, 3, 10, 12, tzinfo=UTC)
_DAYS = 7
_SNAPSHOT = Snapshot(
    _INSTANT,
    Query(_DAYS),
    DocSync(
        *((DocSyncDay(40, 34, 4, 3, 25, 15),) * _DAYS, {"completed": 238, "failed": 28, "pending": 14}, 336),
        before=DocSyncDay(266, 252, 9, 6, 170, 96),
        month=DocSyncDay(1120, 1030, 52, 33, 700, 420),
        worst=(("SH-01", DocSyncDay(96, 75, 20, 17, 60, 36)), ("BJ-03", DocSyncDay(88, 80, 8, 4, 55, 33))),
    ),
    WorkflowActions(
        *((WorkflowActionsDay(30, 1),) * _DAYS, {"completed": 203, "failed": 7}),
        *({"OK": 203, "RETRY_EXHAUSTED": 5, "TIMEOUT": 2}, 0),
        before=WorkflowActionsDay(198, 2),
        month=WorkflowActionsDay(840, 12),
        worst=(("ECO", WorkflowActionsDay(70, 5)), ("Part", WorkflowActionsDay(140, 2))),
    ),
    Breakages(
        (BreakagesDay(5, 2),) * _DAYS,
        {"closed": 21, "open": 14},
        {"high": 8, "low": 27},
        {"supplier": 30, "unassigned": 5},
        6,
        before=BreakagesDay(28, 3),
        month=BreakagesDay(120, 20),
    ),
    ConsumptionTemplates(24, 9, 8, (), ("SOLDER-0012",)),
    OverlayCache(
        *(410, 5120, 640, 60, 300, 500),
        before=Lookups(4800, 420),
        month=Lookups(20500, 2300),
    ),
)
_JOB = FailedJob(
    id="5f0c1c1e-8d6b-4a52-9c0e-3f4f7a1c2b3d",
    task_type="document_sync_push",
    status="failed",
    attempt_count=3,
    max_attempts=3,
    last_error="HTTP 503 Service Unavailable",
    dedupe_key="document_sync_push:DOC-000042:A:SH-01",
    site_id="SH-01",
    created_at=_INSTANT - timedelta(minutes=5),
    direction="push",
)
_RUN = KeptRun(
    id="0b8f6a52-1d0e-4f5b-8a56-6f1f0e9d7c3a",
    rule_id="rule-push-erp",
    object_id="c2a4f5d8-7e3b-4b7c-9d1a-2f6e8b0c4d5e",
    target_object="ECO",
    from_state="review",
    to_state="approved",
    trigger_phase="after",
    status="failed",
    attempts=3,
    result_code='"RETRY_EXHAUSTED"',
    last_error="action timed out after 5 s (attempt 3 of 3)",
    created_at=_INSTANT - timedelta(minutes=9),
)
_INCIDENT = OpenIncident(
    id="9d1a2f6e-8b0c-4d5e-8a56-6f1f0e9d7c3a",
    description="Seal leaks under load",
    responsibility="supplier",
    severity="high",
    created_at=_INSTANT - timedelta(hours=2),
)
_JOBS, _RUNS = FailedJobs(1, (_JOB,)), FailedRuns(1, (_RUN,))


def _dated(value: T) -> Dated[T]:
    return Dated(value, int(_INSTANT.timestamp()), "hit")


_FOUND: dict[str, Any] = {
    REPORT.path: Found(_SNAPSHOT, _dated(_JOBS), _dated(_RUNS), _dated(OpenIncidents(1, (_INCIDENT,)))),
    FAILED_JOBS.path: _JOBS,
    FAILED_RUNS.path: _RUNS,
}


def answer_of(endpoint: Endpoint[Any], export_format: str | None, body: Body) -> Any:  # noqa: ANN401
    """An answer of that endpoint as a client reads it: an object of JSON, or a text."""
    query = endpoint.parameters.read(_QUERY.format(export_format=export_format or "").encode())
    found = _dated(_FOUND.get(endpoint.path, _SNAPSHOT))
    viewed = endpoint.view(found, query, Thresholds())
    sent = viewed if isinstance(viewed, bytes) else msgspec.json.encode(viewed)
    if body.media_type != JSON:
        return sent.decode()
    answer = msgspec.json.decode(sent)
    return answer | {"operator_id": OPERATOR_ID} if body.operator_in == "body" else answer
