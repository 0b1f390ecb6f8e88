"""Which names did worst in a window: by what is gravest, and once a tick for all windows."""

from collections.abc import Mapping

from service.overview.query import WINDOW_DAYS
from service.readings.grid import Window
from service.readings.reading import Reading
from service.readings.worst import Ranked, Worst, by_window
from tests.support.day_rows import TICK, TODAY, Row, reading


async def test_the_worst_names_are_ranked_by_what_is_gravest_and_then_by_name() -> None:
    readings = {
        TODAY - 1: reading(
            *(Row("edge", "bad", 3, 9, 0), Row("late", "bad", 0, 90, 0), Row("B", "bad", 3, 2, 1)),
            Row("fine", "good", 3, 50, 0),
            day=TODAY - 1,
        ),
        TODAY: reading(Row("A", "bad", 1, 2, 1), Row(None, "bad", 0, 2, 1), Row("B", "good", 2, 7, 0)),
    }
    found = await by_window(readings, [Window(TICK, 1)], (2, 1))
    assert found[1] == (
        *((None, (2, 2, 1)), ("A", (2, 2, 1)), ("B", (9, 2, 1))),
        ("edge", (9, 9, 0)),
    )


async def test_a_crowded_day_says_nothing_of_those_without_a_name() -> None:
    readings = {
        TODAY - 1: reading(Row("A", "bad", 3, 1, 1), day=TODAY - 1),
        TODAY: reading(Row("A", "bad", 0, 1, 1), Row(None, "bad", 0, 70, 70), is_complete=False),
    }
    assert (await by_window(readings, [Window(TICK, 1)], (1,)))[1] == (("A", (2, 2, 2)),)


async def test_no_more_than_the_ten_worst_are_told() -> None:
    rows = [Row(f"{number:02}", "bad", 0, number, 0) for number in range(1, 13)]
    readings = {TODAY - 1: reading(day=TODAY - 1), TODAY: reading(*rows)}
    found = (await by_window(readings, [Window(TICK, 1)], (1,)))[1]
    assert [name for name, _ in found] == [f"{number:02}" for number in range(12, 2, -1)]


async def test_each_window_has_what_is_in_it_and_of_its_first_day_the_part_that_is() -> None:
    readings = {TODAY - ago: reading(day=TODAY - ago) for ago in range(15)}
    readings[TODAY] = reading(Row("today", "bad", 0, 1, 0))
    readings[TODAY - 1] = reading(
        *(Row(name, "bad", cell, n, 0) for name, cell, n in (("edge", 2, 5), ("edge", 1, 90))),
        *(Row(None, "bad", cell, n, 0) for cell, n in ((3, 1), (2, 2), (1, 30), (0, 60))),
        day=TODAY - 1,
    )
    readings[TODAY - 7] = reading(Row("edge", "bad", 3, 4, 0), Row("old", "bad", 0, 9, 0), day=TODAY - 7)
    readings[TODAY - 14] = reading(
        Row("older", "bad", 1, 8, 0), Row("oldest", "bad", 2, 7, 0), day=TODAY - 14
    )
    found = await by_window(readings, [Window(TICK, days) for days in (1, 7, 14)], (1,))
    # Of the last cell before the edge, too, for it is cut at 200 s and the tick is 200 s past midnight.
    assert totals(found[1]) == {"edge": 5, None: 3, "today": 1}
    assert totals(found[7]) == {"edge": 99, None: 93, "today": 1}
    assert totals(found[14]) == {"edge": 99, None: 93, "old": 9, "oldest": 7, "today": 1}


def totals(ranks: Ranked) -> dict[str | None, int]:
    return {name: figures[0] for name, figures in ranks}


def quarter(**names: int) -> Mapping[int, Reading]:
    """Ninety days, on the last of which each of these has so many bad rows."""
    rows = [Row(name, "bad", 0, count, 0) for name, count in names.items()]
    return {day: reading(day=day) for day in range(TODAY - 90, TODAY)} | {TODAY: reading(*rows)}


async def test_names_are_ranked_once_for_all_windows_of_the_same_readings() -> None:
    worst, first, second = Worst((1,)), quarter(A=2, B=1), quarter(C=3)
    for days in WINDOW_DAYS:
        assert totals(await worst.of("first", first, Window(TICK, days))) == {"A": 2, "B": 1}
    # What is listed stands for the readings, and nothing else is looked at.
    kept = await worst.of("first", {}, Window(TICK, 7))
    assert kept is await worst.of("first", second, Window(TICK, 7))
    assert totals(await worst.of("second", second, Window(TICK, 7))) == {"C": 3}
    assert totals(await worst.of("first", first, Window(TICK, 30))) == {"A": 2, "B": 1}


async def test_of_equally_bad_names_the_first_by_name_come_first_however_they_came() -> None:
    rows = [Row(name, "bad", 0, 1, 0) for name in ("d", "b", None, "c", "a")]
    readings = {TODAY - 1: reading(day=TODAY - 1), TODAY: reading(*rows)}
    found = (await by_window(readings, [Window(TICK, 1)], (1,)))[1]
    assert [name for name, _ in found] == [None, "a", "b", "c", "d"]
