"""A pause after readings that took their time and came to nothing, for the whole fleet."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from service.cache.keys import cache_key
from service.cache.store import Store
from service.readings.account import Rhythm
from service.shared_redis import RedisAway
from service.sources.database import DatabaseError, StatementTimeout

log = structlog.get_logger(__name__)

# Answers may be served for so much of MAX_STALE_SECONDS before the next attempt.
PART_OF_MAX_STALE = 0.25


class Pause:
    """Keeps to the database's share when statements are ended for taking too long."""

    def __init__(self, store: Store, rhythm: Rhythm) -> None:
        self._store = store
        self._rhythm = rhythm
        self._longest = rhythm.policy.max_stale * PART_OF_MAX_STALE
        self._key = cache_key(store.tenant, "pause")

    @asynccontextmanager
    async def between(self) -> AsyncIterator[None]:
        """Read during the block, if it is no time to pause. Raises DatabaseError."""
        if await self._is_on():
            raise DatabaseError("statements took too long a while ago; they are not tried again yet")
        started = time.monotonic()
        try:
            yield
        except StatementTimeout:
            await self._begin(time.monotonic() - started)
            raise

    async def _is_on(self) -> bool:
        try:
            return (await self._store.get([self._key]))[0] is not None
        except RedisAway:
            return False  # each for itself

    async def _begin(self, seconds: float) -> None:
        pause = min(seconds / self._rhythm.share, self._longest)
        log.warning(
            "a table cannot be read within the statement timeout",
            again_in_seconds=round(pause),
            remedy="`parallel-ops check` names missing indexes; or PARALLEL_OPS_STATEMENT_TIMEOUT_SECONDS",
        )
        try:
            await self._store.put(self._key, b"", pause)
        except RedisAway as error:
            log.info("pause not kept in redis", error=str(error))
