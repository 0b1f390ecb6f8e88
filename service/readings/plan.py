"""Which days to read now, and how much of the database's time that may take: pure decisions."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from math import ceil

from service.readings.grid import Grid, days_of
from service.readings.manifest import Listed

# The days that are read at every tick: the running one with all that is dated later, and yesterday.
NEWEST_DAYS = 2
# What takes no longer need not fit into the budget.
A_MOMENT = 0.25
# How much a cost that was higher than before counts, so that one slow moment does not pass for the rule.
RISE = 0.3


Shelf = Mapping[int, Listed]


def days_to_read(
    grid: Grid,
    tick: int,
    days: range,
    shelves: Mapping[str, Shelf],
    budget: float,
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
        if listed.day in days and listed.day not in chosen[table] and listed.tick < tick
    ]
    for _, table, listed in sorted(waiting, key=lambda each: (each[0], each[1], each[2].day)):
        left -= listed.seconds
        if left < 0:
            break
        chosen[table].add(listed.day)
    return {table: sorted(each) for table, each in chosen.items()}


def needed_now(grid: Grid, tick: int, days: range, shelves: Mapping[str, Shelf]) -> float:
    """The seconds that must be read at a tick whatever the budget is, as far as costs are known."""
    return sum(cost(shelf, _needed(grid, tick, days, shelf)) for shelf in shelves.values())


def set_aside(seconds: float, needed: float, budget: float, most: float) -> tuple[bool, float]:
    """Whether what takes so many seconds is read now, and the budget that is then left for days.

    What takes but a moment is read at every tick, as the newest days are. What does not fit yet is saved up
    for: no more days are read meanwhile than must be, unless even the `most` that can be saved up would not
    do.
    """
    if seconds <= max(A_MOMENT, budget - needed):
        return True, budget - seconds
    return False, needed if seconds <= most - needed else budget


def needed_a_tick(grid: Grid, tick: int, shelves: Mapping[str, Shelf], whole: Collection[str] = ()) -> float:
    """The seconds that must be read at each tick from now on, as far as costs are known."""
    return sum(
        cost(shelf, shelf) if table in whole else _least(grid, tick, shelf)
        for table, shelf in shelves.items()
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


def _least(grid: Grid, tick: int, shelf: Shelf) -> float:
    """The newest days, and on average each old day once in a horizon."""
    newest = set(days_of(tick, 1))
    old = [day for day in shelf if day not in newest]
    return cost(shelf, newest) + cost(shelf, old) * grid.refresh / grid.horizon


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


def smoothed(before: float | None, now: float) -> float:
    """A moving average of a cost, which falls at once and rises slowly."""
    if before is None or now < before:
        return now
    return before + RISE * (min(now, 2 * before) - before)
