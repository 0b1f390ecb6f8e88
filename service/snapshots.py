"""From a query to a snapshot: which sections it is made of, and how each is cached.

A section is cached by what it depends on and nothing else, so the snapshots of 25 sites and 4
target objects share 25 + 4 + 1 + 1 statements a tick.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from service.cache.keys import cache_key
from service.cache.parts import Part, State
from service.cache.tick_cache import TickCache
from service.overview import sections
from service.overview.failures import FailedJobs, FailedRuns
from service.overview.query import PageQuery, Query
from service.shared_redis import SharedRedis
from service.sources import (
    breakages,
    consumption_templates,
    doc_sync,
    failing_rows,
    overlay_cache,
    workflow_actions,
)
from service.sources.database import Database

T = TypeVar("T")


class Section(Struct, frozen=True):
    """One thing that is read: its type, which fields of a query it depends on, and how it is read.

    What is read from Redis, which is never needed, is as empty as its type's default while it cannot be
    had, and is named in `degraded` then.
    """

    name: str
    type: Any
    depends_on: tuple[str, ...]
    read: Callable[[Any, Any, datetime], Awaitable[Any]]
    in_redis: bool = False


# In the order of Snapshot's fields.
SECTIONS = (
    Section("doc_sync", sections.DocSync, ("window_days", "site_id"), doc_sync.read),
    Section(
        "workflow_actions",
        sections.WorkflowActions,
        ("window_days", "target_object"),
        workflow_actions.read,
    ),
    Section("breakages", sections.Breakages, ("window_days",), breakages.read),
    Section(
        "consumption_templates",
        sections.ConsumptionTemplates,
        ("template_key",),
        consumption_templates.read,
    ),
    Section("overlay_cache", sections.OverlayCache, ("window_days",), overlay_cache.read, in_redis=True),
)
FAILED_JOBS = Section("doc_sync_failures", FailedJobs, PageQuery.__struct_fields__, failing_rows.failed_jobs)
FAILED_RUNS = Section("workflow_failures", FailedRuns, PageQuery.__struct_fields__, failing_rows.failed_runs)


class Dated(Struct, Generic[T], frozen=True):
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
    """Answers queries from the cache, and fills it from the sources. `now` is in Unix seconds."""

    def __init__(self, cache: TickCache, database: Database, redis: SharedRedis) -> None:
        self._cache = cache
        self._database = database
        self._redis = redis

    async def get(self, query: Query, now: float) -> Dated[sections.Snapshot]:
        """The snapshot of a query, all sections as of one instant. Raises cache.Unavailable."""
        fields = {"window_days": query.window_days, **asdict(query.filters)}
        answer = await self._cache.get([self._part(section, query, fields) for section in SECTIONS], now)
        found = list(zip(SECTIONS, answer.values, strict=True))
        degraded = tuple(section.name for section, value in found if value is None)
        values = {each.name: each.type() if value is None else value for each, value in found}
        snapshot = sections.Snapshot(instant_of(answer.tick), query, **values, degraded=degraded)
        return Dated(snapshot, answer.tick, answer.state, degraded)

    async def failed_jobs(self, query: PageQuery, now: float) -> Dated[FailedJobs]:
        """A page of failed document sync jobs. Raises cache.Unavailable."""
        return await self._page(FAILED_JOBS, query, now)

    async def failed_runs(self, query: PageQuery, now: float) -> Dated[FailedRuns]:
        """A page of failed workflow action runs. Raises cache.Unavailable."""
        return await self._page(FAILED_RUNS, query, now)

    async def _page(self, section: Section, query: PageQuery, now: float) -> Dated[Any]:
        answer = await self._cache.get([self._part(section, query, asdict(query))], now)
        return Dated(answer.values[0], answer.tick, answer.state)

    def _part(self, section: Section, query: Query | PageQuery, fields: Mapping[str, Any]) -> Part:
        """`fields` are the query's, by the names in `depends_on`."""
        key = cache_key(section.name, **{name: fields[name] for name in section.depends_on})

        async def compute(tick: int) -> Any:  # noqa: ANN401
            source = self._redis if section.in_redis else self._database.for_section(section.name)
            return await section.read(source, query, instant_of(tick))

        return Part(section.name, key, compute, decoder(section.type), optional=section.in_redis)


@cache
def decoder(kind: Any) -> msgspec.msgpack.Decoder[Any]:  # noqa: ANN401
    """What reads values of that type from the cache."""
    return msgspec.msgpack.Decoder(kind)


def instant_of(tick: int) -> datetime:
    """The instant at which a tick begins."""
    return datetime.fromtimestamp(tick, UTC)
