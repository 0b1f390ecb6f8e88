"""Days add up to a window, to the one before it, to its hours, and to a month."""

from collections import Counter
from random import Random

import pytest

from service.overview.clock import UTC_ZONE, hour_edges
from service.readings.grid import Window
from service.readings.sums import Courses, knows, summed
from tests.support.day_rows import DAY, NOTHING, TICK, TODAY, Row, reading

# Of three days: two rows before the edge, four after it, and so on, each with a weight of its own. The eight
# days before them, which hours are told of, are empty.
WINDOW = {
    **{day: reading(day=day) for day in range(TODAY - 10, TODAY - 2)},
    TODAY - 2: reading(Row("A", "good", 1, 2, 1), Row("A", "bad", 2, 4, 10), day=TODAY - 2, tick=TICK - 30),
    TODAY - 1: reading(Row("A", "good", 0, 8, 100), Row("B", "bad", 3, 16, 1000), day=TODAY - 1, tick=TICK),
    TODAY: reading(Row("A", "bad", 3, 32, 10_000), Row("B", "bad", 0, 64, 100_000), tick=TICK),
}
TWO_DAYS = Window(TICK, 2)


def test_a_day_cell_ends_at_the_edge_of_one_day_and_begins_at_that_of_the_day_before() -> None:
    found = summed(WINDOW, TWO_DAYS, None)
    assert found.days == ((12, 4, 110), (112, 112, 111_000))
    assert found.counts == {("bad",): [116, 111_010], ("good",): [8, 100]}
    assert found.oldest == TICK - 30


def test_a_window_of_one_day_is_of_yesterday_and_today() -> None:
    found = summed(WINDOW, Window(TICK, 1), None)
    assert (found.days, found.counts) == (((112, 112, 111_000),), {("bad",): [112, 111_000]})


def test_the_window_before_ends_at_the_edge_where_this_one_begins() -> None:
    assert summed(WINDOW, Window(TICK, 1), None).before == (12, 4, 110)
    assert summed(WINDOW, TWO_DAYS, None).before == (2, 0, 1)


def test_what_is_not_read_is_not_known_of_a_month() -> None:
    assert summed(WINDOW, TWO_DAYS, None).month is None
    more = {day: reading(Row("A", "bad", 3, 1, 1), day=day) for day in range(TODAY - 30, TODAY - 10)}
    assert summed(WINDOW | more, TWO_DAYS, None).month == (146, 136, 111_131)


def test_one_name_is_summed_alone() -> None:
    found = summed(WINDOW, TWO_DAYS, "A")
    assert found.days == ((12, 4, 110), (32, 32, 10_000))
    assert found.counts == {("bad",): [36, 10_010], ("good",): [8, 100]}
    nobody = summed(WINDOW, TWO_DAYS, "C")
    assert (nobody.days, nobody.counts, nobody.oldest) == ((NOTHING, NOTHING), {}, TICK - 30)


def test_at_midnight_days_are_whole() -> None:
    midnight = TODAY * DAY
    assert summed(WINDOW, Window(midnight, 2), None).days == ((6, 4, 11), (120, 112, 111_100))


@pytest.mark.parametrize("days", [TODAY - 2, TODAY - 1, TODAY])
def test_the_oldest_reading_is_that_of_any_day(days: int) -> None:
    readings = {day: reading(day=day, tick=TICK - 15 * (day == days)) for day in WINDOW}
    assert summed(readings, TWO_DAYS, None).oldest == TICK - 15


def test_no_reading_is_of_later_than_the_tick() -> None:
    readings = {day: reading(day=day, tick=TICK + 15) for day in WINDOW}
    assert summed(readings, TWO_DAYS, None).oldest == TICK


@pytest.mark.parametrize("day", [TODAY - 7, TODAY - 2, TODAY - 1, TODAY])
def test_a_name_is_known_if_each_day_that_is_summed_knows_it(day: int) -> None:
    readings = {each: reading(day=each, is_complete=each != day) for each in WINDOW}
    assert not knows(readings, TWO_DAYS, "A")
    readings[day] = reading(Row("A", "good", 0, 1, 1), day=day, is_complete=False)
    assert knows(readings, TWO_DAYS, "A")


@pytest.mark.parametrize("seed", range(10))
def test_days_and_counts_of_a_window_are_of_the_same_rows(seed: int) -> None:
    random = Random(seed)
    readings = {
        day: reading(
            *(Row(random.choice("AB"), random.choice("xyz"), random.randrange(4), 1, 1) for _ in range(9)),
            day=day,
        )
        for day in range(TODAY - 90, TODAY + 1)
    }
    for name in ("A", "B", None):
        found = summed(readings, Window(TICK, 90), name)
        totals = Counter({label: counts[0] for label, counts in found.counts.items()})
        assert len(found.days) == 90
        assert sum(total for total, _, _ in found.days) == totals.total()


def test_hours_are_told_of_a_week_whatever_the_window_is() -> None:
    found = summed(WINDOW, TWO_DAYS, None).by_hour
    edges = hour_edges(UTC_ZONE, TICK)
    assert len(found) == len(edges)
    assert tuple(map(sum, zip(*found, strict=True))) == (126, 116, 111_111)
    # The tick is 200 s past midnight, so the week begins in an hour, and the last cell is the running one's.
    assert found[-1] == (96, 96, 110_000)


def test_a_month_of_a_name_is_known_where_each_of_its_days_knows_the_name() -> None:
    months = {day: reading(Row("A", "bad", 3, 1, 1), day=day) for day in range(TODAY - 30, TODAY + 1)}
    assert summed(months, TWO_DAYS, "A").month == (31, 31, 31)
    for day in (TODAY - 30, TODAY - 15, TODAY):
        crowded = months | {day: reading(Row("B", "bad", 3, 1, 1), day=day, is_complete=False)}
        assert summed(crowded, TWO_DAYS, "A").month is None
        assert summed(crowded, TWO_DAYS, None).month == (31, 31, 31)


def test_a_course_is_made_once_for_all_windows_of_the_same_readings() -> None:
    courses, other = Courses(), {day: reading(day=day) for day in WINDOW}
    first = courses.of("first", WINDOW, TWO_DAYS, "A")
    # What is listed stands for the readings, and nothing else is looked at.
    assert courses.of("first", {}, Window(TICK, 1), "A") is first
    assert first.sums(TWO_DAYS) == summed(WINDOW, TWO_DAYS, "A")
    everything = courses.of("first", WINDOW, TWO_DAYS, None)
    assert everything.sums(TWO_DAYS) == summed(WINDOW, TWO_DAYS, None)
    second = courses.of("second", other, TWO_DAYS, "A")
    assert second.sums(TWO_DAYS) == summed(other, TWO_DAYS, "A")
    assert courses.of("second", other, TWO_DAYS, None).sums(TWO_DAYS).days == (NOTHING, NOTHING)


def test_two_hundred_courses_are_kept_those_that_were_asked_for_last() -> None:
    courses = Courses()

    def of(name: int) -> object:
        return courses.of("listed", WINDOW, TWO_DAYS, f"{name:03}")

    made = [of(name) for name in range(200)]
    assert [of(name) for name in range(200)] == made
    of(200)
    assert of(1) is made[1]
    assert of(0) is not made[0]
