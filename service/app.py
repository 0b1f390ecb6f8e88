"""The composition root: builds everything from the settings, wires it, and closes it again."""

import asyncio
import gc
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

import structlog
from litestar import Litestar
from litestar.exceptions import HTTPException
from msgspec import Struct

from service import logs
from service.api.access.admission import Admission
from service.api.access.authentication import Authenticator, TokenVerifier
from service.api.access.cors import Cors
from service.api.access.forwarded import Proxies
from service.api.access.hosts import Hosts
from service.api.access.rate_limit import RateLimit
from service.api.context import RequestContext
from service.api.dependencies import dependencies
from service.api.endpoints import HANDLERS
from service.api.middleware import RequestMiddleware, raise_found_error
from service.api.openapi import openapi_document
from service.api.replay import Replay
from service.api.telemetry.health import Readiness, health_routes
from service.api.telemetry.own_metrics import OwnMetrics, own_metrics_route
from service.api.telemetry.probes import Probed, redis_probe
from service.api.telemetry.request_counts import RequestCounts
from service.api.telemetry.request_log import request_log
from service.dashboard.pages import Pages
from service.dashboard.routes import board_routes
from service.dashboard.sign_in import SignIn
from service.dashboard.strangers import Strangers
from service.draining import draining_sign, end_with_parent
from service.heap import keep_small
from service.redis_clients import connect
from service.redis_kinds import warn_if_mistaken
from service.settings import Settings, from_environment, unknown_variables
from service.shared_redis import SharedRedis
from service.sources.replicas import Standbys
from service.tenants.workspace import Common
from service.tenants.workspaces import Workspaces
from service.tracing import spans_of
from service.unread import hang_up_on_the_deaf

if TYPE_CHECKING:
    from service.tracing.spans import Spans

PUBLISH_SECONDS = 1.0

log = structlog.get_logger(__name__)


class Resources(Struct, frozen=True):
    """What holds connections and running tasks."""

    workspaces: Workspaces
    probed: Probed
    redis: SharedRedis
    redis_url: str
    readiness: Readiness
    metrics: OwnMetrics
    spans: "Spans | None"

    @asynccontextmanager
    async def open(self, _: Litestar) -> AsyncIterator[None]:
        """Litestar's lifespan: but for a look at Redis, nothing is connected before the first request."""
        tasks = [
            asyncio.create_task(each)
            for each in (
                _publish(self.metrics),
                warn_if_mistaken(self.redis_url),
                self.workspaces.keep_in_bounds(),
                keep_small(),
            )
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await self.readiness.close()
            await self.workspaces.close()
            await self.probed.close()
            await self.redis.client.aclose()
            if self.spans is not None:
                await self.spans.close()


def create_app(
    settings: Settings,
    clock: Callable[[], float] = time.time,
    draining: Callable[[], bool] = lambda: False,
    spans: "Spans | None" = None,
) -> Litestar:
    """The application. `clock` gives Unix seconds.

    `draining` says whether shutdown has begun: nobody should send requests any more. `spans` traces requests.
    """
    counts = RequestCounts()
    metrics = OwnMetrics(counts, lambda: workspaces, settings.thresholds)  # which are made below
    metrics.readings.allow(settings.database_share)
    redis = SharedRedis(connect(settings.redis_url))
    if spans is not None:
        spans.follow(redis.client)
    workspaces = Workspaces(settings.tenancy, _common(settings, redis, clock, metrics))
    probed = Probed(workspaces, settings.max_replica_lag_seconds, clock)
    probes = {"postgresql": probed.look, "redis": redis_probe(redis, metrics.redis_is)}
    readiness = Readiness(probes, frozenset({"postgresql"}), draining)
    authenticator = _authenticator(settings)
    replay = Replay(settings.cache_policy, settings.thresholds, clock)
    record = partial(_record, counts, request_log(settings.log_format))
    admission = _admission(settings, authenticator, redis)
    sign_in = SignIn(authenticator, settings.sign_in_hint)
    middleware = RequestMiddleware(
        admission, workspaces, replay, record=record, clock=clock, refuse_unrouted=Strangers(sign_in).refuse
    )
    resources = Resources(workspaces, probed, redis, settings.redis_url, readiness, metrics, spans)
    pages = Pages(settings.thresholds, settings.refresh_seconds, settings.links)
    board = board_routes(pages, sign_in, clock)
    return Litestar(
        [
            *(*HANDLERS, openapi_document, own_metrics_route(metrics, readiness)),
            *(*health_routes(readiness), *board, *sign_in.routes()),
        ],
        dependencies=dependencies(replay),
        middleware=[*(spans.middleware if spans else ()), middleware],
        guards=[raise_found_error],
        exception_handlers={Exception: middleware.refuse, HTTPException: middleware.refuse},
        lifespan=[resources.open],
        openapi_config=None,
        logging_config=None,
    )


def _common(
    settings: Settings, redis: SharedRedis, clock: Callable[[], float], metrics: OwnMetrics
) -> Common:
    return Common(
        redis=redis,
        policy=settings.cache_policy,
        grid=settings.grid,
        share=settings.database_share,
        clock=clock,
        observer=metrics,
        limits=settings.database_limits,
        standbys=Standbys(settings.max_replica_lag_seconds, metrics.readings.read_from),
        ran=metrics.readings.ran,
        watch=metrics.readings.stands,
    )


def _authenticator(settings: Settings) -> Authenticator:
    keys, tenancy = settings.token_keys, settings.tenancy
    if tenancy.is_of_any:
        log.warning(
            "one database holds the figures of all tenants: any tenant's token opens it",
            remedy="PARALLEL_OPS_TENANTS=acme lets one in; a list of several wants a database or schema each",
        )
    if keys is None:
        log.warning(
            "authentication is disabled: whoever reaches this port may read everything",
            remedy="PARALLEL_OPS_AUTH=required",
        )
    verifier = TokenVerifier(keys, tenancy) if keys else None
    return Authenticator(verifier, settings.scrape_token, tenancy)


def _admission(settings: Settings, authenticator: Authenticator, redis: SharedRedis) -> Admission:
    limit = RateLimit(settings.rate_limit, redis) if settings.rate_limit else None
    cors = Cors(settings.origins) if settings.origins else None
    proxies = Proxies(settings.proxies) if settings.proxies else None
    hosts = None if settings.hosts is None else Hosts(settings.hosts)
    return Admission(authenticator, limit, cors, proxies, hosts)


def _record(
    counts: RequestCounts,
    note: Callable[[RequestContext, float], None],
    context: RequestContext,
    seconds: float,
) -> None:
    counts.count((context.route, context.status, context.cache), seconds)
    note(context, seconds)


async def _publish(metrics: OwnMetrics) -> None:
    """Let the other workers see, once a second, what this one has counted."""
    while True:
        metrics.publish()
        await asyncio.sleep(PUBLISH_SECONDS)


def application() -> Litestar:
    """The application as the environment configures it: what server workers call."""
    settings = from_environment(os.environ)
    logs.configure(settings.log_format)
    for each in unknown_variables(os.environ):
        log.warning("unknown variable: it changes nothing", variable=each.variable, nearest=each.nearest)
    # Ctrl-C is for the parent alone, which stops its workers when their requests are answered.
    os.setpgrp()
    end_with_parent()
    hang_up_on_the_deaf()
    app = create_app(settings, draining=draining_sign(), spans=spans_of(os.environ))
    # What is loaded by now stays. The collector need not look through it again, while callers wait.
    gc.freeze()
    return app
