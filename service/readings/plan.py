"""Which days to read now, and how much of the database's time that may take: pure decisions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import ceil

from msgspec import Struct

from service.readings.grid import Grid, day_of

# The days that are read at every tick: the running one with all that is dated later, and yesterday.
NEWEST_DAYS = 2
# The share is kept on average over so many seconds.
AVERAGE_SECONDS = 60
# How much a cost that was higher than before counts, so that one slow moment does not pass for the rule.
RISE = 0.3


class Listed(Struct, frozen=True, array_like=True):
    """Which reading of a day stands: its tick, its name in Redis, and what a day costs, in seconds."""

    day: int
    tick: int
    id: str
    seconds: float


Shelf = Mapping[int, Listed]


def days_to_read(
    grid: Grid, tick: int, days: range, shelves: Mapping[str, Shelf], budget: float
) -> dict[str, list[int]]:
    """The days of each table to read at a tick, in order; `shelves` are the readings that can be used.

    Always the newest days, those without a reading, and as many of the oldest readings as must be renewed at
    each tick so that none outlives the horizon; then, within the budget, those that were read longest ago.
    """
    chosen = {table: _needed(grid, tick, days, shelf) for table, shelf in shelves.items()}
    left = budget - sum(cost(shelves[table], each) for table, each in chosen.items())
    waiting = [
        (listed.tick, table, listed)
        for table, shelf in shelves.items()
        for listed in shelf.values()
        if listed.day in days and listed.day not in chosen[table]
    ]
    for _, table, listed in sorted(waiting, key=lambda each: (each[0], each[1], each[2].day)):
        left -= listed.seconds
        if left < 0:
            break
        chosen[table].add(listed.day)
    return {table: sorted(each) for table, each in chosen.items()}


def needed_a_tick(grid: Grid, days: range, shelves: Mapping[str, Shelf]) -> float:
    """The seconds that must be read at each tick at least."""
    newest = set(days[-NEWEST_DAYS:])
    return sum(
        cost(shelf, newest) + cost(shelf, days) / max(1, len(shelf)) * _pace(grid, days)
        for shelf in shelves.values()
    )


def cost(shelf: Shelf, days: Iterable[int]) -> float:
    """The seconds that reading these days takes, as far as it is known."""
    return sum(shelf[day].seconds for day in days if day in shelf)


def _needed(grid: Grid, tick: int, days: range, shelf: Shelf) -> set[int]:
    needed = {day for day in days if day not in shelf or tick - shelf[day].tick > grid.horizon}
    needed |= {day for day in days[-NEWEST_DAYS:] if day not in shelf or shelf[day].tick < tick}
    oldest = sorted((shelf[day].tick, day) for day in days if day in shelf and shelf[day].tick < tick)
    due = [day for _, day in oldest if day not in needed][: _pace(grid, days)]
    return needed.union(due)


def _pace(grid: Grid, days: Sequence[int]) -> int:
    """So many days a tick, and none is older than the horizon."""
    return ceil(len(days) * grid.refresh / grid.horizon)


def spans(days: Iterable[int], longest: int) -> Iterator[range]:
    """The days, which are in order, as runs of at most so many that follow one another."""
    run: range | None = None
    for day in days:
        if run is not None and day == run.stop and len(run) < longest:
            run = range(run.start, day + 1)
            continue
        if run is not None:
            yield run
        run = range(day, day + 1)
    if run is not None:
        yield run


def budget_of(balance: float, elapsed: float, share: float) -> float:
    """The seconds that may be taken now, after what was left and `elapsed` seconds."""
    return min(balance + share * elapsed, share * AVERAGE_SECONDS)


def balance_of(budget: float, taken: float, share: float) -> float:
    """What is left of a budget; what was taken beyond it is paid back, up to the same bound."""
    return max(budget - taken, -share * AVERAGE_SECONDS)


def smoothed(before: float | None, now: float) -> float:
    """A moving average of a cost, which falls at once and rises slowly."""
    if before is None or now < before:
        return now
    return before + RISE * (min(now, 2 * before) - before)


def is_newest(day: int, tick: int) -> bool:
    """Whether a day is the running one or a later one: all that is dated later is read with it."""
    return day >= day_of(tick)
