"""Day readings summed for one window and filter at one tick."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from operator import add, sub
from typing import TypeAlias

from msgspec import Struct

from service.overview.clock import DAY_SECONDS, MONTH_DAYS, day_edges, hour_edges
from service.readings.grid import Window, cells_before, day_of
from service.readings.reading import Label, Name, Reading

Figures: TypeAlias = tuple[int, ...]


class Sums(Struct, frozen=True):
    """The figures of a window: of every whole day before the tick, of each of the zone's days, and of the
    hours of the last days, each oldest first; of the window before and of a month, None if that is not known.

    The counts by label are the window's; what is dated after the tick is in the newest figures. `oldest` is
    the oldest reading's tick.
    """

    days: tuple[Figures, ...]
    by_clock: tuple[Figures, ...]
    by_hour: tuple[Figures, ...]
    before: Figures | None
    month: Figures | None
    counts: dict[Label, list[int]]
    oldest: int


def knows(readings: Mapping[int, Reading], window: Window, name: str) -> bool:
    """Whether the readings of the window's days tell the rows of that name from others."""
    return all(readings[day].knows(name) for day in window.read)


def summed(readings: Mapping[int, Reading], window: Window, name: Name) -> Sums:
    """The sums of a name's rows, or of all rows when it is None.

    `readings` has the days that the window is read by, each cut for the tick.
    """
    days, month = window.read, Window(window.tick, MONTH_DAYS)
    knows_month = day_of(month.since) in readings
    if knows_month:
        days = range(min(days.start, day_of(month.since)), days.stop)
    course = _Course(readings, days, name)
    first, *others = (readings[day] for day in range(day_of(window.since), window.read.stop))
    counts: dict[Label, list[int]] = {}
    for label, numbers in first.counts_from(name, cells_before(first.cuts, window.since)):
        _count(counts, label, numbers)
    for reading in others:
        for label, numbers in reading.counts(name):
            _count(counts, label, numbers)
    return Sums(
        days=course.cells(range(window.since, window.tick, DAY_SECONDS)),
        by_clock=course.cells(day_edges(window.zone, window.tick, window.days)),
        by_hour=course.cells(hour_edges(window.zone, window.tick)),
        before=None if window.before is None else course.between(window.before, window.since),
        month=course.since(month.since) if knows_month else None,
        counts=counts,
        oldest=min(window.tick, *(readings[day].tick for day in window.read)),
    )


class _Course:
    """The figures of a name's rows as they add up over the days."""

    def __init__(self, readings: Mapping[int, Reading], days: range, name: Name) -> None:
        self._readings = readings
        self._name = name
        self._until: dict[int, Figures] = {}
        self._together = readings[days[0]].figures(name, 0)
        for day in days:
            self._until[day] = self._together
            self._together = tuple(map(add, self._together, readings[day].figures(name)))

    def until(self, edge: int) -> Figures:
        """The figures before an edge, from the first day on."""
        day = day_of(edge)
        reading = self._readings[day]
        begun = reading.figures(self._name, cells_before(reading.cuts, edge))
        return tuple(map(add, self._until[day], begun))

    def since(self, edge: int) -> Figures:
        """The figures from an edge on."""
        return _less(self._together, self.until(edge))

    def between(self, begin: int, end: int) -> Figures:
        """The figures from one edge to another."""
        return _less(self.until(end), self.until(begin))

    def cells(self, edges: Iterable[int]) -> tuple[Figures, ...]:
        """The figures from each edge to the next one, and from the last one on."""
        together = (*map(self.until, edges), self._together)
        return tuple(_less(end, begin) for begin, end in pairwise(together))


def _less(end: Figures, begin: Figures) -> Figures:
    return tuple(map(sub, end, begin))


def _count(counts: dict[Label, list[int]], label: Label, numbers: tuple[int, ...]) -> None:
    known = counts.get(label)
    if known is None:
        counts[label] = list(numbers)
        return
    for place, number in enumerate(numbers):
        known[place] += number
