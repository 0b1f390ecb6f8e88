"""A small summary for the tests of what is made from one."""

from datetime import UTC, datetime

from service.overview.query import Query
from service.overview.sections import (
    Breakages,
    BreakagesDay,
    ConsumptionTemplates,
    DocSync,
    DocSyncDay,
    OverlayCache,
    Snapshot,
    WorkflowActions,
    WorkflowActionsDay,
)
from service.overview.slo import Hint, Thresholds
from service.overview.summary import Summary, summarize

INSTANT = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)


def summary(
    by_status: dict[str, int] | None = None,
    by_result_code: dict[str, int] | None = None,
    hints: tuple[Hint, ...] = (),
) -> Summary:
    """A week with these maps, sorted, and these hints; all else is empty."""
    statuses, codes = (dict(sorted((counts or {}).items())) for counts in (by_status, by_result_code))
    snapshot = Snapshot(
        instant=INSTANT,
        query=Query(7),
        doc_sync=DocSync((DocSyncDay(),) * 7, statuses, 0),
        workflow_actions=WorkflowActions((WorkflowActionsDay(),) * 7, {}, codes),
        breakages=Breakages((BreakagesDay(),) * 7, {}, {}, {}, 0),
        consumption_templates=ConsumptionTemplates(0, 0, 0, (), ()),
        overlay_cache=OverlayCache(),
    )
    made = summarize(snapshot, Thresholds())
    fields = {name: getattr(made, name) for name in made.__struct_fields__}
    return Summary(**{**fields, "slo_hints": hints})
