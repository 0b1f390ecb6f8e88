"""What a filter can be set to: the most frequent names of all readings, fit to be picked, bounded."""

from collections import Counter

import pytest

from service.readings.reading import Name, StoredDay
from service.readings.suggestions import names_in, suggested
from service.readings.tables import RUNS


def day(**runs: int) -> StoredDay:
    """A day on which each target object has so many runs."""
    rows = tuple((name, [0, 0, count - 1, 1, 0, 1]) for name, count in runs.items())
    return StoredDay(0, 0, (10,), True, (("failed", None),), rows)


def test_rows_of_all_days_and_cells_are_counted() -> None:
    readings = [RUNS.reading(each) for each in (day(Part=3, ECO=7), day(Part=2), day())]
    assert names_in(readings) == {"Part": 5, "ECO": 7}


def test_names_come_in_order_however_frequent_they_are() -> None:
    names: Counter[Name] = Counter({"b": 1, "a": 2, "c": 3})
    assert suggested(names) == ("a", "b", "c")


def test_of_too_many_the_most_frequent_stay_and_ties_go_by_name() -> None:
    names = [f"{number:03}" for number in range(300)]
    often: Counter[Name] = Counter({name: 1 + (number >= 290) for number, name in enumerate(names)})
    assert suggested(often) == tuple(names[:190] + names[290:])


@pytest.mark.parametrize("name", [None, "", " ", " padded", "padded\n", "x" * 201])
def test_what_no_filter_can_find_is_not_suggested(name: Name) -> None:
    assert suggested(Counter({name: 9, "x" * 200: 1, "a b": 1})) == ("a b", "x" * 200)
