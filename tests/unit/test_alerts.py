"""What is to be said of it all: the state that counts most, and rates that cannot be judged."""

from collections import Counter

import pytest
from msgspec.structs import replace

from service.overview.alerts import states, status_of, unjudged, why_unjudged
from service.overview.sections import Breakages, BreakagesDay
from service.overview.slo import OBJECTIVES, Hint, Level, Thresholds
from service.overview.summary import Summary, summarize
from tests.support.snapshots import NOTHING, QUIET

OVERLAY, DEAD_LETTERS, RUNS, OPEN = OBJECTIVES
NONE_UNJUDGED: Counter[str] = Counter()
ALL_UNJUDGED = Counter({"no_data": 3, "too_few": 1})


def hints(*levels: Level) -> tuple[Hint, ...]:
    return tuple(Hint(DEAD_LETTERS.code, level, "past its limit") for level in levels)


def of(*levels: Level, degraded: tuple[str, ...] = ()) -> Summary:
    return replace(summarize(QUIET, Thresholds()), slo_hints=hints(*levels), degraded=degraded)


@pytest.mark.parametrize(
    ("levels", "status"),
    [
        ((), "ok"),
        (("warn",), "warning"),
        (("critical",), "critical"),
        (("warn", "critical"), "critical"),
        (("critical", "warn"), "critical"),
        (("warn", "critical", "warn"), "critical"),
    ],
)
def test_the_status_is_that_of_the_gravest_hint_wherever_it_stands(
    levels: tuple[Level, ...], status: str
) -> None:
    assert status_of(hints(*levels)) == status


def test_what_counts_most_comes_first_and_fine_stands_only_for_itself() -> None:
    everything = of("critical", degraded=("overlay_cache",))
    assert states(everything, NONE_UNJUDGED, is_stale=True) == ("stale", "critical", "degraded")
    assert states(everything, ALL_UNJUDGED) == ("critical", "degraded")
    assert states(of("warn"), NONE_UNJUDGED) == ("warning",)
    assert states(of(degraded=("overlay_cache",)), NONE_UNJUDGED) == ("degraded",)
    assert states(of(), NONE_UNJUDGED, is_stale=True) == ("stale",)
    assert states(of(), NONE_UNJUDGED) == ("ok",)


def test_where_one_rate_can_be_judged_it_is_fine_and_where_none_can_nothing_is_known() -> None:
    assert states(of(), Counter({"no_data": 3})) == ("ok",)
    assert states(of(), Counter({"no_data": 2, "too_few": 2})) == ("none",)


def test_a_rate_of_nothing_has_no_data_and_one_of_fewer_than_the_least_is_of_too_few() -> None:
    limits = Thresholds(doc_sync_min_jobs=5, workflow_min_runs=3, breakage_min_incidents=2)
    quiet = summarize(QUIET, limits)  # 9 lookups, 4 jobs, 3 runs and 2 incidents
    found = [why_unjudged(each, quiet, limits) for each in (OVERLAY, DEAD_LETTERS, RUNS, OPEN)]
    assert found == ["too_few", "too_few", None, None]
    assert unjudged(quiet, limits) == {"too_few": 2}
    closed = Breakages((BreakagesDay(1),), {"closed": 1}, {}, {}, 0)
    nearly_nothing = summarize(replace(NOTHING, breakages=closed), limits)
    assert unjudged(nearly_nothing, limits) == {"no_data": 3, "too_few": 1}
