"""Which days are read at a tick: the newest, those without a reading, and old ones in their turn."""

from collections.abc import Mapping
from itertools import chain
from random import Random

import pytest

from service.readings.grid import Grid, days_of
from service.readings.manifest import Listed
from service.readings.plan import NEWEST_DAYS, cost, days_to_read, spans
from tests.support.day_counter import DayCounter, job_facts
from tests.support.kept_days import KeptDays

TODAY = 20_000
TICK = TODAY * 86_400 + 600
# Four ticks long is the horizon, so of eight days two are due at each tick.
GRID = Grid(15, 60)
WEEK = days_of(TICK, 7)
NEWEST = [TODAY - 1, TODAY]
OLD = list(range(TODAY - 7, TODAY - 1))


def shelf(age: int = 15, ages: Mapping[int, int] | None = None, seconds: float = 1.0) -> dict[int, Listed]:
    """A reading of each day of a week, so many seconds old."""
    each_age = dict.fromkeys(WEEK, age) | dict(ages or {})
    return {day: Listed(day, TICK - age, "", seconds) for day, age in each_age.items()}


def read(jobs: Mapping[int, Listed], budget: float = 0.0, grid: Grid = GRID) -> list[int]:
    """The days to read of one table."""
    return days_to_read(grid, TICK, WEEK, {"jobs": jobs}, budget)["jobs"]


def test_whatever_has_no_reading_is_read() -> None:
    assert read({}) == list(WEEK)
    known = shelf(age=0)
    for day in (TODAY - 7, TODAY - 3, TODAY):
        del known[day]
    assert read(known) == [TODAY - 7, TODAY - 3, TODAY]


def test_the_newest_days_are_read_at_every_tick_and_old_ones_in_their_turn() -> None:
    assert read(shelf()) == [*OLD[:2], *NEWEST]


def test_what_was_read_at_this_very_tick_is_not_read_again() -> None:
    assert read(shelf(age=0)) == []
    assert read(shelf(age=0, ages={TODAY: 15})) == [TODAY]
    assert read(shelf(age=0, ages={TODAY - 1: 15})) == [TODAY - 1]
    assert read(shelf(age=0, ages={TODAY - 2: 15})) == [TODAY - 2]


def test_those_read_longest_ago_come_first() -> None:
    assert read(shelf(ages={TODAY - 3: 45, TODAY - 5: 30})) == [TODAY - 5, TODAY - 3, *NEWEST]


def test_on_its_horizon_a_reading_waits_for_its_turn_and_past_it_it_is_read_at_once() -> None:
    assert read(shelf(age=60)) == [*OLD[:2], *NEWEST]
    past = dict.fromkeys(OLD[:3], 61)
    assert read(shelf(ages=past)) == [*OLD[:5], *NEWEST]  # those three, and two more in their turn


def test_days_that_no_window_touches_are_let_be() -> None:
    other = {TODAY - 8: Listed(TODAY - 8, TICK - 75, "", 1.0)}
    assert read(shelf(age=0) | other, 1e9) == read(shelf(age=0), 1e9)
    assert read(shelf() | other) == read(shelf())


@pytest.mark.parametrize(
    ("grid", "in_their_turn"),
    [(Grid(15, 900), 1), (Grid(15, 120), 1), (Grid(15, 105), 2), (Grid(60, 180), 3), (Grid(60, 60), 8)],
)
def test_so_many_old_days_are_read_that_none_outlives_its_horizon(grid: Grid, in_their_turn: int) -> None:
    assert read(shelf(), grid=grid) == [*OLD[:in_their_turn], *NEWEST]


def test_within_the_budget_more_are_read_the_oldest_first() -> None:
    must = {*OLD[:2], *NEWEST}
    known = shelf(ages={TODAY - 2: 30, TODAY - 7: 60, TODAY - 6: 60, TODAY - 3: 45})
    assert [set(read(known, budget)) - must for budget in (4, 4.99, 5, 6, 7, 8, 1000)] == [
        *(set(), set(), {TODAY - 3}, {TODAY - 3, TODAY - 2}),
        *({*OLD[2:3], *OLD[-2:]}, set(OLD[2:]), set(OLD[2:])),
    ]


def test_the_first_that_is_too_dear_ends_it() -> None:
    known = shelf(ages={TODAY - 5: 45, TODAY - 4: 30, TODAY - 7: 60, TODAY - 6: 60})
    known[TODAY - 5] = Listed(TODAY - 5, TICK - 45, "", 10.0)
    assert read(known, 13) == [*OLD[:2], *NEWEST]
    assert read(known, 14) == [*OLD[:3], *NEWEST]


def test_what_must_be_read_is_read_without_a_budget_and_is_paid_first() -> None:
    dear = shelf(seconds=100.0)
    assert read(dear, -1e9) == read(dear, 499) == [*OLD[:2], *NEWEST]
    assert read(dear, 500) == [*OLD[:3], *NEWEST]


def test_tables_share_the_budget_and_the_oldest_goes_first_whose_ever_it_is() -> None:
    runs, jobs = shelf(), shelf(ages={TODAY - 2: 45, TODAY - 7: 60, TODAY - 6: 60})
    chosen = {
        budget: days_to_read(GRID, TICK, WEEK, {"runs": runs, "jobs": jobs}, budget)
        for budget in (8, 9, 10, 14, 16)
    }
    must = [*OLD[:2], *NEWEST]
    assert chosen[8] == {"runs": must, "jobs": must}
    assert chosen[9] == {"runs": must, "jobs": [*OLD[:2], TODAY - 2, *NEWEST]}
    assert chosen[10] == {"runs": must, "jobs": [*OLD[:3], TODAY - 2, *NEWEST]}  # of equals, by table
    assert chosen[14] == {"runs": [*OLD[:4], *NEWEST], "jobs": list(WEEK)}
    assert chosen[16] == {"runs": list(WEEK), "jobs": list(WEEK)}


def test_nor_is_it_with_plenty_to_spare() -> None:
    assert read(shelf(age=0), 1e9) == []


def test_what_a_day_costs_is_known_of_those_that_were_read() -> None:
    known = {TODAY: Listed(TODAY, TICK, "", 3.0), TODAY - 1: Listed(TODAY - 1, TICK, "", 0.5)}
    assert cost(known, [TODAY, TODAY - 1, TODAY - 2]) == 3.5
    assert cost(known, [TODAY - 1]) == 0.5
    assert cost({}, WEEK) == 0


@pytest.mark.parametrize(
    "grid", [Grid(15, 900), Grid(15, 60), Grid(60, 900), Grid(7, 100), Grid(3600, 6 * 3600)]
)
def test_over_many_ticks_nothing_outlives_the_horizon_and_the_work_is_spread(grid: Grid) -> None:
    kept = KeptDays(grid, dict.fromkeys(("doc_sync", "workflow_actions"), DayCounter((), job_facts)))
    start = TICK // grid.refresh * grid.refresh
    kept.renew(start, 90, 0)
    in_their_turn = -(-91 * grid.refresh // grid.horizon)
    for tick in range(start + grid.refresh, start + 3 * grid.horizon, grid.refresh):
        ages = [tick - listed.tick for listed in kept.usable("doc_sync", tick).values()]
        assert max(ages) <= grid.horizon
        chosen = kept.renew(tick, 90, 0)
        assert all(set(days_of(tick, 1)) <= set(days) for days in chosen.values())
        assert all(len(days) <= NEWEST_DAYS + in_their_turn for days in chosen.values())


@pytest.mark.parametrize("seed", range(50))
def test_any_shelf_gives_days_in_order_none_twice_all_that_must_be_and_no_more_than_fits(seed: int) -> None:
    random = Random(seed)
    shelves = {table: random_shelf(random) for table in ("jobs", "runs")}
    budget = random.choice((-5.0, 0.0, 3.0, 10.0, 30.0))
    least, chosen = (days_to_read(GRID, TICK, WEEK, shelves, each) for each in (-1e9, budget))
    more = [
        shelves[table][day].tick for table, days in chosen.items() for day in days if day not in least[table]
    ]
    for table, days in chosen.items():
        assert days == sorted(set(days))
        assert set(days) >= set(least[table]) >= {day for day in WEEK if day not in shelves[table]}
        left = [listed.tick for day, listed in shelves[table].items() if day in WEEK and day not in days]
        assert not left or max(more, default=0) <= min(left)
        assert all(TICK - tick <= GRID.horizon for tick in left)
    spent = sum(cost(shelves[table], days) for table, days in chosen.items())
    assert not more or spent <= budget


def random_shelf(random: Random) -> dict[int, Listed]:
    days = random.sample(range(TODAY - 9, TODAY + 1), random.randrange(11))
    return {day: Listed(day, TICK - 15 * random.randint(1, 6), "", random.random() * 3) for day in days}


@pytest.mark.parametrize(
    ("days", "longest", "runs"),
    [
        ([], 5, []),
        ([4], 5, [range(4, 5)]),
        ([1, 2, 3, 5, 6, 9], 100, [range(1, 4), range(5, 7), range(9, 10)]),
        ([1, 2, 3, 4, 5], 2, [range(1, 3), range(3, 5), range(5, 6)]),
        ([1, 2, 4], 1, [range(1, 2), range(2, 3), range(4, 5)]),
    ],
)
def test_spans_are_runs_of_days_that_follow_one_another(
    days: list[int], longest: int, runs: list[range]
) -> None:
    assert list(spans(days, longest)) == runs
    assert list(chain.from_iterable(runs)) == days
