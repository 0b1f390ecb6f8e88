"""Reads days for the whole fleet: once a tick, under the lease of the tick's manifest.

A *manifest* says which reading of which day stands at a tick. It is published last, so nobody sees half a tick.
The readings lie in Redis beside it, and each process keeps those that it has needed.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog
from msgspec import Struct

from service.cache.entry import UnreadableEntry, decode, encode
from service.cache.keys import cache_key
from service.cache.parts import Part
from service.cache.policy import Policy
from service.cache.store import Store
from service.cache.tick_cache import TickCache
from service.overview.query import FILTERS, WINDOW_DAYS
from service.overview.sections import Breakages, ConsumptionTemplates
from service.readings import plan
from service.readings.grid import Grid, days_of, is_cut_for
from service.readings.plan import Listed
from service.readings.reading import Reading, StoredDay
from service.readings.sums import Sums, knows, summed
from service.readings.suggestions import names_in, suggested
from service.readings.tables import DAY_TABLES, JOBS, RUNS, DayTable, span_of
from service.shared_redis import RedisAway
from service.sources import breakages, consumption_templates
from service.sources.consumption_templates import Templates
from service.sources.database import Database

NAME = "readings"
DEEPEST = WINDOW_DAYS[-1]
# So many days a statement, so that none of them takes long.
LONGEST_SPAN = 100

log = structlog.get_logger(__name__)

_stored_days = msgspec.msgpack.Decoder(StoredDay)


class Manifest(Struct, frozen=True):
    """What stands at a tick, for windows of up to `window_days`.

    `balance` is what is left of the database's share, `others` what incidents and templates take; both in seconds.
    """

    tick: int
    window_days: int
    days: dict[str, tuple[Listed, ...]]
    incidents: dict[int, Breakages]
    templates: Templates
    balance: float
    others: float


_manifests = msgspec.msgpack.Decoder(Manifest)


class Found(Struct, frozen=True):
    """What statements gave, and the seconds that they took."""

    value: Any
    seconds: float


class Readings:
    """The day readings of this process, and the way to those of the fleet. All methods raise DatabaseError."""

    def __init__(
        self, cache: TickCache, store: Store, database: Database, policy: Policy, grid: Grid, share: float
    ) -> None:
        self._cache = cache
        self._store = store
        self._database = database
        self._policy = policy
        self._grid = grid
        self._share = share
        self._latest: Manifest | None = None
        self._before: Manifest | None = None
        self._held: dict[str, tuple[str, Listed, Reading]] = {}
        self._fetching = asyncio.Lock()

    async def sums(self, table: DayTable, tick: int, window_days: int, name: str | None) -> Sums:
        """The sums of a window at a tick, of one name when it is given."""
        manifest = await self._manifest(tick, window_days)
        days = self._readings_of(manifest, table)
        if name is not None and not knows(days, tick, window_days, name):
            stored, _ = await self._query(table, tick, days_of(tick, window_days), name)
            days = {each.day: table.reading(each) for each in stored}
        return summed(days, tick, window_days, name)

    async def breakages(self, tick: int, window_days: int) -> Breakages:
        """The incidents of a window."""
        return (await self._manifest(tick, window_days)).incidents[window_days]

    async def templates(self, tick: int, window_days: int, template_key: str | None) -> ConsumptionTemplates:
        """The template versions, of one key when it is given; read on the way to that window."""
        found = (await self._manifest(tick, window_days)).templates.section(template_key)
        if found is None:
            database = self._database.for_section("consumption_templates")
            rows = await database.rows(consumption_templates.statement(template_key))
            return consumption_templates.templates(rows).together
        return found

    async def suggestions(self, tick: int) -> dict[str, tuple[str, ...]]:
        """What each filter can be set to, as far as it is known by now."""
        manifest = await self._manifest(tick, WINDOW_DAYS[0])
        rows = [names_in(self._readings_of(manifest, table).values()) for table in (JOBS, RUNS)]
        rows.append(Counter({key: versions for key, versions, _ in manifest.templates.keys}))
        return dict(zip(FILTERS, map(suggested, rows), strict=True))

    async def _manifest(self, tick: int, window_days: int) -> Manifest:
        """What stands at a tick, with its readings at hand.

        As long as nobody knows all days, only those of the window are waited for, and the others follow.
        """
        if await self._base(tick) is not None:
            window_days = DEEPEST
        manifest: Manifest = await self._cache.at(self._part(window_days), tick)
        manifest = await self._with_readings(manifest)
        if window_days < DEEPEST:
            self._cache.begin(self._part(DEEPEST), tick)
        elif self._latest is None or self._latest.tick < tick:
            self._latest = manifest
            self._forget_the_replaced(manifest)
        return manifest

    async def _base(self, tick: int) -> Manifest | None:
        """A manifest of all days that is not too old to start from."""
        ticks = (tick, *self._policy.older(tick))
        if self._latest is not None and ticks[-1] <= self._latest.tick <= tick + self._policy.compute:
            return self._latest
        found: Manifest | None = await self._cache.newest(self._part(DEEPEST), ticks)
        return found

    def _part(self, window_days: int) -> Part:
        async def compute(tick: int) -> Manifest:
            return await self._read(tick, window_days)

        return Part(NAME, cache_key(NAME, window_days=window_days), compute, _manifests)

    async def _read(self, tick: int, window_days: int) -> Manifest:
        """Read what is due at a tick, share it, and say what stands then."""
        base = await self._base(tick)
        if base is not None:
            await self._fetch(base)
        shelves = {name: self._shelf(name, tick) for name in DAY_TABLES}
        budget, others = self._budget(base, tick)
        chosen = plan.days_to_read(self._grid, tick, days_of(tick, window_days), shelves, budget - others)
        spans = [
            (DAY_TABLES[name], span)
            for name, days in chosen.items()
            for span in plan.spans(days, LONGEST_SPAN)
        ]
        incidents, templates, *days = await _all(
            self._incidents(tick, window_days),
            self._templates(),
            *(self._read_span(table, tick, span) for table, span in spans),
        )
        await self._share_out([each for found in days for each in found.value])
        return Manifest(
            tick=tick,
            window_days=window_days,
            days={name: self._listed(name, tick, window_days) for name in DAY_TABLES},
            incidents=incidents.value,
            templates=templates.value,
            others=plan.smoothed(others, incidents.seconds + templates.seconds),
            balance=plan.balance_of(
                budget, sum(found.seconds for found in (incidents, templates, *days)), self._share
            )
            if base
            else 0.0,
        )

    def _budget(self, base: Manifest | None, tick: int) -> tuple[float, float]:
        """The seconds that may be taken at a tick, and those that incidents and templates will take of them."""
        if base is None:
            return 0.0, 0.0
        return plan.budget_of(base.balance, max(0, tick - base.tick), self._share), base.others

    async def _incidents(self, tick: int, window_days: int) -> Found:
        instant = datetime.fromtimestamp(tick, UTC)
        database = self._database.for_section("breakages")
        rows, seconds = await database.timed(breakages.statement(instant, window_days))
        return Found(breakages.sections(rows, window_days), seconds)

    async def _templates(self) -> Found:
        database = self._database.for_section("consumption_templates")
        rows, seconds = await database.timed(consumption_templates.statement())
        return Found(consumption_templates.templates(rows), seconds)

    async def _read_span(self, table: DayTable, tick: int, days: range) -> Found:
        """The encoded readings, by their keys, of days that follow one another; this process keeps them, too."""
        shelf = self._shelf(table.name, tick)
        stored, seconds = await self._query(table, tick, days, None)
        encoded = []
        for day in stored:
            before = shelf.get(day.day)
            a_day = plan.smoothed(before.seconds if before else None, seconds / len(days))
            listed = Listed(day.day, tick, secrets.token_hex(6), a_day)
            self._held[listed.id] = (table.name, listed, table.reading(day))
            key = _day_key(listed.id)
            encoded.append((key, encode(key, tick, a_day, day)))
            await asyncio.sleep(0)  # whoever waits for the event loop comes between
        return Found(encoded, seconds)

    async def _query(
        self, table: DayTable, tick: int, days: range, only: str | None
    ) -> tuple[list[StoredDay], float]:
        span = span_of(self._grid, tick, days)
        rows, seconds = await self._database.for_section(table.name).timed(table.statement(span, only))
        return list(table.stored(span, tick, rows)), seconds

    async def _share_out(self, encoded: Sequence[tuple[str, bytes]]) -> None:
        try:
            await self._store.put_all(dict(encoded), self._policy.kept_seconds + self._grid.horizon)
        except RedisAway as error:
            log.info("readings not kept in redis", error=str(error))

    async def _with_readings(self, manifest: Manifest) -> Manifest:
        """The manifest, with all its readings here; what cannot be had of them is read again, for this process."""
        await self._fetch(manifest)
        days = dict(manifest.days)
        for name, listed in manifest.days.items():
            missing = [each.day for each in listed if each.id not in self._held]
            if missing:
                for span in plan.spans(missing, LONGEST_SPAN):
                    await self._read_span(DAY_TABLES[name], manifest.tick, span)
                days[name] = self._listed(name, manifest.tick, manifest.window_days)
        return msgspec.structs.replace(manifest, days=days)

    async def _fetch(self, manifest: Manifest) -> None:
        """Take over what this process lacks of the manifest's readings, in one round trip."""
        async with self._fetching:
            lacking = [
                (name, each)
                for name, listed in manifest.days.items()
                for each in listed
                if each.id not in self._held
            ]
            if not lacking:
                return
            try:
                raws = await self._store.get([_day_key(each.id) for _, each in lacking])
            except RedisAway:
                return
            for (name, listed), raw in zip(lacking, raws, strict=True):
                self._take_over(name, listed, raw)
                await asyncio.sleep(0)

    def _take_over(self, name: str, listed: Listed, raw: bytes | None) -> None:
        if raw is None:
            return
        key = _day_key(listed.id)
        try:
            stored = decode(raw, key, listed.tick, _stored_days).value
        except UnreadableEntry as error:
            log.warning("unreadable reading ignored", key=key, error=str(error))
            return
        self._held[listed.id] = (name, listed, DAY_TABLES[name].reading(stored))

    def _shelf(self, name: str, tick: int) -> dict[int, Listed]:
        """The newest reading of each day that this process has and that can be used at a tick."""
        shelf: dict[int, Listed] = {}
        for table, listed, reading in self._held.values():
            if table != name or not 0 <= tick - listed.tick <= self._grid.horizon:
                continue
            if is_cut_for(reading.cuts, tick) and (
                listed.day not in shelf or shelf[listed.day].tick < listed.tick
            ):
                shelf[listed.day] = listed
        return shelf

    def _listed(self, name: str, tick: int, window_days: int) -> tuple[Listed, ...]:
        shelf = self._shelf(name, tick)
        return tuple(shelf[day] for day in days_of(tick, window_days))

    def _readings_of(self, manifest: Manifest, table: DayTable) -> dict[int, Reading]:
        return {each.day: self._held[each.id][2] for each in manifest.days[table.name]}

    def _forget_the_replaced(self, manifest: Manifest) -> None:
        """Drop the readings that neither this manifest nor the one before lists, nor are newer than it."""
        kept = {
            each.id
            for known in (manifest, self._before)
            if known
            for days in known.days.values()
            for each in days
        }
        self._before = manifest
        for id_, (_, listed, _) in list(self._held.items()):
            if id_ not in kept and listed.tick < manifest.tick:
                del self._held[id_]


def _day_key(reading_id: str) -> str:
    return cache_key("day", id=reading_id)


async def _all(*reads: Awaitable[Any]) -> Sequence[Any]:
    """The results of all, once none of them runs any more. Raises the first error."""
    results = await asyncio.gather(*reads, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results
