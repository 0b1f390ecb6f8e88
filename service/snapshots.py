"""From a query to a snapshot: which sections it is made of, and how each is cached.

A section is cached by what it depends on and nothing else, so the snapshots of 25 sites and 4
target objects share 25 + 4 + 1 + 1 statements a tick.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from service.cache.keys import cache_key
from service.cache.parts import Answer, Part, State
from service.cache.tick_cache import TickCache
from service.cache.unavailable import Unavailable
from service.overview import sections
from service.overview.failures import EqualErrors, FailedJobs, FailedRuns, OpenIncidents
from service.overview.query import FILTERS, PageQuery, Query
from service.readings.fleet import Readings
from service.readings.tables import JOBS, RUNS
from service.shared_redis import SharedRedis
from service.sources import failing_rows, open_incidents, overlay_cache
from service.sources.database import Database

T = TypeVar("T")

# A page without suggestions is a page all the same.
CHOICES_SECONDS = 1.0


class Sources(Struct, frozen=True):
    """Where sections of a tenant come from; `tenant` is what its keys in Redis carry."""

    tenant: str
    readings: Readings
    database: Database
    redis: SharedRedis


class Section(Struct, frozen=True):
    """One thing that is read: its type, what of a query and the time zone it depends on, and how it is read.

    What is optional is as empty as its type's default while it cannot be had, and is named in `degraded`
    then. A sum of readings takes but a moment once these are there.
    """

    name: str
    type: Any
    depends_on: tuple[str, ...]
    read: Callable[[Sources, Any, int], Awaitable[Any]]
    optional: bool = False
    is_sum: bool = True


async def _doc_sync(sources: Sources, query: Query, tick: int) -> sections.DocSync:
    read = sources.readings.section(JOBS, tick, query.window_days, query.filters.site_id)
    return await read  # type: ignore[no-any-return]


async def _workflow_actions(sources: Sources, query: Query, tick: int) -> sections.WorkflowActions:
    read = sources.readings.section(RUNS, tick, query.window_days, query.filters.target_object)
    return await read  # type: ignore[no-any-return]


async def _breakages(sources: Sources, query: Query, tick: int) -> sections.Breakages:
    return await sources.readings.breakages(tick, query.window_days)


async def _templates(sources: Sources, query: Query, tick: int) -> sections.ConsumptionTemplates:
    return await sources.readings.templates(tick, query.filters.template_key)


async def _overlay_cache(sources: Sources, query: Query, tick: int) -> sections.OverlayCache:
    return await overlay_cache.read(sources.redis, query, instant_of(tick), sources.tenant)


async def _choices(sources: Sources, _query: None, tick: int) -> dict[str, tuple[str, ...]]:
    return await sources.readings.suggestions(tick)


def _list(
    name: str,
    kind: Any,  # noqa: ANN401
    read_from: Callable[[Database, PageQuery, datetime], Awaitable[Any]],
    without: Collection[str] = (),
) -> Section:
    """A section that is read by statements of its own, for a PageQuery without some of its fields."""

    async def read(sources: Sources, query: PageQuery, tick: int) -> Any:  # noqa: ANN401
        return await read_from(sources.database.for_section(name), query, instant_of(tick))

    depends_on = tuple(field for field in PageQuery.__struct_fields__ if field not in without)
    return Section(name, kind, depends_on, read, is_sum=False)


# In the order of Snapshot's fields.
SECTIONS = (
    Section("doc_sync", sections.DocSync, ("window_days", "site_id", "zone"), _doc_sync),
    Section(
        "workflow_actions",
        sections.WorkflowActions,
        ("window_days", "target_object", "zone"),
        _workflow_actions,
    ),
    Section("breakages", sections.Breakages, ("window_days", "zone"), _breakages),
    Section("consumption_templates", sections.ConsumptionTemplates, ("template_key",), _templates),
    Section(
        "overlay_cache", sections.OverlayCache, ("window_days",), _overlay_cache, optional=True, is_sum=False
    ),
)
CHOICES = Section("choices", dict[str, tuple[str, ...]], (), _choices)
_PAGE = ("page", "page_size")
LISTS = (
    FAILED_JOBS := _list("doc_sync_failures", FailedJobs, failing_rows.failed_jobs),
    FAILED_RUNS := _list("workflow_failures", FailedRuns, failing_rows.failed_runs),
    JOB_ERRORS := _list("doc_sync_errors", EqualErrors, failing_rows.equal_job_errors, without=_PAGE),
    RUN_ERRORS := _list("workflow_errors", EqualErrors, failing_rows.equal_run_errors, without=_PAGE),
    OPEN_INCIDENTS := _list("open_breakages", OpenIncidents, open_incidents.open_incidents),
)


class Dated(Struct, Generic[T], frozen=True):
    """A value as of a tick, how it was come by, and what could not be had for it.

    `stands` says whether at a moment it still is the best there is, as far as this process knows.
    """

    value: T
    tick: int
    state: State
    degraded: tuple[str, ...] = ()
    stands: Callable[[float], bool] = lambda _: True

    @property
    def instant(self) -> datetime:
        """The instant that the value is as of."""
        return instant_of(self.tick)


class Snapshots:
    """Answers queries from the cache, and fills it from the sources. `now` is in Unix seconds."""

    def __init__(self, cache: TickCache, sources: Sources) -> None:
        self._cache = cache
        self._sources = sources

    async def get(self, query: Query, now: float) -> Dated[sections.Snapshot]:
        """The snapshot of a query, all sections as of one instant. Raises cache.Unavailable."""
        zone = self._sources.readings.zone
        fields = {"window_days": query.window_days, **asdict(query.filters), "zone": zone.key}
        answer = await self._answer([self._part(section, query, fields) for section in SECTIONS], now)
        found = list(zip(SECTIONS, answer.values, strict=True))
        degraded = tuple(section.name for section, value in found if value is None)
        values = {each.name: each.type() if value is None else value for each, value in found}
        snapshot = sections.Snapshot(instant_of(answer.tick), query, **values, degraded=degraded, zone=zone)
        return Dated(snapshot, answer.tick, answer.state, degraded, answer.stands)

    async def _answer(self, parts: Sequence[Part], now: float) -> Answer:
        """The parts as of the moment that readings are of."""
        moment = await self._sources.readings.present(now)
        try:
            answer = await self._cache.get(parts, moment, is_past=moment != now)
        except Unavailable:
            # A process that has just come learns by asking that nothing is to be read yet.
            present = await self._sources.readings.present(now)
            if present == moment:
                raise
            moment, answer = present, await self._cache.get(parts, present, is_past=True)
        if moment == now or answer.state != "hit":
            return answer
        # Nothing of the values: an encoded answer keeps it for as long as it is kept itself.
        stands = partial(self._sources.readings.are_present, answer.tick)
        return replace(answer, state="stale", stands=stands)

    async def choices(self, now: float) -> Mapping[str, tuple[str, ...]]:
        """What each filter can be set to, if it is known by now: nothing is read for it."""
        try:
            async with asyncio.timeout(CHOICES_SECONDS):
                if not await self._sources.readings.are_known(now):
                    return dict.fromkeys(FILTERS, ())
                return (await self._answer([self._part(CHOICES, None, {})], now)).values[0]  # type: ignore[no-any-return]
        except (TimeoutError, Unavailable):
            return dict.fromkeys(FILTERS, ())

    async def failed_jobs(self, query: PageQuery, now: float) -> Dated[FailedJobs]:
        """A page of failed document sync jobs. Raises cache.Unavailable."""
        return await self.listed(FAILED_JOBS, query, now)

    async def failed_runs(self, query: PageQuery, now: float) -> Dated[FailedRuns]:
        """A page of failed workflow action runs. Raises cache.Unavailable."""
        return await self.listed(FAILED_RUNS, query, now)

    async def listed(self, section: Section, query: PageQuery, now: float) -> Dated[Any]:
        """What one of LISTS has for a query. Raises cache.Unavailable."""
        answer = await self._cache.get([self._part(section, query, asdict(query))], now)
        return Dated(answer.values[0], answer.tick, answer.state, stands=answer.stands)

    def _part(self, section: Section, query: Query | PageQuery | None, fields: Mapping[str, Any]) -> Part:
        """`fields` are the query's, by the names in `depends_on`."""
        key = cache_key(
            self._sources.tenant, section.name, **{name: fields[name] for name in section.depends_on}
        )

        async def compute(tick: int) -> Any:  # noqa: ANN401
            return await section.read(self._sources, query, tick)

        if not section.is_sum:
            return Part(section.name, key, compute, decoder(section.type), section.optional)
        readings = self._sources.readings
        return Part(
            *(section.name, key, compute, decoder(section.type), section.optional),
            is_ready=readings.are_at_hand,
            stale=readings.stale,
        )


@cache
def decoder(kind: Any) -> msgspec.msgpack.Decoder[Any]:  # noqa: ANN401
    """What reads values of that type from the cache."""
    return msgspec.msgpack.Decoder(kind)


def instant_of(tick: int) -> datetime:
    """The instant at which a tick begins."""
    return datetime.fromtimestamp(tick, UTC)
