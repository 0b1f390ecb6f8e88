"""The grid of days: which days a window touches, and where a day is cut for the ticks to come."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from service.readings.grid import Grid, Window, cells_before, day_of, days_of, is_cut_for

DAY = 86_400
TODAY = 20_000
MIDNIGHT = TODAY * DAY
GRIDS = [Grid(15, 900), Grid(60, 900), Grid(3600, 6 * 3600), Grid(7, 100), Grid(1, 5), Grid(60, 0.5)]
TICKS = [MIDNIGHT + about for about in (0, 1, 45_000, DAY - 1, DAY - 60, -30)]


def test_a_day_begins_at_midnight_and_has_all_of_its_seconds() -> None:
    assert [day_of(MIDNIGHT + second) for second in (-1, 0, 1, DAY - 1, DAY)] == [
        *(TODAY - 1, TODAY, TODAY, TODAY, TODAY + 1)
    ]


@pytest.mark.parametrize("window_days", [1, 7, 90])
@pytest.mark.parametrize("second", [0, 1, DAY - 1])
def test_a_window_touches_one_day_more_than_it_has(second: int, window_days: int) -> None:
    days = days_of(MIDNIGHT + second, window_days)
    assert (days[0], days[-1], len(days)) == (TODAY - window_days, TODAY, window_days + 1)


@pytest.mark.parametrize(
    ("refresh", "old_days_seconds", "horizon"),
    [
        *((15, 900, 900), (15, 914.9, 900), (15, 899.9, 885), (15, 60, 60), (15, 30, 30), (15, 29.9, 15)),
        *((15, 15, 15), (15, 14, 15), (15, 0.1, 15), (7, 900, 896), (3600, 21_600, 21_600)),
        # A reading is cut for 240 ticks at most.
        *((15, 3600, 3600), (15, 3614, 3600), (15, 3615, 3600), (1, 21_600, 240), (60, 21_600, 14_400)),
    ],
)
def test_the_horizon_is_whole_ticks_one_at_least_and_no_longer_than_old_days_may_be(
    refresh: int, old_days_seconds: float, horizon: int
) -> None:
    assert Grid(refresh, old_days_seconds).horizon == horizon


def test_a_day_is_cut_at_the_times_of_day_of_the_ticks_up_to_the_horizon() -> None:
    assert old_cuts(Grid(15, 60), MIDNIGHT + 30) == (30, 45, 60, 75, 90)


def test_a_cut_at_midnight_is_none_and_those_after_it_come_first() -> None:
    assert old_cuts(Grid(15, 60), MIDNIGHT - 30) == (15, 30, DAY - 30, DAY - 15)
    assert old_cuts(Grid(15, 30), MIDNIGHT) == (15, 30)
    assert old_cuts(Grid(7, 14), MIDNIGHT - 4) == (3, 10, DAY - 4)


HOURS = tuple(range(3600, DAY, 3600))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("UTC", (), HOURS),
        ("Asia/Shanghai", (16 * 3600,), HOURS),
        # 00:00 there is 18:15 the day before, and each hour begins at a quarter past.
        ("Asia/Kathmandu", (65_700,), tuple(sorted((*HOURS, *range(900, DAY, 3600))))),
    ],
)
def test_days_are_cut_where_those_of_the_zone_begin_and_the_last_ones_at_every_hour(
    name: str, old: tuple[int, ...], new: tuple[int, ...]
) -> None:
    grid = Grid(86_400, 1, ZoneInfo(name))
    today = MIDNIGHT // DAY
    cuts = grid.cuts(MIDNIGHT, range(today - 9, today + 1))
    assert cuts == (*(old,) * 2, *(new,) * 8)


def test_a_day_that_begins_when_the_clock_is_put_forward_is_cut_there() -> None:
    # In Beirut there was no 00:00 on 29 March 2026: 23:59 of UTC+2 was followed by 01:00 of UTC+3.
    day = int(datetime(2026, 3, 28, tzinfo=UTC).timestamp()) // DAY
    assert Grid(86_400, 1, ZoneInfo("Asia/Beirut")).cuts(day * DAY + 50 * DAY, range(day, day + 2)) == (
        (22 * 3600,),
        (21 * 3600,),
    )


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("tick", TICKS)
def test_a_reading_is_cut_for_every_tick_up_to_its_horizon_and_for_no_other(grid: Grid, tick: int) -> None:
    cuts = old_cuts(grid, tick)
    coming = range(tick, tick + grid.horizon + 1, grid.refresh)
    assert all(is_cut_for(cuts, each) for each in coming)
    others = {tick - 1, tick + 2, tick - grid.refresh, tick + grid.horizon + grid.refresh} - set(coming)
    assert [is_cut_for(cuts, other) for other in others] == [other % DAY == 0 for other in others]


def test_every_reading_is_cut_for_midnight() -> None:
    assert is_cut_for((), MIDNIGHT)
    assert is_cut_for((10, 20), MIDNIGHT)
    assert not is_cut_for((), MIDNIGHT + 10)


@pytest.mark.parametrize(("time", "cells"), [(0, 0), (10, 1), (20, 2), (DAY - 1, 3)])
def test_the_cells_before_a_cut_are_those_that_end_at_it_or_earlier(time: int, cells: int) -> None:
    assert cells_before((10, 20, DAY - 1), MIDNIGHT + time) == cells


def old_cuts(grid: Grid, tick: int) -> tuple[int, ...]:
    """Those of a day that is not told by the hour."""
    (cuts,) = grid.cuts(tick, range(tick // DAY - 50, tick // DAY - 49))
    return cuts


def test_a_window_reads_the_one_before_it_too_where_that_is_no_further_back_than_the_largest() -> None:
    noon = MIDNIGHT + 43_200
    for days, before in ((1, 2), (30, 60), (45, 90)):
        assert Window(noon, days).before == noon - before * 86_400
    assert Window(noon, 46).before is None
    assert Window(noon, 90).before is None
    found = {days: Window(noon, days).read for days in (1, 7, 14, 30, 90)}
    today = noon // 86_400
    assert {days: today - read.start for days, read in found.items()} == {1: 7, 7: 14, 14: 28, 30: 60, 90: 90}
    assert {read.stop for read in found.values()} == {today + 1}
