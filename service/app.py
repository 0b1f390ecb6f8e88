"""The composition root: builds everything from the settings, wires it, and closes it again."""

import asyncio
import gc
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import structlog
from litestar import Litestar
from msgspec.structs import replace

from service import logs
from service.api import routes
from service.api.authentication import Door, Tokens
from service.api.cors import Cors
from service.api.errors import HANDLERS
from service.api.gate import Gate
from service.api.health import Readiness, health_routes
from service.api.own_metrics import OwnMetrics, own_metrics_route
from service.api.probes import LIMITS, database_probe, redis_probe
from service.api.rate_limit import RateLimit
from service.api.reply import Replies
from service.api.request_log import request_log
from service.api.tally import Tally
from service.cache import store
from service.cache.tick_cache import TickCache
from service.choices import Choices, choices_policy
from service.dashboard import sign_in
from service.dashboard.pages import Pages
from service.dashboard.routes import board_routes
from service.draining import draining_sign, end_with_parent
from service.settings import Settings, from_environment
from service.snapshots import Snapshots
from service.sources.database import Connections, Database

PUBLISH_SECONDS = 1.0

log = structlog.get_logger(__name__)


def create_app(
    settings: Settings,
    clock: Callable[[], float] = time.time,
    draining: Callable[[], bool] = lambda: False,
) -> Gate:
    """The ASGI application. `clock` gives Unix seconds; nothing is connected before the first request.

    `draining` says whether shutdown has begun: nobody should send requests any more.
    """
    database = Database(settings.database_url, settings.database_limits)
    probed = Database(settings.database_url, LIMITS)
    redis = store.connect(settings.redis_url)
    policy = settings.cache_policy
    tally = Tally()
    metrics = _Watch(tally, database.connections, settings.slow_statement_seconds)
    cache = TickCache(store.Store(redis, policy.lease), policy, clock, metrics)
    snapshots = Snapshots(cache, database, redis)
    slow_cache = TickCache(store.Store(redis, policy.lease), choices_policy(policy), clock, metrics)
    choices = Choices(slow_cache, database)
    pages = Pages(settings.thresholds, settings.refresh_seconds)
    replies = Replies(clock, lambda: snapshots.next_tick)
    endpoints = routes.endpoints(snapshots, replies, settings.thresholds)
    probes = {"postgresql": database_probe(probed), "redis": redis_probe(redis, metrics.redis_is)}
    door = _door(settings)
    readiness = Readiness(probes, frozenset({"postgresql"}), draining)

    @asynccontextmanager
    async def resources(_: Litestar) -> AsyncIterator[None]:
        publishing = asyncio.create_task(_publish(metrics))
        try:
            yield
        finally:
            publishing.cancel()
            with suppress(asyncio.CancelledError):
                await publishing
            await readiness.close()
            await cache.close()
            await slow_cache.close()
            await database.close()
            await probed.close()
            await redis.aclose()

    app = Litestar(
        [
            routes.router(endpoints),
            routes.schema_route(),
            own_metrics_route(metrics, readiness),
            *health_routes(readiness),
            *board_routes(snapshots, choices, pages, clock),
            *sign_in.sign_in_routes(door),
        ],
        lifespan=[resources],
        exception_handlers=HANDLERS,
        openapi_config=None,
        logging_config=None,
    )
    entrance = replace(
        sign_in.entrance(door),
        limit=RateLimit(settings.rate_limit, redis) if settings.rate_limit else None,
        cors=Cors(settings.origins) if settings.origins else None,
    )
    return Gate(app, endpoints, entrance, tally, request_log(settings.log_format))


class _Watch(OwnMetrics):
    """Counts computations, and logs the slow ones."""

    def __init__(self, tally: Tally, connections: Callable[[], Connections], slow_seconds: float) -> None:
        super().__init__(tally, connections)
        self._slow_seconds = slow_seconds

    def computed(self, name: str, seconds: float) -> None:
        super().computed(name, seconds)
        if seconds >= self._slow_seconds:
            log.warning("slow statement", section=name, seconds=round(seconds, 3))


def _door(settings: Settings) -> Door:
    keys = settings.token_keys
    if keys is None:
        log.warning(
            "authentication is disabled: whoever reaches this port may read everything",
            remedy="PARALLEL_OPS_AUTH=required",
        )
    return Door(Tokens(keys) if keys else None, settings.scrape_token)


async def _publish(metrics: OwnMetrics) -> None:
    """Let the other workers see, once a second, what this one has counted."""
    while True:
        metrics.publish()
        await asyncio.sleep(PUBLISH_SECONDS)


def application() -> Gate:
    """The application as the environment configures it: what server workers call."""
    settings = from_environment(os.environ)
    logs.configure(settings.log_format)
    # Ctrl-C is for the parent alone, which stops its workers when their requests are answered.
    os.setpgrp()
    end_with_parent()
    app = create_app(settings, draining=draining_sign())
    # What is loaded by now stays. The collector need not look through it again, while callers wait.
    gc.freeze()
    return app
