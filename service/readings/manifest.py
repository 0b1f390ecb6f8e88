"""What belongs to a tick: which reading of which day stands, and what has no days."""

import msgspec
from msgspec import Struct

from service.cache.keys import cache_key
from service.readings.grid import Grid
from service.readings.recurrences import Recurrences
from service.sources.consumption_templates import Templates

NAME = "readings"


class Listed(Struct, frozen=True, array_like=True):
    """Which reading of a day stands: its tick, its name in Redis, and the seconds that a day takes."""

    day: int
    tick: int
    id: str
    seconds: float


class Spending(Struct, frozen=True):
    """What readings take of the database, in seconds, or in cores: seconds a second.

    `balance` is what is left of the share; `templates` is what those take at each tick. `needed` are
    the cores that it takes to renew everything in time, `taken` those of late.
    """

    balance: float = 0.0
    templates: float = 0.0
    needed: float = 0.0
    taken: float = 0.0


class Manifest(Struct, frozen=True):
    """What stands at a tick: the reading of each day, by section.

    `again_at` is the first tick at which everything is read anew. `replaced` names the readings that stood at
    the tick before and do so no more: whoever is late may still want them, until the next tick.
    """

    tick: int
    days: dict[str, tuple[Listed, ...]]
    recurrences: Recurrences
    templates: Templates
    spending: Spending
    again_at: int
    replaced: tuple[str, ...] = ()

    @property
    def ids(self) -> set[str]:
        """The names of all readings in it."""
        return {each.id for days in self.days.values() for each in days}

    @property
    def oldest(self) -> int:
        """The tick of the oldest reading in it."""
        return min(self.recurrences.tick, *(each.tick for days in self.days.values() for each in days))


decoder = msgspec.msgpack.Decoder(Manifest)


def manifest_key(grid: Grid, tenant: str) -> str:
    """The key of a tenant's manifests, without the tick.

    Instances whose ticks are longer or shorter, as between two deployments, have their own: when something is
    due again is counted in ticks. So have those of another time zone, whose days are cut elsewhere.
    """
    return cache_key(tenant, NAME, refresh=grid.refresh, zone=grid.zone.key)
