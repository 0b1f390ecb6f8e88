"""All that is one tenant's: where its rows are, what was read of them, and what was made of that.

A request knows its tenant's workspace and reaches everything through it, so it cannot meet another's.
"""

from collections.abc import Callable
from typing import Any

from cachetools import FIFOCache, LRUCache
from msgspec import Struct

from service.cache.budget import Budget
from service.cache.observer import Observer
from service.cache.policy import Policy
from service.cache.store import Store
from service.cache.tick_cache import Bounds, TickCache
from service.readings.account import Rhythm, Share
from service.readings.fleet import Readings
from service.readings.grid import Grid
from service.readings.manifest import Manifest
from service.shared_redis import SharedRedis
from service.snapshots import Snapshots, Sources
from service.sources.database import Database, DatabaseLimits
from service.sources.replicas import Standbys
from service.tenants.line import Line
from service.tenants.tenant import Tenant

MAX_ANSWERS_BYTES = 32 * 1024 * 1024
MAX_PAGES_BYTES = 16 * 1024 * 1024
# A large one, of 169 points a trend, takes some 90 kB.
MAX_BOARDS = 128


class Common(Struct, frozen=True):
    """What all workspaces of a process have in common. `clock` gives Unix seconds.

    `share` is of the cores of one server. `ran` is told the section of statements, and their seconds; `watch`
    of each manifest that a tenant's tag has, and of none when its workspace closes.
    """

    redis: SharedRedis
    policy: Policy
    grid: Grid
    share: float
    clock: Callable[[], float]
    observer: Observer
    limits: DatabaseLimits
    standbys: Standbys
    ran: Callable[[str, float], None]
    watch: Callable[[str, Manifest | None], None]


class Budgets(Struct, frozen=True):
    """The bounds that all workspaces of a process have together."""

    caches: Bounds
    answers: Budget
    pages: Budget
    boards: Budget

    @classmethod
    def of(cls, bounds: Bounds) -> "Budgets":
        """With these bounds of caches."""
        return cls(bounds, Budget(MAX_ANSWERS_BYTES), Budget(MAX_PAGES_BYTES), Budget(MAX_BOARDS))


class Workspace:
    """See the module. `allowed` is what it may take of its server.

    Where there are several, its database is on that `server`, and requests stand in its `line`. What is
    made of its figures has places for what has a `cost` (`answers`), for pairs of a stamp and such (`pages`),
    and of a stamp and anything (`boards`).
    """

    def __init__(
        self,
        tenant: Tenant,
        database: Database,
        common: Common,
        budgets: Budgets,
        allowed: Share,
    ) -> None:
        self.tenant = tenant
        self.database = database
        self.line: Line | None = None
        self.server = ""
        # Once it turned out that the tenant has no place; whoever asks just then is told so.
        self.is_refused = False
        self._common = common
        self._budgets = budgets
        store = Store(common.redis, common.policy.lease, tenant.tag)
        self.cache = TickCache(store, common.policy, common.clock, common.observer, budgets.caches)
        self._rhythm = Rhythm(common.policy, common.grid, allowed)
        self.readings = Readings(self.cache, store, self.database, self._rhythm, self._watch)
        sources = Sources(tenant.tag, self.readings, self.database, common.redis)
        self.snapshots = Snapshots(self.cache, sources)
        self.answers: FIFOCache[Any, Any] = budgets.answers.joined(FIFOCache, getsizeof=_cost)
        self.pages: LRUCache[Any, Any] = budgets.pages.joined(LRUCache, getsizeof=_cost_of_made)
        self.boards: LRUCache[Any, Any] = budgets.boards.joined(LRUCache)

    @property
    def size(self) -> int:
        """About how many bytes its readings take."""
        return self.readings.size

    @property
    def share(self) -> float:
        """How many cores of its server it may take by now."""
        return self._rhythm.share

    async def close(self) -> None:
        """Stop what runs, close connections, and give memory back."""
        budgets = self._budgets
        budgets.answers.leave(self.answers)
        budgets.pages.leave(self.pages)
        budgets.boards.leave(self.boards)
        await self.cache.close()
        self._common.watch(self.tenant.tag, None)
        await self.database.close()

    def _watch(self, manifest: Manifest) -> None:
        self._common.watch(self.tenant.tag, manifest)


def _cost(value: Any) -> int:  # noqa: ANN401
    cost: int = value.cost
    return cost


def _cost_of_made(made: tuple[object, Any]) -> int:
    return _cost(made[1])
