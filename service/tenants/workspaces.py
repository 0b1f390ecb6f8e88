"""The workspaces that are open: one of a deployment without many tenants, else one a tenant who asked."""

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from math import inf
from typing import cast

import structlog
from cachetools import TTLCache

from service.cache.flights import Flights, landing
from service.cache.tick_cache import MAX_FLIGHTS_OF_ONE, Bounds
from service.readings.account import Share
from service.readings.manifest import Spending
from service.sources.database import Connections, DatabaseError
from service.sources.replicas import database_at
from service.tenants.claims import Claims
from service.tenants.connections import NotThere, TenantDatabase, Turns
from service.tenants.line import Line
from service.tenants.neighbours import Neighbours, Told
from service.tenants.tenancy import REFUSED, Place, Tenancy
from service.tenants.tenant import Forbidden, Tenant
from service.tenants.workspace import Budgets, Common, Workspace

# A tenant that nobody asked for so long gives back what it has.
IDLE_SECONDS = 600.0
LOOK_SECONDS = 15.0
REFUSED_SECONDS = 60.0
MOST_REFUSED = 10_000
# Of the readings of all tenants in a process; who has most makes room.
MOST_READINGS_BYTES = 512 * 1024 * 1024

log = structlog.get_logger(__name__)


class Workspaces:
    """See the module. `timer` never goes back."""

    def __init__(self, tenancy: Tenancy, common: Common, timer: Callable[[], float] = time.monotonic) -> None:
        self.tenancy = tenancy
        self._common = common
        self._timer = timer
        self._open: dict[Tenant, Workspace] = {}
        self._asked_at: dict[Tenant, float] = {}
        self._neighbours = Neighbours(common.redis, common.clock)
        self._claims = Claims(common.redis, tenancy)
        # Those that turned out to have no place when they were open.
        self._leaving: list[Workspace] = []
        self._refused: TTLCache[Tenant, str] = TTLCache(MOST_REFUSED, REFUSED_SECONDS, timer)
        self._opening = Flights()
        bounds = Bounds.of(common.policy, MAX_FLIGHTS_OF_ONE if tenancy.is_many else sys.maxsize)
        self._budgets = Budgets.of(bounds)
        self._turns = Turns(common.limits.max_queries)
        self.only = None if tenancy.only is None else self._alone(tenancy.only)

    def at_hand(self, tenant: Tenant) -> Workspace | None:
        """The tenant's workspace, if it is open."""
        if self.only is not None:
            return self.only
        found = self._open.get(tenant)
        if found is not None:
            self._asked_at[tenant] = self._timer()
        return found

    async def of(self, tenant: Tenant) -> Workspace:
        """The tenant's workspace, opened if need be. Raises Forbidden where there is no place for it."""
        found = self.at_hand(tenant)
        if found is None:
            opening = self._opening.start(tenant, lambda: self._opened(tenant))
            found = cast("Workspace", await landing(opening))
        return found

    def latest(self) -> Iterator[Workspace]:
        """Those that are open, the one asked for last first."""
        for tenant in sorted(self._open, key=lambda each: -self._asked_at[each]):
            yield self._open[tenant]

    async def close_idle(self) -> None:
        """Close those that nobody asks for, and as long as others take too much memory, the largest."""
        while self._leaving:
            await self._leaving.pop().close()
        since = self._timer() - IDLE_SECONDS
        for workspace in list(self._open.values()):
            if self._asked_at.get(workspace.tenant, inf) <= since:
                await self._close(workspace)
        by_size = sorted(self._open.values(), key=lambda each: (each.size, -self._asked_at[each.tenant]))
        size = sum(each.size for each in by_size)
        while size > MOST_READINGS_BYTES and len(by_size) > 1:
            largest = by_size.pop()
            size -= largest.size
            await self._close(largest)

    async def keep_in_bounds(self) -> None:
        """Look again and again, for ever."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.close_idle()
                await self.tell_neighbours()
                await self.renew_claims()
            except Exception:  # whatever it is, the next look comes
                log.exception("tenants could not be kept in bounds this time")

    async def tell_neighbours(self) -> None:
        """Say what the tenants that are open here take, and hear with whom they share their servers."""
        await self._neighbours.tell(self._known_here())

    async def renew_claims(self) -> None:
        """Keep the places of those that are open, and let go of those that were another's in the fleet."""
        for tenant, owner in (await self._claims.renew()).items():
            self._refuse_second(tenant, owner)

    async def close(self) -> None:
        """Close all of them."""
        await self._opening.close()
        for workspace in [*self._leaving, *self._open.values(), *([self.only] if self.only else [])]:
            await workspace.close()

    def spending(self) -> Spending:
        """What refreshes take: of many tenants, of all in the fleet as far as this process has heard."""
        if self.only is not None:
            return self.only.readings.spending
        return self._neighbours.spending(self._known_here())

    def connections(self) -> Connections:
        """Those of all databases together."""
        return self._turns.connections() if self.only is None else self.only.database.connections()

    async def _opened(self, tenant: Tenant) -> Workspace:
        if tenant in self._refused:
            raise Forbidden(REFUSED)
        place = self.tenancy.place_of(tenant)
        if (owner := self._claims.begin(place, tenant)) != tenant.tag:
            self._refuse_second(tenant, owner)
            raise Forbidden(REFUSED)
        workspace = self._one_of_many(tenant, place)
        try:
            await workspace.database.timed()
        except NotThere:
            await self._given_up(workspace, place)
            raise Forbidden(REFUSED) from None
        except DatabaseError:
            pass  # nothing tells, as of a server that is away: what other instances have read can be had
        except BaseException:
            await self._given_up(workspace, place)
            raise
        self._open[tenant], self._asked_at[tenant] = workspace, self._timer()
        self._neighbours.joined(place.server)
        return workspace

    async def _given_up(self, workspace: Workspace, place: Place) -> None:
        self._claims.give_back(place)
        await workspace.close()

    async def _may_have(self, tenant: Tenant, place: Place, is_there: bool) -> bool:
        """Whether a place is a tenant's."""
        if is_there:
            if (owner := await self._claims.hold(place, tenant)) == tenant.tag:
                return True
            self._refuse_second(tenant, owner)
        else:
            log.warning("a tenant without a database or schema was refused", tenant=tenant.tag)
            self._refuse(tenant)
        return False

    def _refuse_second(self, tenant: Tenant, owner: str) -> None:
        """Of two ids that lead to one place, the second gets nothing of it."""
        log.error(
            "two tenants lead to one place, and the second was refused",
            tenant=tenant.tag,
            owner=owner,
            remedy="list the tenants that there are in PARALLEL_OPS_TENANTS",
        )
        self._refuse(tenant)

    def _refuse(self, tenant: Tenant) -> None:
        """For a while; one that is open already is closed at the next look."""
        self._refused[tenant] = REFUSED
        if (workspace := self._open.get(tenant)) is not None:
            workspace.is_refused = True
            self._leave(workspace)
            self._leaving.append(workspace)

    def _alone(self, tenant: Tenant) -> Workspace:
        place, common = self.tenancy.place_of(tenant), self._common
        database = database_at(place.url, common.limits, common.ran, place.schema, common.standbys)
        return Workspace(tenant, database, common, self._budgets, Share(common.share))

    def _one_of_many(self, tenant: Tenant, place: Place) -> Workspace:
        """One that has as much of its server's share as each other tenant there."""
        common, neighbours, server = self._common, self._neighbours, place.server
        judge = partial(self._may_have, tenant, place)
        database = TenantDatabase(place, common.limits, common.ran, self._turns, judge)
        share = Share(common.share, lambda: neighbours.at(server), tenant.tag)
        workspace = Workspace(tenant, database, common, self._budgets, share)
        workspace.line, workspace.server = Line(common.policy.answer), server
        return workspace

    def _known_here(self) -> dict[str, dict[str, Told]]:
        """What tenants need and take that are open here, by server."""
        now = self._common.clock()
        by_server: dict[str, dict[str, Told]] = {}
        for tenant, workspace in self._open.items():
            spending, tick = workspace.readings.spending, workspace.readings.tick
            told = Told(now, spending.needed, spending.taken, tick)
            by_server.setdefault(workspace.server, {})[tenant.tag] = told
        return by_server

    async def _close(self, workspace: Workspace) -> None:
        """Unless it was let go of while another was closed."""
        if self._open.get(workspace.tenant) is workspace:
            self._leave(workspace)
            await workspace.close()

    def _leave(self, workspace: Workspace) -> None:
        del self._open[workspace.tenant], self._asked_at[workspace.tenant]
        place = self.tenancy.place_of(workspace.tenant)
        self._claims.give_back(place)
        self._neighbours.left(place.server)
