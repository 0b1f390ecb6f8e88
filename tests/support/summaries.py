"""A small summary for the tests of what is made from one."""

from msgspec.structs import replace

from service.overview.query import Query
from service.overview.slo import Hint, Thresholds
from service.overview.summary import Summary, summarize
from tests.support.snapshots import NOTHING


def summary(
    by_status: dict[str, int] | None = None,
    by_result_code: dict[str, int] | None = None,
    hints: tuple[Hint, ...] = (),
) -> Summary:
    """A week with these maps, sorted, and these hints; all else is empty."""
    statuses, codes = (dict(sorted((counts or {}).items())) for counts in (by_status, by_result_code))
    snapshot = replace(
        NOTHING,
        query=Query(7),
        doc_sync=replace(NOTHING.doc_sync, by_status=statuses),
        workflow_actions=replace(NOTHING.workflow_actions, by_result_code=codes),
    )
    return replace(summarize(snapshot, Thresholds()), slo_hints=hints)
