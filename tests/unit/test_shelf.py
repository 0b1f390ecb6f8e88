"""The readings of a process: the newest of each day that fits, and none that is still wanted is forgotten."""

from service.readings.grid import DEEPEST, Grid
from service.readings.manifest import Listed
from service.readings.shelf import Shelf
from tests.support.day_rows import CUTS, TICK, TODAY, Row, reading

# For three minutes a reading may be used.
GRID = Grid(60, 180)


def listed(name: str, day: int = TODAY, tick: int = TICK) -> Listed:
    return Listed(day, tick, name, 0.5)


def shelf(*each: Listed, section: str = "jobs") -> Shelf:
    made = Shelf(GRID)
    for one in each:
        made.put(section, one, reading(day=one.day, tick=one.tick))
    return made


def names(found: dict[int, Listed]) -> dict[int, str]:
    return {day: each.id for day, each in found.items()}


def test_what_is_not_there_is_lacking_and_what_is_there_is_found_by_its_day() -> None:
    here, other, missing = listed("here"), listed("other", TODAY - 1), listed("missing")
    made = shelf(here, other)
    assert made.lacks([here, missing, other]) == [missing]
    found = made.readings([other, here])
    assert [(day, each.day) for day, each in found.items()] == [(TODAY - 1, TODAY - 1), (TODAY, TODAY)]


def test_of_each_day_the_newest_is_found_and_of_two_of_one_tick_that_made_last() -> None:
    old, new, again = listed("old", tick=TICK - 60), listed("new"), listed("again")
    yesterday = listed("yesterday", TODAY - 1, TICK - 60)
    expected = {TODAY: "new", TODAY - 1: "yesterday"}
    assert names(shelf(old, new, yesterday).newest("jobs", TICK)) == expected
    assert names(shelf(new, yesterday, old).newest("jobs", TICK)) == expected
    assert names(shelf(new, again).newest("jobs", TICK)) == {TODAY: "again"}


def test_another_sections_readings_are_not_found() -> None:
    assert shelf(listed("run"), section="runs").newest("jobs", TICK) == {}


def test_a_reading_is_for_its_tick_and_those_of_its_horizon() -> None:
    for ago, is_found in ((-60, False), (0, True), (180, True), (181, False), (240, False)):
        made = shelf(listed("it", tick=TICK - ago))
        assert (made.newest("jobs", TICK) != {}) is is_found, ago


def test_a_reading_that_is_not_cut_for_a_tick_is_not_for_it() -> None:
    made = shelf(listed("it", tick=TICK - 100))
    for seconds in CUTS[1:]:
        assert made.newest("jobs", TICK - 200 + seconds) != {} or seconds > 280
    assert made.newest("jobs", TICK + 50) == {}


def test_all_days_are_those_of_the_largest_window_in_order() -> None:
    days = [listed(str(day), day) for day in range(TODAY - 92, TODAY + 1)]
    found = shelf(*reversed(days)).all_days("jobs", TICK)
    assert [each.day for each in found] == list(range(TODAY - DEEPEST, TODAY + 1))
    assert len(found) == 91


def test_what_is_named_or_was_made_since_is_kept() -> None:
    kept, old, young = listed("kept", tick=TICK - 61), listed("old", tick=TICK - 61), listed("young")
    edge = listed("edge", tick=TICK - 60)
    made = shelf(kept, old, young, edge)
    made.forget({"kept"}, TICK - 60)
    assert made.lacks([kept, old, young, edge]) == [old]


def test_while_somebody_counts_on_it_nothing_is_forgotten() -> None:
    old = listed("old", tick=TICK - 600)
    made = shelf(old)
    with made.keeping():
        with made.keeping():
            made.forget((), TICK)
        made.forget((), TICK)
        assert made.lacks([old]) == []
    made.forget((), TICK)
    assert made.lacks([old]) == [old]


def test_a_block_that_fails_is_over_too() -> None:
    old = listed("old", tick=TICK - 600)
    made = shelf(old)
    try:
        with made.keeping():
            raise OSError("away")
    except OSError:
        made.forget((), TICK)
    assert made.lacks([old]) == [old]


def test_its_size_is_that_of_the_readings_that_are_here() -> None:
    old, new = listed("old", tick=TICK - 60), listed("new")
    made = Shelf(GRID)
    assert made.size == 0
    for _ in range(2):  # again in place of itself
        made.put("jobs", old, reading(tick=TICK - 60))
    assert made.size == 4096
    made.put("jobs", new, reading(Row("A", "bad", 0, 1, 1)))
    assert made.size == 4096 + 4160
    made.forget((), TICK)
    assert made.size == 4160
