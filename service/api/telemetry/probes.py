"""What readiness looks at: the database with its columns, and Redis."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from redis.exceptions import RedisError

from service.api.telemetry.health import Unhealthy
from service.cache.keys import cache_key
from service.certificates import refused
from service.shared_redis import SharedRedis
from service.sources.database import Database, DatabaseError, DatabaseLimits
from service.sources.inspection import ENCODING, Finding, findings

# A probe has a connection of its own: readers that fill the pool are no reason to be sent none.
LIMITS = DatabaseLimits(statement_timeout_seconds=1.5, lock_timeout_seconds=1.0, max_queries=1)
# It has no time to wait for a standby that lags.
MAX_LAG_SECONDS = 0.2

PREPARING_SECONDS = 0.5
PROBED_KEY = cache_key("probe")

Probe = Callable[[], Awaitable[None]]


def database_probe(database: Database, prepare: Callable[[], Awaitable[None]]) -> Probe:
    """PostgreSQL answers, and the columns that the service reads are there, may be read, and are Unicode.

    Before it says so for the first time, what the first request would wait for is prepared, but for what
    takes long: tables may be locked, and connections in use.
    """
    is_prepared = False

    async def probe() -> None:
        nonlocal is_prepared
        try:
            found = await findings(database)
            if not found and not is_prepared:
                with suppress(TimeoutError):
                    async with asyncio.timeout(PREPARING_SECONDS):
                        await prepare()
                is_prepared = True
        except DatabaseError as error:
            reason = refused("PostgreSQL", error) or "PostgreSQL does not answer"
            raise Unhealthy(f"{reason}; `parallel-ops check` says more") from None
        if found:
            raise Unhealthy(f"{_reason(found)}; `parallel-ops check` says more")

    return probe


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
