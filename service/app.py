"""The composition root: builds everything from the settings, wires it, and closes it again."""

import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from litestar import Litestar

from service.api import routes
from service.api.errors import HANDLERS
from service.api.reply import Replies
from service.cache import store
from service.cache.observer import Observer
from service.cache.tick_cache import TickCache
from service.settings import Settings, from_environment
from service.snapshots import Snapshots
from service.sources.database import Database


def create_app(settings: Settings, clock: Callable[[], float] = time.time) -> Litestar:
    """The ASGI application. `clock` gives Unix seconds; nothing is connected before the first request."""
    database = Database(settings.database_url, settings.database_limits)
    redis = store.connect(settings.redis_url)
    policy = settings.cache_policy
    cache = TickCache(store.Store(redis, policy.lease), policy, clock, Observer())
    snapshots = Snapshots(cache, database, redis)
    replies = Replies(clock, lambda: snapshots.next_tick)

    @asynccontextmanager
    async def resources(_: Litestar) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await cache.close()
            await database.close()
            await redis.aclose()

    return Litestar(
        [routes.router(snapshots, replies, settings.thresholds), routes.schema_route()],
        lifespan=[resources],
        exception_handlers=HANDLERS,
        openapi_config=None,
        logging_config=None,
    )


def application() -> Litestar:
    """The application as the environment configures it: what server workers call."""
    return create_app(from_environment(os.environ))
