"""How much of the database's time may be taken: saved up for a minute at most, and paid back as long."""

import pytest

from service.readings.grid import Grid, days_of
from service.readings.plan import Listed, balance_of, budget_of, is_newest, needed_a_tick, smoothed

TODAY = 20_000
TICK = TODAY * 86_400 + 600


def test_what_is_left_and_what_came_since_may_be_taken_up_to_a_minutes_share() -> None:
    assert budget_of(1.0, 15, 0.25) == 4.75
    assert budget_of(-3.0, 4, 0.25) == -2.0
    assert budget_of(14.0, 4, 0.25) == 15.0
    assert budget_of(14.5, 4, 0.25) == budget_of(0.0, 1e9, 0.25) == 15.0


def test_what_was_taken_beyond_it_is_paid_back_up_to_a_minutes_share() -> None:
    assert balance_of(4.5, 1.5, 0.25) == 3.0
    assert balance_of(1.0, 3.0, 0.25) == -2.0
    assert balance_of(1.0, 16.0, 0.25) == balance_of(1.0, 1e9, 0.25) == -15.0


@pytest.mark.parametrize(
    ("before", "now", "cost"),
    [(None, 5.0, 5.0), (4.0, 3.0, 3.0), (4.0, 4.0, 4.0), (4.0, 6.0, 4.6), (4.0, 8.0, 5.2), (4.0, 100.0, 5.2)],
)
def test_a_cost_falls_at_once_and_rises_slowly(before: float | None, now: float, cost: float) -> None:
    assert smoothed(before, now) == pytest.approx(cost)


def test_at_each_tick_the_newest_days_are_needed_and_old_ones_in_their_turn() -> None:
    days, grid = days_of(TICK, 7), Grid(15, 60)
    jobs = {day: Listed(day, TICK, "", 2.0 if day < TODAY else 10.0) for day in days}
    runs = {day: Listed(day, TICK, "", 1.0) for day in days}
    assert needed_a_tick(grid, days, {"jobs": jobs}) == 12.0 + 2 * 24.0 / 8
    assert needed_a_tick(grid, days, {"jobs": jobs, "runs": runs}) == 18.0 + 2.0 + 2.0
    assert needed_a_tick(grid, days, {"jobs": {TODAY: jobs[TODAY]}}) == 10.0 + 2 * 10.0
    assert needed_a_tick(grid, days, {"jobs": {}}) == 0.0


@pytest.mark.parametrize(("day", "newest"), [(TODAY - 1, False), (TODAY, True), (TODAY + 1, True)])
def test_the_running_day_and_later_ones_are_the_newest(day: int, newest: bool) -> None:
    assert is_newest(day, TICK) is newest
