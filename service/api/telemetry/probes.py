"""What readiness looks at: the database with its columns, and Redis."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from itertools import islice

from redis.exceptions import RedisError
from sqlalchemy import select

from service.api.telemetry.health import Unhealthy
from service.cache.keys import NO_TENANT, cache_key
from service.certificates import refused
from service.shared_redis import SharedRedis
from service.sources.database import Database, DatabaseError, DatabaseLimits
from service.sources.inspection import ENCODING, Finding, findings
from service.sources.replicas import Standbys, database_at
from service.tenants.connections import says_none
from service.tenants.tenant import Tenant
from service.tenants.workspaces import Workspaces

# A probe has a connection of its own: readers that fill the pool are no reason to be sent none.
LIMITS = DatabaseLimits(statement_timeout_seconds=1.5, lock_timeout_seconds=1.0, max_queries=1)
# It has no time to wait for a standby that lags.
MAX_LAG_SECONDS = 0.2

PREPARING_SECONDS = 0.5
# Of many tenants, as many are tried before it is the server that is away.
MOST_PROBED = 3
PROBED_KEY = cache_key(NO_TENANT, "probe")

Probe = Callable[[], Awaitable[None]]


class Probed:
    """The database, by connections of its own.

    Where there are many, one does that belongs to a tenant who asked of late: what ails one of them is no
    reason to be sent none of the others' requests. A standby may lag `max_lag` seconds. `clock` gives Unix
    seconds.
    """

    def __init__(self, workspaces: Workspaces, max_lag: float, clock: Callable[[], float]) -> None:
        self._workspaces = workspaces
        self._standbys = Standbys(min(max_lag, MAX_LAG_SECONDS))
        self._clock = clock
        self._is_prepared = False
        self._database: Database | None = None
        self._tenant: Tenant | None = None

    async def look(self) -> None:
        """PostgreSQL answers; where there is one database, with columns that may be read, and are Unicode.

        Before it says so for the first time, what the first request would wait for is prepared, but for what
        takes long: tables may be locked, and connections in use. Raises Unhealthy.
        """
        only = self._workspaces.only
        tenants = [each.tenant for each in islice(self._workspaces.latest(), MOST_PROBED)]
        try:
            found = await self._any(tenants) if only is None else await findings(self._of(only.tenant))
            if only is not None and not found and not self._is_prepared:
                with suppress(TimeoutError):
                    async with asyncio.timeout(PREPARING_SECONDS):
                        await only.readings.prepare(self._clock())
                self._is_prepared = True
        except DatabaseError as error:
            reason = refused("PostgreSQL", error) or "PostgreSQL does not answer"
            raise Unhealthy(f"{reason}; `parallel-ops check` says more") from None
        if found:
            raise Unhealthy(f"{_reason(found)}; `parallel-ops check` says more")

    async def close(self) -> None:
        """Close the connection."""
        if self._database is not None:
            await self._database.close()

    async def _any(self, tenants: Sequence[Tenant]) -> Sequence[Finding]:
        """Nothing, if the database of one of the tenants answers or there is none. Raises DatabaseError."""
        known = [each for each in tenants if each == self._tenant]
        failure: DatabaseError | None = None
        for tenant in (*known, *(each for each in tenants if each not in known)):
            try:
                await (await self._moved_to(tenant)).rows(select(1))
            except DatabaseError as error:
                if says_none(error):  # the server is well, and has lost that one
                    return ()
                failure = error
            else:
                return ()
        if failure is not None:
            raise failure
        return ()

    async def _moved_to(self, tenant: Tenant) -> Database:
        if tenant != self._tenant:
            await self.close()
            self._database = None
        return self._of(tenant)

    def _of(self, tenant: Tenant) -> Database:
        if self._database is None:
            place = self._workspaces.tenancy.place_of(tenant)
            self._tenant = tenant
            self._database = database_at(place.url, LIMITS, schema=place.schema, standbys=self._standbys)
        return self._database


def _reason(found: Sequence[Finding]) -> str:
    for finding in found:
        if finding.problem == "wrong_encoding":
            return f"the database's encoding is {finding.table}, and {ENCODING} is needed"
    tables = ", ".join(sorted({finding.table for finding in found}))
    return f"not all columns can be read in: {tables}"


def redis_probe(redis: SharedRedis, tell: Callable[[bool], None]) -> Probe:
    """Redis answers; `tell` is told whether it does."""

    async def probe() -> None:
        try:
            # Past the breaker: this is how one hears that it is back. In a cluster, where our keys are.
            await redis.client.get(PROBED_KEY)
        except (RedisError, OSError) as error:
            tell(False)
            reason = refused("Redis", error) or "Redis does not answer"
            raise Unhealthy(f"{reason}; every process works for itself until it does") from None
        tell(True)

    return probe
