"""One snapshot in which no two figures are the same, and what is made of it."""

from datetime import UTC, datetime

from service.overview.query import Filters, Query
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
from service.overview.slo import Threshold, Thresholds

INSTANT = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
QUERY = Query(14, Filters(site_id="S1", target_object="Part", template_key="pump"))
# A cell an hour, and one at each of the two edges that no hour has.
CELLS = 7 * 24 + 2
THRESHOLDS = Thresholds(workflow_failed_rate=Threshold(0.02, 0.1))

SNAPSHOT = Snapshot(
    instant=INSTANT,
    query=QUERY,
    doc_sync=DocSync(
        days=(DocSyncDay(10, 6, 3, 1, 4, 5), *[DocSyncDay()] * 12, DocSyncDay(8, 3, 4, 2, 8)),
        by_clock=(
            DocSyncDay(7, 4, 2, 1, 4),
            DocSyncDay(3, 2, 1, 0, 0, 5),
            *[DocSyncDay()] * 12,
            DocSyncDay(8, 3, 4, 2, 8),
        ),
        by_hour=(*[DocSyncDay()] * (CELLS - 3), DocSyncDay(5, 1, 3, 2), DocSyncDay(), DocSyncDay(3, 2, 1)),
        before=DocSyncDay(16, 12, 2, 1),
        month=DocSyncDay(40, 25, 9, 4),
        worst=((None, DocSyncDay(6, 1, 5, 2)), ("S|2", DocSyncDay(4, 3, 1))),
        by_status={"completed": 9, "failed": 7, "pending": 2},
        attempts=25,
        oldest_reading=int(INSTANT.timestamp()) - 615,
    ),
    workflow_actions=WorkflowActions(
        days=(WorkflowActionsDay(5, 1), *[WorkflowActionsDay()] * 12, WorkflowActionsDay(15, 2)),
        by_clock=(WorkflowActionsDay(5, 1), *[WorkflowActionsDay()] * 13, WorkflowActionsDay(15, 2)),
        by_hour=(
            *[WorkflowActionsDay()] * (CELLS - 3),
            *[WorkflowActionsDay(5, 1)] * 2,
            WorkflowActionsDay(5),
        ),
        before=WorkflowActionsDay(50, 2),
        month=WorkflowActionsDay(100, 6),
        worst=(("ECO", WorkflowActionsDay(11, 3)),),
        by_status={"completed": 16, "failed": 3, "warning": 1},
        by_result_code={"E|1": 4, "OK": 15},
        warnings=1,
        oldest_reading=int(INSTANT.timestamp()) - 630,
    ),
    breakages=Breakages(
        days=(BreakagesDay(2, 1), *[BreakagesDay()] * 12, BreakagesDay(6, 4)),
        by_clock=(BreakagesDay(2, 1), *[BreakagesDay()] * 13, BreakagesDay(6, 4)),
        before=BreakagesDay(8, 1),
        by_status={"closed": 3, "open": 5},
        by_severity={"high": 1, "low": 7},
        by_responsibility={"QA": 8},
        repeated=2,
        oldest_reading=int(INSTANT.timestamp()) - 600,
    ),
    consumption_templates=ConsumptionTemplates(9, 4, 6, ("a", "b"), ("c",)),
    overlay_cache=OverlayCache(
        entries=11,
        hits=30,
        misses=20,
        evictions=7,
        ttl_seconds=300,
        max_entries=1000,
        by_hour=(*[Lookups()] * 166, Lookups(10, 0), Lookups(2, 8)),
        before=Lookups(9, 1),
        month=Lookups(60, 40),
    ),
    degraded=("something",),
)

NOTHING = Snapshot(
    instant=INSTANT,
    query=Query(1),
    doc_sync=DocSync((DocSyncDay(),), {}, 0),
    workflow_actions=WorkflowActions((WorkflowActionsDay(),), {}, {}, 0),
    breakages=Breakages((BreakagesDay(),), {}, {}, {}, 0),
    consumption_templates=ConsumptionTemplates(0, 0, 0, (), ()),
    overlay_cache=OverlayCache(),
)
# Rows, and none of them completed, failed, a warning or open.
QUIET = Snapshot(
    instant=INSTANT,
    query=Query(1),
    doc_sync=DocSync((DocSyncDay(total=4),), {"pending": 4}, 0),
    workflow_actions=WorkflowActions((WorkflowActionsDay(total=3),), {"skipped": 3}, {}, 0),
    breakages=Breakages((BreakagesDay(total=2),), {"closed": 2}, {}, {}, 0),
    consumption_templates=ConsumptionTemplates(0, 0, 0, (), ()),
    overlay_cache=OverlayCache(hits=9),
)
