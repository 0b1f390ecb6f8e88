"""Recurring descriptions: a number of a whole window, known beforehand for the ticks to come."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.readings.grid import Grid
from service.readings.recurrences import WINDOWS, Alike, Recurrences, alike, edges, repeated
from tests.oracle import repeated_total
from tests.support.builders import Row, incident

GRID = Grid(refresh=15, old_days_seconds=75)
TICK = int(datetime(2026, 3, 10, 23, 59, 15, tzinfo=UTC).timestamp())
TICKS = 6


def counted(rows: Sequence[Row], windows: Sequence[int]) -> list[Alike]:
    """What the statement gives, the obvious way."""
    starts = [edge for window in edges(GRID, TICK, windows) for edge in window]
    groups: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        cell = bisect_right(starts, row["created_at"].replace(tzinfo=UTC))
        if cell and row["description"].strip():
            groups[row["description"].strip().lower()].append(cell)
    kinds: Counter[tuple[tuple[int, ...], tuple[int, ...]]] = Counter()
    for cells in groups.values():
        late = tuple(cell for cell in cells if cell % TICKS)
        after = tuple(sum(cell >= TICKS * number for cell in cells) for number in range(1, len(windows) + 1))
        kinds[late, after] += 1
    return [
        Alike(late or None, after, times, [times * size if size > 1 else 0 for size in after])
        for (late, after), times in kinds.items()
    ]


def of(rows: Sequence[Row], windows: Sequence[int] = WINDOWS) -> Recurrences:
    return Recurrences(TICK, GRID.refresh, repeated(counted(rows, windows), windows, TICKS), 0.0)


def around(days: int, seconds: float) -> datetime:
    return datetime.fromtimestamp(TICK, UTC) - timedelta(days=days) + timedelta(seconds=seconds)


@st.composite
def incidents(draw: st.DrawFn) -> list[Row]:
    """Few descriptions, and times around the places where windows begin during the next ticks."""
    when = st.builds(
        around, st.sampled_from((0, *WINDOWS, 91)), st.sampled_from((-1, 0, 14, 15, 16, 74, 75, 76))
    )
    rows = st.builds(incident, description=st.sampled_from(("a", "A ", "b", "c", "")), created_at=when)
    return draw(st.lists(rows, max_size=12))


@given(rows=incidents())
def test_every_window_at_every_tick_is_what_the_oracle_counts(rows: list[Row]) -> None:
    found = of(rows)
    for tick in range(TICK, TICK + GRID.horizon + 1, GRID.refresh):
        for days in WINDOWS:
            since = datetime.fromtimestamp(tick, UTC).replace(tzinfo=None) - timedelta(days=days)
            assert found.at(tick, days) == repeated_total([row for row in rows if row["created_at"] >= since])


@pytest.mark.parametrize(
    ("ages", "numbers"),
    [
        ((10, 20), [2, 2, 2, 2, 2, 2]),
        ((10, 86_400 - 20), [2, 2, 0, 0, 0, 0]),
        ((10, 20, 86_400 - 20), [3, 3, 2, 2, 2, 2]),
        ((86_400 - 20, 86_400 - 50), [2, 2, 0, 0, 0, 0]),
        ((86_400 - 75, 86_400 - 75, 86_400), [3, 2, 2, 2, 2, 2]),
        ((86_400,), [0, 0, 0, 0, 0, 0]),
    ],
)
def test_an_incident_that_leaves_takes_its_share_along(ages: tuple[int, ...], numbers: list[int]) -> None:
    rows = [incident(description="x", created_at=around(0, -age)) for age in ages]
    assert of(rows, [1]).repeated == {1: numbers}


def test_it_is_for_the_ticks_that_it_foresees() -> None:
    found = of([])
    for seconds, is_for in ((0, True), (75, True), (90, False), (-15, False), (7, False)):
        assert found.is_for(TICK + seconds) is is_for


def test_windows_come_the_largest_first() -> None:
    assert WINDOWS == (90, 30, 14, 7, 1)
    assert list(of([]).repeated) == [90, 30, 14, 7, 1]


def test_each_window_loses_incidents_of_its_own_as_it_slides() -> None:
    # Three ticks, so the cells of a week's edges are 1 to 3 and those of a day's 4 to 6.
    leaves_the_week = Alike([1, 4], [1, 0], 2, [0, 0])
    leaves_the_day = Alike([4, 5], [3, 1], 3, [9, 0])
    found = repeated([leaves_the_week, leaves_the_day], (7, 1), 3)
    assert found == {7: [13, 9, 9], 1: [9, 6, 0]}
    assert [Recurrences(TICK, 15, found, 0.0).at(TICK + 15 * number, 1) for number in range(3)] == found[1]


def test_a_row_of_the_statement_is_told_by_the_number_of_windows() -> None:
    assert alike(([4], 3, 1, 2, 6, 0), 2) == Alike([4], [3, 1], 2, [6, 0])
    assert alike((None, None, 2, 6), 1) == Alike(None, [None], 2, [6])
