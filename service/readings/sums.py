"""Day readings summed for one window and filter at one tick."""

from collections.abc import Mapping
from operator import add, sub

from msgspec import Struct

from service.readings.grid import cells_before, days_of
from service.readings.reading import Label, Name, Reading


class Sums(Struct, frozen=True):
    """The figures of every day cell of a window, oldest first; the counts by label; the oldest reading's
    tick.

    A day cell is one whole day before the tick; what is dated later is in the newest one.
    """

    days: tuple[tuple[int, ...], ...]
    counts: dict[Label, list[int]]
    oldest: int


def knows(readings: Mapping[int, Reading], tick: int, window_days: int, name: str) -> bool:
    """Whether the readings of the window's days tell the rows of that name from others."""
    return all(readings[day].knows(name) for day in days_of(tick, window_days))


def summed(readings: Mapping[int, Reading], tick: int, window_days: int, name: Name) -> Sums:
    """The sums of a name's rows, or of all rows when it is None.

    `readings` has the window's days, each cut for the tick.
    """
    first, *others = [readings[day] for day in days_of(tick, window_days)]
    # Of each day there is a part before the edge, which ends a day cell, and one after it, which begins the
    # next. The running day has no edge.
    started = first.figures(name, cells_before(first.cuts, tick))
    whole = first.figures(name)
    days = []
    for reading in others[:-1]:
        ended = reading.figures(name, cells_before(reading.cuts, tick))
        days.append(tuple(map(add, map(sub, whole, started), ended)))
        started, whole = ended, reading.figures(name)
    days.append(tuple(map(add, map(sub, whole, started), others[-1].figures(name))))
    counts: dict[Label, list[int]] = {}
    for label, numbers in first.counts_from(name, cells_before(first.cuts, tick)):
        _count(counts, label, numbers)
    for reading in others:
        for label, numbers in reading.counts(name):
            _count(counts, label, numbers)
    oldest = min(tick, first.tick, *(reading.tick for reading in others))
    return Sums(tuple(days), counts, oldest)


def _count(counts: dict[Label, list[int]], label: Label, numbers: tuple[int, ...]) -> None:
    known = counts.get(label)
    if known is None:
        counts[label] = list(numbers)
        return
    for place, number in enumerate(numbers):
        known[place] += number
