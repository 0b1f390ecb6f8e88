"""The database's share: what may be taken at a tick, and what was."""

from collections.abc import Callable, Collection, Mapping, Sequence
from math import ceil, exp

from msgspec import Struct

from service.cache.policy import Policy
from service.readings import plan
from service.readings.grid import Grid
from service.readings.manifest import Listed, Manifest, Spending
from service.readings.recurrences import Recurrences
from service.readings.tables import INCIDENTS

# The share is kept on average over so many seconds.
AVERAGE_SECONDS = 60
MOST_CORES = 64


class Share(Struct, frozen=True):
    """So many cores of a database server may be taken on average.

    Where many tenants share the server, they share that, too: there are so many `parts` by now, all equal,
    and this one is the `tenant`'s.
    """

    cores: float
    parts: Callable[[], int] = lambda: 1
    tenant: str | None = None

    @property
    def part(self) -> float:
        """The cores that may be taken now."""
        return self.cores / self.parts()

    def fitting(self, needed: float) -> float | None:
        """The cores of all parts together with which one that needs so many gets along, with some room.

        None where so many cannot be set.
        """
        fitting = max(0.01, round(needed * self.parts() * 1.2, 2))
        return fitting if fitting <= MOST_CORES else None


class Rhythm(Struct, frozen=True):
    """When is read what, and what of the database that may take."""

    policy: Policy
    grid: Grid
    allowed: Share

    @property
    def share(self) -> float:
        """The cores that may be taken now."""
        return self.allowed.part


class Taken(Struct, frozen=True):
    """The seconds of one tick's statements."""

    templates: float
    recurrences: float
    days: float

    @property
    def together(self) -> float:
        """All of them."""
        return self.templates + self.recurrences + self.days


class Account:
    """The seconds that may be taken at a tick, after those of the manifest before it, if there is one.

    What the first one takes is not counted: there is nothing to answer from before it is there.
    """

    def __init__(self, rhythm: Rhythm, before: Manifest | None, tick: int) -> None:
        self._rhythm = rhythm
        self._tick = tick
        self._is_first = before is None
        self._spending = before.spending if before else Spending()
        self._elapsed = max(0, tick - before.tick) if before else 0
        self._budget = min(self._spending.balance + rhythm.share * self._elapsed, self.most)

    @property
    def for_days(self) -> float:
        """The seconds that may be taken for days, beside all else that is read at each tick."""
        return self._budget - self._spending.templates

    def settled(
        self,
        taken: Taken,
        listed: Mapping[str, Sequence[Listed]],
        recurrences: Recurrences,
        whole: Collection[str],
    ) -> Spending:
        """What is left after so much was taken, and what is needed from now on."""
        grid = self._rhythm.grid
        templates = plan.smoothed(None if self._is_first else self._spending.templates, taken.templates)
        shelves = {section: {each.day: each for each in shelf} for section, shelf in listed.items()}
        ticks = 1 if INCIDENTS.section in whole else grid.horizon / grid.refresh
        needed = templates + recurrences.seconds / ticks
        needed += plan.needed_a_tick(grid, self._tick, shelves, whole)
        of_late = self._spending.taken
        if self._elapsed:
            weight = 1 - exp(-self._elapsed / AVERAGE_SECONDS)
            of_late += weight * (taken.together / self._elapsed - of_late)
        balance = 0.0 if self._is_first else max(self._budget - taken.together, -self.most)
        return Spending(balance, templates, needed / grid.refresh, of_late)

    def again_at(self, spending: Spending, whole: Collection[str]) -> int:
        """The first tick at which everything is read anew.

        That is the next one, unless a table can only be read as a whole: then as soon as the share allows,
        and never so late that answers get too old while it is read; half of their time at most is set aside
        for that.
        """
        policy, refresh = self._rhythm.policy, self._rhythm.grid.refresh
        ticks = ceil(spending.needed / self._rhythm.share) if whole else 1
        room = policy.room_for_pass(spending.needed * refresh)
        return self._tick + refresh * max(1, min(ticks, int((policy.max_stale - room) // refresh)))

    @property
    def most(self) -> float:
        """The seconds that can be saved up."""
        return self._rhythm.share * AVERAGE_SECONDS
