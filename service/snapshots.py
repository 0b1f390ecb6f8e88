"""From a query to a snapshot: which sections it is made of, and how each is cached.

A section is cached by what it depends on and nothing else, so the snapshots of 25 sites and 4
target objects share 25 + 4 + 1 + 1 statements a tick.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct
from redis.asyncio import Redis

from service.cache.keys import cache_key
from service.cache.parts import Part, State
from service.cache.tick_cache import TickCache
from service.overview import sections
from service.overview.failures import FailedJobs, FailedRuns
from service.overview.query import PageQuery, Query
from service.sources import breakages, consumption_templates, doc_sync, failures, workflow_actions
from service.sources.database import Database
from service.sources.overlay_cache import read_window

T = TypeVar("T")


class Held(Struct, Generic[T], frozen=True):
    """A value as of a tick, how it was come by, and what could not be had for it."""

    value: T
    tick: int
    state: State
    degraded: tuple[str, ...] = ()

    @property
    def instant(self) -> datetime:
        """The instant that the value is as of."""
        return instant_of(self.tick)


class Snapshots:
    """Answers queries from the cache, and fills it from the five sources."""

    def __init__(self, cache: TickCache, database: Database, redis: Redis) -> None:
        self._cache = cache
        self._database = database
        self._redis = redis

    @property
    def now(self) -> float:
        """The time in Unix seconds."""
        return self._cache.now

    @property
    def tick(self) -> int:
        """The start of the current tick in Unix seconds: fresh snapshots are as of this instant."""
        return self._cache.tick

    @property
    def next_tick(self) -> int:
        """When the next refresh is due, in Unix seconds."""
        return self._cache.next_tick

    async def get(self, query: Query) -> Held[sections.Snapshot]:
        """The snapshot of a query, all sections as of one instant. Raises cache.Unavailable."""
        answer = await self._cache.get(self._sections(query))
        jobs, runs, incidents, templates, overlay = answer.values
        degraded = () if overlay else ("overlay_cache",)
        snapshot = sections.Snapshot(
            instant=instant_of(answer.tick),
            query=query,
            doc_sync=jobs,
            workflow_actions=runs,
            breakages=incidents,
            consumption_templates=templates,
            overlay_cache=overlay or sections.OverlayCache(),
            degraded=degraded,
        )
        return Held(snapshot, answer.tick, answer.state, degraded)

    async def failed_jobs(self, query: PageQuery) -> Held[FailedJobs]:
        """A page of failed document sync jobs. Raises cache.Unavailable."""
        return await self._page("doc_sync_failures", "site", query, failures.failed_jobs)

    async def failed_runs(self, query: PageQuery) -> Held[FailedRuns]:
        """A page of failed workflow action runs. Raises cache.Unavailable."""
        return await self._page("workflow_failures", "target", query, failures.failed_runs)

    def _sections(self, query: Query) -> tuple[Part, ...]:
        """In the order of Snapshot's fields."""
        days = query.window_days
        section = partial(self._section, query)
        return (
            section("doc_sync", doc_sync.read, cache_key("doc_sync", days, site=query.filters.site_id)),
            section(
                "workflow_actions",
                workflow_actions.read,
                cache_key("workflow_actions", days, target=query.filters.target_object),
            ),
            section("breakages", breakages.read, cache_key("breakages", days)),
            section(
                "consumption_templates",
                consumption_templates.read,
                cache_key("consumption_templates", None, template=query.filters.template_key),
            ),
            Part(
                "overlay_cache",
                cache_key("overlay_cache", days),
                lambda tick: read_window(self._redis, instant_of(tick), days),
                _DECODERS["overlay_cache"],
                optional=True,
            ),
        )

    def _section(
        self,
        query: Query,
        name: str,
        read: Callable[[Database, Query, datetime], Awaitable[Any]],
        key: str,
    ) -> Part:
        return Part(name, key, lambda tick: read(self._database, query, instant_of(tick)), _DECODERS[name])

    async def _page(
        self,
        name: str,
        filtered_by: str,
        query: PageQuery,
        read: Callable[[Database, PageQuery, datetime], Awaitable[T]],
    ) -> Held[T]:
        key = cache_key(
            name,
            query.window_days,
            **{filtered_by: query.only},
            page=str(query.page),
            size=str(query.page_size),
        )
        part = Part(name, key, lambda tick: read(self._database, query, instant_of(tick)), _DECODERS[name])
        answer = await self._cache.get((part,))
        return Held(answer.values[0], answer.tick, answer.state)


_DECODERS: dict[str, msgspec.msgpack.Decoder[Any]] = {
    "doc_sync": msgspec.msgpack.Decoder(sections.DocSync),
    "workflow_actions": msgspec.msgpack.Decoder(sections.WorkflowActions),
    "breakages": msgspec.msgpack.Decoder(sections.Breakages),
    "consumption_templates": msgspec.msgpack.Decoder(sections.ConsumptionTemplates),
    "overlay_cache": msgspec.msgpack.Decoder(sections.OverlayCache),
    "doc_sync_failures": msgspec.msgpack.Decoder(FailedJobs),
    "workflow_failures": msgspec.msgpack.Decoder(FailedRuns),
}


def instant_of(tick: int) -> datetime:
    """The instant at which a tick begins."""
    return datetime.fromtimestamp(tick, UTC)
