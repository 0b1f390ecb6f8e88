"""Day readings summed for one window and filter at one tick."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import pairwise
from operator import add, sub
from typing import TypeAlias
from zoneinfo import ZoneInfo

from cachetools import LRUCache
from msgspec import Struct

from service.overview.clock import DAY_SECONDS, MONTH_DAYS, day_edges, hour_edges
from service.readings.grid import Window, cells_before, day_of
from service.readings.reading import Columns, Label, Name, Reading

Figures: TypeAlias = tuple[int, ...]
# Of so many names of a table courses are kept: who asks for more, asks for each but once a tick.
MOST_COURSES = 200


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
    return Course(readings, window.tick, window.zone, name).sums(window)


class Course:
    """The figures of a name's rows as they add up over the days: windows before a tick are told from it.

    `readings` are days without a gap, up to the running one, each cut for the tick.
    """

    def __init__(self, readings: Mapping[int, Reading], tick: int, zone: ZoneInfo, name: Name) -> None:
        self._readings = readings
        self._month = Window(tick, MONTH_DAYS, zone)
        self._name = name
        first = min(readings)
        self._days = range(first, max(readings) + 1)
        self._until: dict[int, Figures] = {}
        self._together = readings[first].nothing
        for day in self._days:
            self._until[day] = self._together
            self._together = tuple(map(add, self._together, readings[day].figures(name)))

    def sums(self, window: Window) -> Sums:
        """The sums of a window before the tick."""
        return Sums(
            days=self._cells(range(window.since, window.tick, DAY_SECONDS)),
            by_clock=self._cells(day_edges(window.zone, window.tick, window.days)),
            by_hour=self._by_hour,
            before=None if window.before is None else self._between(window.before, window.since),
            month=self._of_month,
            counts=self._counts(window),
            oldest=min(window.tick, *(self._readings[day].tick for day in window.read)),
        )

    @cached_property
    def _by_hour(self) -> tuple[Figures, ...]:
        return self._cells(hour_edges(self._month.zone, self._month.tick))

    @cached_property
    def _of_month(self) -> Figures | None:
        days = range(day_of(self._month.since), self._days.stop)
        if days.start not in self._readings:
            return None
        if self._name is not None and not all(self._readings[day].knows(self._name) for day in days):
            return None
        return _less(self._together, self._before(self._month.since))

    def _before(self, edge: int) -> Figures:
        """The figures before an edge, from the first day on."""
        day = day_of(edge)
        if edge == day * DAY_SECONDS:
            return self._until[day]
        reading = self._readings[day]
        begun = reading.figures(self._name, cells_before(reading.cuts, edge))
        return tuple(map(add, self._until[day], begun))

    def _between(self, begin: int, end: int) -> Figures:
        return _less(self._before(end), self._before(begin))

    def _cells(self, edges: Iterable[int]) -> tuple[Figures, ...]:
        """The figures from each edge to the next one, and from the last one on."""
        together = (*map(self._before, edges), self._together)
        return tuple(_less(end, begin) for begin, end in pairwise(together))

    def _counts(self, window: Window) -> dict[Label, list[int]]:
        first, *others = (self._readings[day] for day in range(day_of(window.since), self._days.stop))
        begun = first.counts_from(self._name, cells_before(first.cuts, window.since))
        return _together([begun, *(reading.counts(self._name) for reading in others)])


class Courses:
    """The courses of a tick's readings, each made once for all windows."""

    def __init__(self) -> None:
        self._of: object = None
        self._known: LRUCache[Name, Course] = LRUCache(MOST_COURSES)

    def of(self, listed: object, readings: Mapping[int, Reading], window: Window, name: Name) -> Course:
        """That of a name; `listed` stands for the readings."""
        if self._of is not listed:
            self._of = listed
            self._known.clear()
        course = self._known.get(name)
        if course is None:
            course = self._known[name] = Course(readings, window.tick, window.zone, name)
        return course


def _less(end: Figures, begin: Figures) -> Figures:
    return tuple(map(sub, end, begin))


def _together(parts: Iterable[Columns]) -> dict[Label, list[int]]:
    """The counts of all parts by label: a column after the other, for that is quickest."""
    sums: list[dict[Label, int]] = []
    for labels, columns in parts:
        sums = sums or [{} for _ in columns]
        for of, column in zip(sums, columns, strict=True):
            for label, number in zip(labels, column, strict=True):
                of[label] = of.get(label, 0) + number
    return {
        label: list(numbers) for label, *numbers in zip(sums[0], *(of.values() for of in sums), strict=True)
    }
