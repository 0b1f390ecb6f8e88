"""A day reading answers for any name and any cut, and days add up to a window."""

from collections import Counter
from collections.abc import Iterable, Sequence
from random import Random

import pytest

from service.readings.grid import Window
from service.readings.reading import Label, Name, Reading, StoredDay
from service.readings.sums import knows, summed
from tests.support.day_rows import CUTS, DAY, NOTHING, TICK, TODAY, Row, figures, reading


def added(found: Iterable[tuple[Label, Sequence[int]]]) -> dict[str | None, list[int]]:
    """Counts by label, where a label may come again."""
    sums: dict[str | None, list[int]] = {}
    for (label,), counts in found:
        before = sums.get(label, [0, 0])
        sums[label] = [one + other for one, other in zip(before, counts, strict=True)]
    return sums


SOME = reading(
    *(Row("A", "bad", 2, 3, 30), Row("A", "good", 0, 1, 10), Row("A", "bad", 0, 2, 20)),
    *(Row("B", "good", 1, 5, 50), Row(None, "good", 3, 7, 70), Row("B", "fair", 1, 1, 11)),
)


@pytest.mark.parametrize(
    ("name", "sums"),
    [
        ("A", [(0, 0, 0), (3, 2, 30), (3, 2, 30), (6, 5, 60), (6, 5, 60)]),
        ("B", [(0, 0, 0), (0, 0, 0), (6, 0, 61), (6, 0, 61), (6, 0, 61)]),
        (None, [(0, 0, 0), (3, 2, 30), (9, 2, 91), (12, 5, 121), (19, 5, 191)]),
        ("C", [NOTHING] * 5),
    ],
)
def test_figures_grow_from_cut_to_cut(name: Name, sums: list[tuple[int, ...]]) -> None:
    assert [SOME.figures(name, cells) for cells in range(5)] == sums
    assert SOME.figures(name) == sums[-1]


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("A", {"bad": [5, 50], "good": [1, 10]}),
        ("B", {"good": [5, 50], "fair": [1, 11]}),
        (None, {"bad": [5, 50], "good": [13, 130], "fair": [1, 11]}),
        ("C", {}),
    ],
)
def test_counts_are_by_label_and_each_label_comes_once(name: Name, counts: dict[str, list[int]]) -> None:
    found = list(SOME.counts(name))
    assert added(found) == counts
    assert len(found) == len(counts)


def test_counts_from_a_cut_on_leave_out_what_is_before_it() -> None:
    assert added(SOME.counts_from("A", 0)) == {"bad": [5, 50], "good": [1, 10]}
    assert added(SOME.counts_from("A", 1)) == {"bad": [3, 30]}
    assert added(SOME.counts_from("A", 2)) == {"bad": [3, 30]}
    assert added(SOME.counts_from("A", 3)) == {}
    assert added(SOME.counts_from(None, 2)) == {"bad": [3, 30], "good": [7, 70]}
    assert added(SOME.counts_from("C", 0)) == {}


def test_names_come_with_their_rows() -> None:
    assert dict(SOME.names()) == {"A": 6, "B": 6, None: 7}


def test_a_reading_says_when_it_was_made_of_what() -> None:
    made = reading(day=3, tick=4, is_complete=False)
    assert (made.day, made.tick, made.cuts, made.is_complete) == (3, 4, CUTS, False)


def test_a_name_that_is_not_there_is_known_only_of_a_complete_reading() -> None:
    complete, incomplete = (reading(Row("A", "good", 0, 1, 1), is_complete=each) for each in (True, False))
    assert [complete.knows("A"), complete.knows("B")] == [True, True]
    assert [incomplete.knows("A"), incomplete.knows("B")] == [True, False]


def test_many_cells_labels_and_large_counts_have_room() -> None:
    rows = [Row("A", f"label {number}", number % 241, 2**40, 2**50) for number in range(1000)]
    large = reading(*rows)
    assert large.figures("A") == large.figures(None) == (1000 * 2**40, 0, 1000 * 2**50)
    assert len(list(large.counts("A"))) == 1000


@pytest.mark.parametrize("flat", [[0, 0, 1], [0, 0, 1, 1, 0]])
def test_a_row_that_is_cut_short_is_no_reading(flat: list[int]) -> None:
    with pytest.raises(ValueError, match="zip"):
        Reading(StoredDay(TODAY, TICK, CUTS, True, (("good",),), (("A", flat),)), NOTHING, 2, figures)


@pytest.mark.parametrize("seed", range(20))
def test_a_reading_is_what_its_rows_are_one_by_one(seed: int) -> None:
    random = Random(seed)
    rows = [
        Row(
            random.choice(("A", "B", "", None)),
            random.choice("xyz"),
            random.randrange(4),
            *random.sample(range(9), 2),
        )
        for _ in range(random.choice((0, 1, 5, 40)))
    ]
    made = reading(*rows)
    for name in ("A", "B", "", None, "C"):
        mine = [row for row in rows if name in (row.name, None)]
        for cells in range(5):
            before = [figures((row.label,), row[3:]) for row in mine if row.cell < cells]
            assert made.figures(name, cells) == tuple(map(sum, zip(NOTHING, *before, strict=True)))
            after = [((row.label,), row[3:]) for row in mine if row.cell >= cells]
            assert added(made.counts_from(name, cells)) == added(after)
        assert added(made.counts(name)) == added(((row.label,), row[3:]) for row in mine)


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
