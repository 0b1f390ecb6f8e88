"""Which names did worst in the windows of a tick: the sites and target objects to look at first."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from heapq import nsmallest
from operator import add
from typing import TypeAlias

from service.overview.query import WINDOW_DAYS
from service.readings.grid import Window, cells_before, day_of
from service.readings.reading import Name, Reading
from service.readings.sums import Figures

MOST = 10
Ranked: TypeAlias = tuple[tuple[Name, Figures], ...]


class Worst:
    """Ranks the names of a tick's readings once, for all windows."""

    def __init__(self, ranks: Sequence[int]) -> None:
        self._ranks = ranks
        self._of: object = None
        self._known: dict[int, Ranked] = {}
        self._ranking = asyncio.Lock()

    async def of(self, listed: object, readings: Mapping[int, Reading], window: Window) -> Ranked:
        """The worst names of a window; `listed` stands for the readings."""
        async with self._ranking:
            if self._of is not listed:
                windows = [Window(window.tick, days, window.zone) for days in WINDOW_DAYS]
                self._known, self._of = await by_window(readings, windows, self._ranks), listed
            return self._known[window.days]


async def by_window(
    readings: Mapping[int, Reading], windows: Iterable[Window], ranks: Sequence[int]
) -> dict[int, Ranked]:
    """By the days of each window, which come in order, what is `ranked`.

    In a crowded day rare names are not told apart, and so add nothing here.
    """
    sums: dict[Name, Figures] = {}
    found: dict[int, Ranked] = {}
    whole = iter(sorted(readings, reverse=True))
    day = next(whole)
    for window in windows:
        while day > day_of(window.since):
            _add(sums, readings[day].by_name().items())
            day = next(whole)
            await asyncio.sleep(0)  # a thousand names take a while
        first = readings[day_of(window.since)]
        found[window.days] = ranked(_with_part(sums, first, window), ranks)
    return found


def _with_part(sums: Mapping[Name, Figures], first: Reading, window: Window) -> dict[Name, Figures]:
    """The sums, and those of the window's part of its first day."""
    together, cells = dict(sums), cells_before(first.cuts, window.since)
    _add(together, first.by_name_from(cells))
    return together


def _add(sums: dict[Name, Figures], more: Iterable[tuple[Name, Figures]]) -> None:
    for name, figures in more:
        known = sums.get(name)
        sums[name] = figures if known is None else tuple(map(add, known, figures))


def ranked(sums: Mapping[Name, Figures], ranks: Sequence[int]) -> Ranked:
    """The worst names and their figures.

    `ranks` are the places of the figures that make a name a bad one, the gravest first; who has none of the
    last is not listed.
    """
    bad = ((name, figures) for name, figures in sums.items() if figures[ranks[-1]])

    def gravest(each: tuple[Name, Figures]) -> tuple[list[int], bool, str]:
        name, figures = each
        return [-figures[place] for place in ranks], name is not None, name or ""

    return tuple(nsmallest(MOST, bad, key=gravest))
