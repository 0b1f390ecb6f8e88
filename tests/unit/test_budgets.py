"""Error budgets: what is spent of them, and how fast, from figures whose answer is worked out by hand."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from service.overview.budgets import Budget, budgets_of, each_of
from service.overview.hourly import HOURS
from service.overview.prometheus import prometheus_text
from service.overview.query import Filters, Query
from service.overview.sections import Lookups, Snapshot, WorkflowActionsDay
from service.overview.slo import HINT_CODES, Threshold, Thresholds
from service.overview.summary import summarize
from tests.support.snapshots import NOTHING

INSTANT = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
DEFAULTS = Thresholds()
OF_NOTHING = {"1h": None, "6h": None, "1d": None, "3d": None, "7d": None}
Counts = tuple[int, int]


def runs(month: Counts | None, by_hour: dict[int, Counts] | None = None) -> Snapshot:
    """Runs and failures of 30 days, and of clock hours, by how many hours ago they were."""
    # The cells of an instant that no day begins at: half an hour of the first one, and the 168 hours, of
    # which the one that a day ago is in is cut.
    hours = [WorkflowActionsDay(*(by_hour or {}).get(ago, (0, 0))) for ago in reversed(range(HOURS))]
    cells = (WorkflowActionsDay(), *hours[:-24], WorkflowActionsDay(), *hours[-24:])
    section = replace(
        NOTHING.workflow_actions,
        by_hour=cells,
        month=None if month is None else WorkflowActionsDay(*month),
    )
    return replace(NOTHING, instant=INSTANT, workflow_actions=section)


def lookups(month: Counts, running: Counts) -> Snapshot:
    """Hits and misses of 30 days and of the running hour."""
    by_hour = (Lookups(),) * (HOURS - 1) + (Lookups(*running),)
    section = replace(NOTHING.overlay_cache, by_hour=by_hour, month=Lookups(*month))
    return replace(NOTHING, instant=INSTANT, overlay_cache=section)


def of_runs(snapshot: Snapshot, limit: float = 0.02) -> Budget:
    return each_of(snapshot, Thresholds(workflow_failed_rate=Threshold(limit)))[2]


def of_lookups(snapshot: Snapshot, limit: float = 0.8) -> Budget:
    return each_of(snapshot, Thresholds(overlay_cache_hit_rate=Threshold(limit)))[0]


def test_each_objective_that_is_told_by_the_hour_has_one() -> None:
    codes = [budget.code for budget in each_of(NOTHING, DEFAULTS)]
    assert codes == [
        "overlay_cache_hit_rate_low",
        "doc_sync_dead_letter_rate_high",
        "workflow_action_failed_rate_high",
    ]
    assert set(codes) < set(HINT_CODES)


def test_a_quarter_is_spent_and_the_rest_lasts_as_long_as_today_goes_on() -> None:
    """1,000 runs of which 20 may fail, and 5 did; of the last day's 50, 1: just as many as may."""
    found = of_runs(runs((1000, 5), {0: (10, 0), 4: (40, 1)}))
    assert found == Budget(
        code="workflow_action_failed_rate_high",
        limit=0.02,
        window_days=30,
        total=1000,
        failed=5,
        allowed=20.0,
        spent=0.25,
        burn_rates={"1h": 0.0, "6h": 1.0, "1d": 1.0, "3d": 1.0, "7d": 1.0},
        exhausted_in_hours=540.0,  # three quarters of 720
    )


def test_each_burn_rate_is_of_its_own_hours_and_of_none_before_them() -> None:
    """1 run each where a span begins, and an hour before it; those that begin a span fail."""
    firsts = {0: (1, 1), 5: (1, 1), 23: (1, 1), 71: (1, 1), 167: (1, 1)}
    befores = {1: (1, 0), 6: (1, 0), 24: (1, 0), 72: (1, 0)}
    found = of_runs(runs(None, firsts | befores), limit=0.5).burn_rates
    assert found == pytest.approx(
        {"1h": 2, "6h": 2 * 2 / 3, "1d": 2 * 3 / 5, "3d": 2 * 4 / 7, "7d": 2 * 5 / 9}
    )


def test_hours_without_data_have_no_burn_rate_and_change_no_other() -> None:
    found = of_runs(runs((10, 1), {30: (8, 4)}), limit=0.25).burn_rates
    assert found == {"1h": None, "6h": None, "1d": None, "3d": 2.0, "7d": 2.0}


def test_misses_spend_what_is_not_promised_of_lookups() -> None:
    """Of 100 lookups 20 may miss: a fifth, and not the 0.19999999999999996 that 1 - 0.8 is in floats."""
    found = of_lookups(lookups((80, 20), running=(6, 4)))
    assert (found.limit, found.total, found.failed, found.allowed, found.spent) == (0.2, 100, 20, 20.0, 1.0)
    assert found.burn_rates == {"1h": 2.0, "6h": 2.0, "1d": 2.0, "3d": 2.0, "7d": 2.0}


@pytest.mark.parametrize(
    ("failed", "of_the_day", "hours"),
    [
        (0, (100, 0), None),  # nothing fails any more
        (0, (0, 0), None),  # nothing comes any more
        (20, (100, 0), 0.0),  # all is spent, and
        (50, (0, 0), 0.0),  # more than all
        (10, (100, 1), 720.0),  # half of it left, and half a budget's pace
        (10, (100, 40), 18.0),
    ],
)
def test_when_a_budget_is_exhausted(failed: int, of_the_day: Counts, hours: float | None) -> None:
    assert of_runs(runs((1000, failed), {3: of_the_day})).exhausted_in_hours == hours


def test_a_budget_is_spent_by_just_as_many_as_may_fail() -> None:
    """In floats 0.07 times 100 is 7.000000000000001, and 7 would not have spent it."""
    found = of_runs(runs((100, 7), {0: (100, 7)}), limit=0.07)
    assert (found.allowed, found.spent, found.burn_rates["1h"]) == (7.0, 1.0, 1.0)


def test_nothing_at_all_is_no_data_and_never_0() -> None:
    found = of_runs(runs((0, 0)))
    assert (found.total, found.failed, found.allowed) == (0, 0, 0.0)
    assert (found.spent, found.exhausted_in_hours, found.burn_rates) == (None, None, OF_NOTHING)


def test_what_could_not_be_had_is_null() -> None:
    for found in (of_runs(runs(None)), of_lookups(replace(NOTHING, degraded=("overlay_cache",)))):
        assert (found.total, found.failed, found.allowed) == (None, None, None)
        assert (found.spent, found.exhausted_in_hours, found.burn_rates) == (None, None, OF_NOTHING)


def test_of_nothing_that_may_fail_no_part_can_be_told() -> None:
    failing = {0: (3, 3)}
    for found in (of_runs(runs((10, 3), failing), limit=0.0), of_lookups(lookups((7, 3), (1, 1)), limit=1.0)):
        assert (found.limit, found.total, found.failed, found.allowed) == (0.0, 10, 3, 0.0)
        assert (found.spent, found.exhausted_in_hours, found.burn_rates) == (None, None, OF_NOTHING)


def test_of_next_to_nothing_that_may_fail_no_part_can_be_told_either() -> None:
    budget = of_runs(runs((100, 50), {0: (100, 50)}), limit=2.225073858507e-311)
    assert (budget.spent, budget.burn_rates["1h"], budget.burn_rates["7d"]) == (None, None, None)


def test_where_everything_may_fail_all_of_it_is_spent_when_all_has() -> None:
    found = of_lookups(lookups((0, 8), running=(1, 1)), limit=0.0)
    assert (found.limit, found.allowed, found.spent, found.burn_rates["1h"]) == (1.0, 8.0, 1.0, 0.5)


def test_the_answer_says_of_what_and_as_of_when_it_is() -> None:
    snapshot = replace(runs((1, 0)), query=Query(30, Filters("S1", "Part")), degraded=("overlay_cache",))
    found = budgets_of(snapshot, DEFAULTS)
    assert (found.filters.site_id, found.filters.target_object) == ("S1", "Part")
    assert (found.generated_at, found.oldest_reading, found.degraded) == (
        INSTANT,
        INSTANT,
        ("overlay_cache",),
    )
    assert found.budgets == each_of(snapshot, DEFAULTS)


def test_gauges_are_the_budgets_and_nan_without_data() -> None:
    found = _gauges(runs((1000, 5), {0: (10, 0), 4: (40, 1)}))
    own = 'code="workflow_action_failed_rate_high"'
    assert found[f'slo_budget_spent_ratio{{{own},window_days="1"}}'] == "0.25"
    burn_rates = {over: found[f'slo_burn_rate{{{own},over="{over}",window_days="1"}}'] for over in OF_NOTHING}
    assert burn_rates == {"1h": "0.0", "6h": "1.0", "1d": "1.0", "3d": "1.0", "7d": "1.0"}
    others = {value for name, value in found.items() if own not in name}
    assert (len(found), others) == (3 * 6, {"NaN"})


def _gauges(snapshot: Snapshot) -> dict[str, Any]:
    text = prometheus_text(summarize(snapshot, DEFAULTS), each_of(snapshot, DEFAULTS), snapshot.query)
    lines = [line for line in text.decode().splitlines() if "slo_bu" in line and not line.startswith("#")]
    return dict(line.removeprefix("yuantus_parallel_").rsplit(" ", 1) for line in lines)
