"""How many incidents share their description: a figure of a whole window, which does not add up over days.

It is read for all windows at once, and for the ticks to come as well: a window that slides loses its oldest
incidents, and those are known. Incidents that come to be meanwhile are in it once it is read again.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any, NamedTuple

from msgspec import Struct

from service.overview.query import WINDOW_DAYS
from service.readings.grid import Grid

# All that may be asked for, the largest first.
WINDOWS = tuple(reversed(WINDOW_DAYS))


class Recurrences(Struct, frozen=True):
    """By window, the number at each tick from `tick` on; `seconds` is what reading them takes."""

    tick: int
    refresh: int
    repeated: dict[int, list[int]]
    seconds: float

    def at(self, tick: int, window_days: int) -> int:
        """The incidents of a window that share their description with another one of it."""
        return self.repeated[window_days][(tick - self.tick) // self.refresh]

    def is_for(self, tick: int) -> bool:
        """Whether it has the numbers at a tick."""
        ticks, off = divmod(tick - self.tick, self.refresh)
        return off == 0 and 0 <= ticks < min(map(len, self.repeated.values()))


class Alike(NamedTuple):
    """Descriptions that occur in the same cells: `late` ones, and `after` the last edge of each window."""

    late: Sequence[int] | None
    after: Sequence[int | None]
    descriptions: int
    repeated: Sequence[int]


def edges(grid: Grid, tick: int, windows: Sequence[int] = WINDOWS) -> list[list[datetime]]:
    """Where each window begins, at that tick and at those of the horizon."""
    ticks = range(tick, tick + grid.horizon + 1, grid.refresh)
    instants = [datetime.fromtimestamp(each, UTC) for each in ticks]
    return [[instant - timedelta(days=days) for instant in instants] for days in windows]


def repeated(rows: Iterable[Alike], windows: Sequence[int], ticks: int) -> dict[int, list[int]]:
    """By window, the number at each of so many ticks, from the rows of the statement.

    The edge of window number w (from 0 on, the largest first) at tick number t is the cells' edge
    number w x ticks + t + 1: an incident in cell c is in the window as long as t is less than c - w x ticks.
    """
    changes = [[0] * ticks for _ in windows]
    for row in rows:
        for number, change in enumerate(changes):
            change[0] += row.repeated[number]
            size = row.after[number] or 0
            for until in sorted(_ticks_in(row, number, ticks), reverse=True):
                size += 1
                gain = (0 if size == 1 else 2 if size == 2 else 1) * row.descriptions
                change[0] += gain
                change[until] -= gain
    return {days: list(accumulate(change)) for days, change in zip(windows, changes, strict=True)}


def _ticks_in(row: Alike, number: int, ticks: int) -> Iterator[int]:
    """For how many ticks each late incident stays in a window that has lost it at the last one."""
    return (cell - number * ticks for cell in row.late or () if 0 < cell - number * ticks < ticks)


def alike(row: Any, windows: int) -> Alike:  # noqa: ANN401
    """A row of the statement for so many windows."""
    late, *others = row
    return Alike(late, others[:windows], others[windows], others[windows + 1 :])
