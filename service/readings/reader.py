"""Reads days for the whole fleet: once a tick, under the lease of the tick's manifest.

The manifest is published last, so nobody sees half a tick. The readings lie in Redis beside it, and each
process keeps those that it has needed. While Redis is away each process reads for itself.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import astuple, replace

from service.cache.entry import UnreadableEntry, decode, encode
from service.cache.keys import cache_key
from service.cache.parts import Part
from service.cache.store import Store
from service.cache.tick_cache import TickCache
from service.overview.query import FILTERS, WINDOW_DAYS
from service.overview.sections import Breakages, ConsumptionTemplates
from service.readings import manifest as manifests
from service.readings import plan, recurrences
from service.readings.account import Account, Rhythm, Taken
from service.readings.advice import Advice
from service.readings.catalogue import Catalogue, Facts
from service.readings.grid import days_of
from service.readings.manifest import Listed, Manifest
from service.readings.reading import Name, StoredDay
from service.readings.recurrences import Recurrences
from service.readings.shelf import Shelf
from service.readings.suggestions import names_in, suggested
from service.readings.sums import Sums, knows, summed
from service.readings.tables import DAY_TABLES, INCIDENTS, JOBS, RUNS, DayTable, span_of
from service.shared_redis import RedisAway
from service.sources import breakages, consumption_templates
from service.sources.database import Database

NAME = "readings"
DEEPEST = WINDOW_DAYS[-1]

log = structlog.get_logger(__name__)

_stored_days = msgspec.msgpack.Decoder(StoredDay)


class NotDue(OSError):
    """Everything was read of late, and is not to be read again yet."""

    def __init__(self, manifest: Manifest) -> None:
        super().__init__(f"read as of {manifest.tick}, and not to be read again before {manifest.again_at}")


class Asked(Struct, frozen=True):
    """What a manifest is for."""

    tick: int
    window_days: int


class Due(Struct, frozen=True):
    """What is read at a tick: days by section, and recurrences unless those that are known will do."""

    known: Recurrences | None
    days: dict[str, list[int]]


class Found(Struct, frozen=True):
    """What a statement gave, and the seconds that it took."""

    value: Any
    seconds: float


class Readings:
    """The way from a tick to its readings. Everything raises DatabaseError.

    `watch` is told of each manifest of all days that this process comes to know.
    """

    def __init__(
        self,
        cache: TickCache,
        store: Store,
        database: Database,
        rhythm: Rhythm,
        watch: Callable[[Manifest], None] = lambda _: None,
    ) -> None:
        self._cache = cache
        self._store = store
        self._database = database
        self._rhythm = rhythm
        self._watch = watch
        self._catalogue = Catalogue(database)
        self._advice = Advice(rhythm.share)
        self._shelf = Shelf(rhythm.grid)
        self._latest: Manifest | None = None
        self._looked_at: int | None = None
        self._fetching = asyncio.Lock()

    async def present(self, now: float) -> float:
        """The moment that answers are of: now, unless everything is read whole and not yet again."""
        latest, policy = self._latest, self._rhythm.policy
        if latest is None or latest.again_at <= latest.tick + policy.refresh:
            return now
        tick = policy.tick(now)
        if latest.again_at <= now and self._looked_at != tick:
            self._looked_at = tick  # another process may have read it again
            latest = await self._look(range(tick, latest.tick, -policy.refresh)) or latest
        return float(latest.tick) if latest.tick <= now < latest.again_at else now

    async def sums(self, table: DayTable, tick: int, window_days: int, name: str | None) -> Sums:
        """The sums of a window at a tick, of one name when it is given."""
        manifest = await self._manifest(tick, window_days)
        days = self._shelf.readings(manifest.days[table.section])
        if name is not None and not knows(days, tick, window_days, name):
            found = await self._query(table, tick, days_of(tick, window_days), name)
            days = {each.day: table.reading(each) for each in found.value}
        return summed(days, tick, window_days, name)

    async def breakages(self, tick: int, window_days: int) -> Breakages:
        """The incidents of a window."""
        manifest = await self._manifest(tick, window_days)
        days = self._shelf.readings(manifest.days[INCIDENTS.section])
        found = summed(days, tick, window_days, None)
        found = replace(found, oldest=min(found.oldest, manifest.recurrences.tick))
        section: Breakages = INCIDENTS.section_of(found, tick)
        return replace(section, repeated=manifest.recurrences.at(tick, window_days))

    async def templates(self, tick: int, window_days: int, template_key: str | None) -> ConsumptionTemplates:
        """The template versions, of one key when it is given; `window_days` is asked for beside them."""
        known = (await self._manifest(tick, window_days)).templates.section(template_key)
        return known or (await self._templates(template_key)).value.together

    async def are_known(self, now: float) -> bool:
        """Whether somebody has read all days of late."""
        return await self._base(self._rhythm.policy.tick(now)) is not None

    async def suggestions(self, tick: int) -> dict[str, tuple[str, ...]]:
        """What each filter can be set to."""
        manifest = await self._manifest(tick, DEEPEST)
        found = [self._shelf.readings(manifest.days[table.section]).values() for table in (JOBS, RUNS)]
        rows: list[Mapping[Name, int]] = [names_in(readings) for readings in found]
        rows.append({key: versions for key, versions, _ in manifest.templates.keys})
        return dict(zip(FILTERS, map(suggested, rows), strict=True))

    async def _manifest(self, tick: int, window_days: int) -> Manifest:
        """What stands at a tick, its readings at hand.

        As long as nobody knows all days, only those of the window are waited for, and the others follow.
        """
        base = await self._base(tick)
        if base is not None:
            window_days = DEEPEST
            if base.tick < tick < base.again_at:
                raise NotDue(base)
        manifest: Manifest = await self._cache.at(self._part(window_days), tick)
        manifest = await self._at_hand(manifest)
        if window_days < DEEPEST:
            self._cache.begin(self._part(DEEPEST), tick)
        else:
            self._note(manifest)
        return manifest

    def _note(self, manifest: Manifest) -> None:
        if self._latest is None or self._latest.tick < manifest.tick:
            self._latest = manifest
            self._shelf.forget(manifest)
            self._watch(manifest)

    async def _base(self, tick: int) -> Manifest | None:
        """A manifest of all days that is young enough to start from."""
        policy = self._rhythm.policy
        ticks = (tick, *policy.older(tick))
        latest = self._latest
        if latest is not None and ticks[-1] <= latest.tick <= tick + policy.compute:
            return latest
        return await self._look(ticks)

    async def _look(self, ticks: Sequence[int]) -> Manifest | None:
        """The newest manifest that Redis knows, of these ticks."""
        found: Manifest | None = await self._cache.newest(self._part(DEEPEST), ticks)
        if found is not None:
            self._note(found)
        return found

    def _part(self, window_days: int) -> Part:
        async def compute(tick: int) -> Manifest:
            return await self._read(tick, window_days)

        return Part(NAME, cache_key(NAME, window_days=window_days), compute, manifests.decoder)

    async def _read(self, tick: int, window_days: int) -> Manifest:
        """Read what is due at a tick, share it, and say what stands then."""
        base = await self._base(tick)
        if base is not None:
            await self._fetch(base)
        facts = await self._catalogue.facts()
        account = Account(self._rhythm, base, tick)
        due = self._due(account, base, Asked(tick, window_days), facts)
        again, templates, *tables = await _all(
            self._recurrences(Asked(tick, window_days), due.known),
            self._templates(),
            *(self._read_days(DAY_TABLES[section], tick, facts, days) for section, days in due.days.items()),
        )
        await self._share_out({key: raw for found in tables for key, raw in found.value.items()})
        listed = {section: self._shelf.window(section, tick, window_days) for section in DAY_TABLES}
        taken = Taken(templates.seconds, again.seconds, sum(each.seconds for each in tables))
        spending = account.settled(taken, listed, again.value, facts.whole)
        self._advice.note(spending, facts)
        return Manifest(
            tick=tick,
            window_days=window_days,
            days=listed,
            recurrences=again.value,
            templates=templates.value,
            spending=spending,
            again_at=account.again_at(spending, facts.whole),
        )

    def _due(self, account: Account, base: Manifest | None, asked: Asked, facts: Facts) -> Due:
        """The days to read now, and the recurrences that are good enough, if they are."""
        tick, grid, days = asked.tick, self._rhythm.grid, days_of(asked.tick, asked.window_days)
        # Of a table that is read as a whole anyway, no day is spared.
        shelves = {
            section: {} if section in facts.whole else self._shelf.newest(section, tick)
            for section in DAY_TABLES
        }
        budget, known = account.for_days, None
        if base and INCIDENTS.section not in facts.whole and base.recurrences.is_for(*astuple(asked)):
            known = base.recurrences
            needed = plan.needed_now(grid, tick, days, shelves)
            again, budget = plan.set_aside(known.seconds, needed, budget, account.most)
            known = None if again else known
        return Due(known, plan.days_to_read(grid, tick, days, shelves, budget))

    async def _recurrences(self, asked: Asked, known: Recurrences | None) -> Found:
        """Those that are known, or read anew."""
        if known is not None:
            return Found(known, 0.0)
        tick, grid = asked.tick, self._rhythm.grid
        windows, edges = recurrences.windows_of(asked.window_days), recurrences.edges(grid, *astuple(asked))
        database = self._database.for_section(INCIDENTS.section)
        rows, seconds = await database.timed(breakages.recurrences(edges))
        alike = [recurrences.alike(row, len(windows)) for row in rows]
        repeated = recurrences.repeated(alike, windows, len(edges[0]))
        return Found(Recurrences(tick, grid.refresh, repeated, seconds), seconds)

    async def _templates(self, template_key: str | None = None) -> Found:
        database = self._database.for_section("consumption_templates")
        rows, seconds = await database.timed(consumption_templates.statement(template_key))
        return Found(consumption_templates.templates(rows), seconds)

    async def _read_days(self, table: DayTable, tick: int, facts: Facts, days: Sequence[int]) -> Found:
        """The encoded readings of days by their keys; this process keeps them, too."""
        known = self._shelf.newest(table.section, tick)
        encoded: dict[str, bytes] = {}
        seconds = 0.0
        for span in plan.spans(days, facts.longest_span(table.section)):
            found = await self._query(table, tick, span, None)
            seconds += found.seconds
            for stored in found.value:
                before = known.get(stored.day)
                a_day = plan.smoothed(before.seconds if before else None, found.seconds / len(span))
                listed = Listed(stored.day, tick, secrets.token_hex(6), a_day)
                self._shelf.put(table.section, listed, table.reading(stored))
                key = _day_key(listed)
                encoded[key] = encode(key, tick, a_day, stored)
                await asyncio.sleep(0)  # whoever waits for the event loop comes between
        return Found(encoded, seconds)

    async def _query(self, table: DayTable, tick: int, days: range, only: str | None) -> Found:
        span = span_of(self._rhythm.grid, tick, days)
        rows, seconds = await self._database.for_section(table.section).timed(table.statement(span, only))
        return Found(list(table.stored(span, tick, rows)), seconds)

    async def _share_out(self, encoded: dict[str, bytes]) -> None:
        expires_in = self._rhythm.policy.kept_seconds + self._rhythm.grid.horizon
        try:
            await self._store.put_all(encoded, expires_in)
        except RedisAway as error:
            log.info("readings not kept in redis", error=str(error))

    async def _at_hand(self, manifest: Manifest) -> Manifest:
        """The manifest, all its readings here; what cannot be had of them is read again, for this process."""
        await self._fetch(manifest)
        days = dict(manifest.days)
        for section, listed in manifest.days.items():
            lost = [each.day for each in self._shelf.lacks(listed)]
            if lost:
                await self._read_days(DAY_TABLES[section], manifest.tick, await self._catalogue.facts(), lost)
                days[section] = self._shelf.window(section, manifest.tick, manifest.window_days)
        return replace(manifest, days=days)

    async def _fetch(self, manifest: Manifest) -> None:
        """Take over what this process lacks of the manifest's readings, in one round trip."""
        async with self._fetching:
            lacks = [
                (section, each)
                for section, listed in manifest.days.items()
                for each in self._shelf.lacks(listed)
            ]
            if not lacks:
                return
            try:
                raws = await self._store.get([_day_key(listed) for _, listed in lacks])
            except RedisAway:
                return
            for (section, listed), raw in zip(lacks, raws, strict=True):
                stored = None if raw is None else _decoded(listed, raw)
                if stored is not None:
                    self._shelf.put(section, listed, DAY_TABLES[section].reading(stored))
                await asyncio.sleep(0)


def _day_key(listed: Listed) -> str:
    return cache_key("day", id=listed.id)


def _decoded(listed: Listed, raw: bytes) -> StoredDay | None:
    key = _day_key(listed)
    try:
        stored: StoredDay = decode(raw, key, listed.tick, _stored_days).value
    except UnreadableEntry as error:
        log.warning("unreadable reading ignored", key=key, error=str(error))
        return None
    return stored


async def _all(*reads: Awaitable[Found]) -> list[Found]:
    """The results of all, once none of them runs any more. Raises the first error."""
    results = await asyncio.gather(*reads, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results  # type: ignore[return-value]
