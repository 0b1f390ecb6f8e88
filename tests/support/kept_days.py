"""Day readings that are renewed tick by tick, as the plan says, from rows in place of a database."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from msgspec.structs import replace

from service.overview.query import Query
from service.overview.sections import BreakagesDay, Snapshot
from service.readings.grid import Grid, Window, is_cut_for
from service.readings.manifest import Listed
from service.readings.plan import days_to_read
from service.readings.reading import Name, Reading, StoredDay
from service.readings.sums import summed
from service.readings.tables import JOBS, RUNS
from service.readings.worst import by_window
from tests.support.day_counter import DayCounter
from tests.support.snapshots import NOTHING

TABLES = {"doc_sync": JOBS, "workflow_actions": RUNS}
# What each day costs, in seconds: budgets are then numbers of days.
A_DAY = 1.0

Chosen = dict[str, list[int]]


class _Kept:
    """A day as it was counted; many are replaced before anybody looks at them."""

    def __init__(self, table: str, listed: Listed, stored: StoredDay) -> None:
        self.listed = listed
        self.stored = stored
        self._table = table

    @cached_property
    def reading(self) -> Reading:
        return TABLES[self._table].reading(self.stored)


class KeptDays:
    """The readings of both tables. `counters` may be replaced: then the rows have changed."""

    def __init__(self, grid: Grid, counters: Mapping[str, DayCounter]) -> None:
        self.counters = counters
        self.zone = grid.zone
        self._grid = grid
        self._kept: dict[str, dict[int, _Kept]] = {table: {} for table in TABLES}

    def renew(self, tick: int, window_days: int, budget: float) -> Chosen:
        """Read what is to be read at a tick, and say what that was."""
        shelves = {table: self.usable(table, tick) for table in TABLES}
        read = Window(tick, window_days).read
        chosen = days_to_read(self._grid, tick, read, shelves, budget)
        cuts = dict(zip(read, self._grid.cuts(tick, read), strict=True))
        for table, days in chosen.items():
            for day in days:
                listed = Listed(day, tick, f"{table} {day} {tick}", A_DAY)
                self._kept[table][day] = _Kept(table, listed, self.counters[table].day(day, tick, cuts[day]))
        return chosen

    def usable(self, table: str, tick: int) -> dict[int, Listed]:
        """The readings that may be used at a tick."""
        horizon = self._grid.horizon
        return {
            day: kept.listed
            for day, kept in self._kept[table].items()
            if tick - kept.listed.tick <= horizon and is_cut_for(kept.stored.cuts, tick)
        }

    def snapshot(self, tick: int, query: Query) -> Snapshot:
        """What the readings say; everything else is empty."""
        names = query.filters.site_id, query.filters.target_object
        window = Window(tick, query.window_days, self._grid.zone)
        sections = {
            table: self._section(table, window, name) for table, name in zip(TABLES, names, strict=True)
        }
        incident, like = BreakagesDay(), sections["doc_sync"]
        nothing = replace(
            NOTHING.breakages,
            days=(incident,) * len(like.days),
            by_clock=(incident,) * len(like.by_clock),
            by_hour=(incident,) * len(like.by_hour),
        )
        instant = datetime.fromtimestamp(tick, UTC)
        return replace(
            NOTHING, instant=instant, query=query, breakages=nothing, zone=self._grid.zone, **sections
        )

    def _section(self, table: str, window: Window, name: Name) -> Any:  # noqa: ANN401
        readings, reader = self._readings(table, window.tick), TABLES[table]
        worst = () if name else asyncio.run(by_window(readings, [window], reader.ranks))[window.days]
        return reader.section_of(summed(readings, window, name), window.tick, worst)

    def _readings(self, table: str, tick: int) -> dict[int, Reading]:
        return {day: self._kept[table][day].reading for day in self.usable(table, tick)}
