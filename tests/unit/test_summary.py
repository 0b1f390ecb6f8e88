"""Parts of a summary that are not known by themselves: of the window before, any section may be."""

from msgspec.structs import replace

from service.overview.sections import BreakagesDay, DocSyncDay, Lookups, WorkflowActionsDay
from service.overview.slo import Thresholds
from service.overview.summary import (
    BreakagesBefore,
    DocSyncBefore,
    OverlayCacheBefore,
    Previous,
    WorkflowActionsBefore,
    summarize,
    sums,
)
from tests.support.snapshots import NOTHING


def previous(
    jobs: DocSyncDay | None = None,
    runs: WorkflowActionsDay | None = None,
    incidents: BreakagesDay | None = None,
    overlay: Lookups | None = None,
) -> Previous | None:
    snapshot = replace(
        NOTHING,
        doc_sync=replace(NOTHING.doc_sync, before=jobs),
        workflow_actions=replace(NOTHING.workflow_actions, before=runs),
        breakages=replace(NOTHING.breakages, before=incidents),
        overlay_cache=replace(NOTHING.overlay_cache, before=overlay),
    )
    return summarize(snapshot, Thresholds()).previous


def test_of_the_window_before_each_section_is_told_that_is_known() -> None:
    jobs = DocSyncDay(8, 4, 2, 1)
    alone = previous(jobs)
    assert alone is not None
    assert alone.doc_sync == DocSyncBefore(8, 2, 1, 0.125, 0.5)
    assert (alone.workflow_actions, alone.breakages, alone.overlay_cache) == (None, None, None)
    whole = previous(jobs, WorkflowActionsDay(4, 1), BreakagesDay(2, 1), Lookups(3, 1))
    assert whole is not None
    assert whole.workflow_actions == WorkflowActionsBefore(4, 1, 0.25)
    assert whole.breakages == BreakagesBefore(2, 1, 0.5)
    assert whole.overlay_cache == OverlayCacheBefore(4, 0.75)


def test_nothing_is_told_of_a_window_before_of_which_no_jobs_are_known() -> None:
    assert previous() is None
    assert previous(None, WorkflowActionsDay(4, 1)) is None


def test_an_empty_window_before_is_known_and_has_no_rates() -> None:
    empty = previous(DocSyncDay(), WorkflowActionsDay(), BreakagesDay(), Lookups())
    assert empty is not None
    assert empty.doc_sync == DocSyncBefore(0, 0, 0, None, None)
    assert empty.workflow_actions == WorkflowActionsBefore(0, 0, None)
    assert empty.overlay_cache == OverlayCacheBefore(0, None)


def test_figures_add_up_over_days_of_which_there_may_be_one() -> None:
    days = [BreakagesDay(1, 2), BreakagesDay(10, 20), BreakagesDay(100, 200)]
    assert tuple(sums(days)) == (111, 222)
    assert tuple(sums(days[1:2])) == (10, 20)
