"""A day reading answers for any name and any cut."""

from collections.abc import Iterable, Sequence
from random import Random

import pytest

from service.readings.reading import Columns, Label, Name, Reading, StoredDay
from tests.support.day_rows import CUTS, NOTHING, TICK, TODAY, Row, figures, reading


def added(rows: Iterable[tuple[Label, Sequence[int]]]) -> dict[str | None, list[int]]:
    """Counts by label, where a label may come again."""
    sums: dict[str | None, list[int]] = {}
    for (label,), counts in rows:
        before = sums.get(label, [0, 0])
        sums[label] = [one + other for one, other in zip(before, counts, strict=True)]
    return sums


def told(columns: Columns) -> dict[str | None, list[int]]:
    labels, counts = columns
    return added(zip(labels, zip(*counts, strict=True), strict=True))


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
    found = SOME.counts(name)
    assert told(found) == counts
    assert len(found[0]) == len(counts)


def test_counts_from_a_cut_on_leave_out_what_is_before_it() -> None:
    assert told(SOME.counts_from("A", 0)) == {"bad": [5, 50], "good": [1, 10]}
    assert told(SOME.counts_from("A", 1)) == {"bad": [3, 30]}
    assert told(SOME.counts_from("A", 2)) == {"bad": [3, 30]}
    assert told(SOME.counts_from("A", 3)) == {}
    assert told(SOME.counts_from(None, 2)) == {"bad": [3, 30], "good": [7, 70]}
    assert told(SOME.counts_from("C", 0)) == {}


def test_names_come_with_their_rows() -> None:
    assert dict(SOME.names()) == {"A": 6, "B": 6, None: 7}


def test_its_size_is_that_of_its_numbers_whichever_names_were_asked_for() -> None:
    made = reading(Row("A", "bad", 2, 3, 30), Row("A", "good", 0, 1, 10), Row("B", "good", 1, 5, 50))
    # Three rows of four numbers, those of each name and those of all: 24 numbers of 4 bytes, twice.
    assert made.size == 4096 + 192
    made.figures("A")
    assert made.size == 4096 + 192
    assert reading().size == 4096


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
    assert len(told(large.counts("A"))) == 1000


def test_a_day_may_have_more_labels_than_two_bytes_count() -> None:
    rows = [Row("A", f"label {number}", 0, 1, 1) for number in range(70_000)]
    assert told(reading(*rows).counts_from(None, 0))["label 69999"] == [1, 1]


@pytest.mark.parametrize("flat", [[0, 0, 1], [0, 0, 1, 1, 0]])
def test_a_row_that_is_cut_short_is_no_reading(flat: list[int]) -> None:
    with pytest.raises(ValueError, match="zip"):
        Reading(StoredDay(TODAY, TICK, CUTS, True, (("good",),), (("A", flat),)), NOTHING, 2, 2, figures)


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
            assert told(made.counts_from(name, cells)) == added(after)
        assert told(made.counts(name)) == added(((row.label,), row[3:]) for row in mine)


def test_only_the_counts_that_are_told_come_by_label() -> None:
    flat = [0, 0, 1, 10, 2, 0, 3, 30]
    stored_day = StoredDay(TODAY, TICK, CUTS, True, (("good",),), (("A", flat),))
    one = Reading(stored_day, NOTHING, 2, 1, figures)
    assert [
        (list(labels), [list(column) for column in columns])
        for labels, columns in (one.counts("A"), one.counts_from("A", 1))
    ] == [([("good",)], [[4]]), ([("good",)], [[3]])]
    assert one.figures("A") == (4, 0, 40)


def test_numbers_may_be_larger_than_four_bytes_hold() -> None:
    made = reading(
        *(Row("A", "bad", 0, 1, 5 * 10**9), Row("A", "good", 1, 2, 7), Row("B", "good", 2, 3, 2**32 - 1))
    )
    assert made.figures("A") == (3, 1, 5 * 10**9 + 7)
    assert told(made.counts("A")) == {"bad": [1, 5 * 10**9], "good": [2, 7]}
    assert told(made.counts_from("A", 1)) == {"good": [2, 7]}
    assert made.figures(None) == (6, 1, 5 * 10**9 + 7 + 2**32 - 1)
    assert [made.figures(None, cells)[2] for cells in range(3)] == [0, 5 * 10**9, 5 * 10**9 + 7]
