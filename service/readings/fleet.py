"""Readings for the whole fleet: made once a tick, by one process at a time, under the manifest's lease.

The manifest is published last, so nobody sees half a tick. The readings lie in Redis beside it, and each
process keeps those that it has needed. While Redis is away each process reads for itself.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from service.cache.parts import NotDue, Part
from service.cache.store import Store
from service.cache.tick_cache import TickCache
from service.overview.query import FILTERS
from service.overview.sections import Breakages, ConsumptionTemplates
from service.readings import manifest as manifests
from service.readings.account import Rhythm
from service.readings.first_looks import FirstLooks
from service.readings.grid import Window
from service.readings.manifest import NAME, Manifest, Spending, manifest_key
from service.readings.pause import Pause
from service.readings.reader import Reader
from service.readings.reading import Name
from service.readings.shared import SharedReadings
from service.readings.shelf import Shelf
from service.readings.suggestions import names_in, suggested
from service.readings.sums import Courses, knows, summed
from service.readings.tables import DAY_TABLES, INCIDENTS, JOBS, RUNS, DayTable
from service.readings.worst import Worst, ranked
from service.sources.database import Database

# The section that has no days.
TEMPLATES = "consumption_templates"


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
        self._rhythm = rhythm
        self._watch = watch
        self._shelf = Shelf(rhythm.grid)
        self._shared = SharedReadings(store, self._shelf, rhythm)
        self._reader = Reader(database, self._shelf, rhythm)
        self._first_looks = FirstLooks(rhythm.policy.max_stale)
        self._courses = {section: Courses() for section in DAY_TABLES}
        self._worst = {table.section: Worst(table.ranks) for table in (JOBS, RUNS)}
        self._pause = Pause(store, rhythm)
        key = manifest_key(rhythm.grid, store.tenant)
        self._part = Part(NAME, key, self._read, manifests.decoder, in_turn=True)
        self._latest: Manifest | None = None
        self._looked_at: int | None = None
        self._complete: Manifest | None = None
        self._reading, self._completing = asyncio.Lock(), asyncio.Lock()

    @property
    def zone(self) -> ZoneInfo:
        """Whose clock the days and hours are of."""
        return self._rhythm.grid.zone

    @property
    def size(self) -> int:
        """About how many bytes of this process they take."""
        return self._shelf.size

    @property
    def spending(self) -> Spending:
        """What they need of the database and take of it, by the latest that is known."""
        return Spending() if self._latest is None else self._latest.spending

    @property
    def tick(self) -> int:
        """That of the latest that is known; 0 before the first."""
        return 0 if self._latest is None else self._latest.tick

    async def prepare(self, now: float) -> None:
        """Have ready what does not depend on any tick: the first answer takes no longer than others then."""
        await self._reader.prepare(now)

    async def present(self, now: float) -> float:
        """The moment that answers are of: now, unless everything is read whole and not yet again."""
        latest, policy = self._latest, self._rhythm.policy
        if latest is None or latest.again_at <= latest.tick + policy.refresh:
            return now
        tick = policy.tick(now)
        if latest.again_at <= now and self._looked_at != tick:
            self._looked_at = tick  # another process may have read it again
            await self._look(range(tick, latest.tick, -policy.refresh))
        return float(self.tick) if self.are_present(self.tick, now) else now

    def are_present(self, tick: int, now: float) -> bool:
        """Whether those of that tick are the latest that is known, and not to be read again yet."""
        return self.tick == tick <= now and self._latest is not None and now < self._latest.again_at

    async def section(self, table: DayTable, tick: int, window_days: int, name: str | None) -> Any:  # noqa: ANN401
        """The section of a window at a tick, of one name when it is given."""
        window = Window(tick, window_days, self.zone)
        manifest = await self._manifest(tick, table.section, len(window.read))
        if manifest is None:
            async with self._looking(table.section, tick):
                days, names = await self._reader.look(table, window, name)
        else:
            listed = manifest.days[table.section]
            days = self._shelf.readings(listed)
            if name is None or knows(days, window, name):
                sums = self._courses[table.section].of(listed, days, window, name).sums(window)
                worst = () if name else await self._worst[table.section].of(listed, days, window)
                return table.section_of(sums, tick, worst)
            days, names = await self._reader.look(table, window, name)
        return table.section_of(summed(days, window, None), tick, ranked(names, table.ranks))

    async def breakages(self, tick: int, window_days: int) -> Breakages:
        """The incidents of a window."""
        window = Window(tick, window_days, self.zone)
        manifest = await self._manifest(tick, INCIDENTS.section, len(window.read))
        if manifest is None:
            async with self._looking(INCIDENTS.section, tick):
                days, repeated = await self._reader.incidents(window)
            found = summed(days, window, None)
        else:
            listed = manifest.days[INCIDENTS.section]
            days = self._shelf.readings(listed)
            found = self._courses[INCIDENTS.section].of(listed, days, window, None).sums(window)
            found = replace(found, oldest=min(found.oldest, manifest.recurrences.tick))
            repeated = manifest.recurrences.at(tick, window_days)
        section: Breakages = INCIDENTS.section_of(found, tick)
        return replace(section, repeated=repeated)

    async def templates(self, tick: int, template_key: str | None) -> ConsumptionTemplates:
        """The template versions, of one key when it is given."""
        manifest = await self._manifest(tick, TEMPLATES)
        if manifest is None:
            async with self._looking(TEMPLATES, tick):
                return await self._reader.template(template_key)
        known = manifest.templates
        if template_key is None:
            return known.together
        return known.of(template_key) or await self._reader.template(template_key)

    def are_at_hand(self, tick: int) -> bool:
        """Whether all readings of a tick are here."""
        known = self._complete
        return known is not None and known.tick == tick

    def stale(self) -> float:
        """The age up to which what is made of readings hides that these are made anew, if that is seldom."""
        known, policy = self._latest, self._rhythm.policy
        if known is None or known.again_at <= known.tick + policy.refresh:
            return 0.0
        return known.again_at - known.tick + policy.room_for_pass(known.spending.needed * policy.refresh)

    async def are_known(self, now: float) -> bool:
        """Whether somebody has read all days of late."""
        return await self._base(self._rhythm.policy.tick(now)) is not None

    async def suggestions(self, tick: int) -> dict[str, tuple[str, ...]]:
        """What each filter can be set to."""
        manifest = await self._manifest(tick, NAME) or await self._all_days(tick)
        found = [self._shelf.readings(manifest.days[table.section]).values() for table in (JOBS, RUNS)]
        rows: list[Mapping[Name, int]] = [names_in(readings) for readings in found]
        rows.append({key: versions for key, versions, _ in manifest.templates.keys})
        return dict(zip(FILTERS, map(suggested, rows), strict=True))

    async def _manifest(self, tick: int, section: str, read_days: int = 0) -> Manifest | None:
        """What stands at a tick, its readings at hand; None for who may have a first look at a section."""
        base = await self._base(tick)
        if base is None and await self._may_look(tick, section, read_days):
            return None
        _require_due(base, tick)
        return await self._all_days(tick)

    async def _may_look(self, tick: int, section: str, read_days: int) -> bool:
        is_small = await self._reader.may_look(section, read_days)
        return (
            is_small and self._first_looks.is_free(section, tick) and not self._cache.holds(self._part, tick)
        )

    async def _all_days(self, tick: int) -> Manifest:
        if self._complete is not None and self._complete.tick == tick:
            return self._complete
        manifest = await self._at_hand(await self._cache.at(self._part, tick))
        self._note(manifest)
        return manifest

    @asynccontextmanager
    async def _looking(self, section: str, tick: int) -> AsyncIterator[None]:
        """Have a first look during the block; all days follow behind it."""
        async with self._first_looks.at(section, tick):
            yield
        self._cache.begin(self._part, tick)

    def _note(self, manifest: Manifest) -> None:
        if self._latest is None or self._latest.tick < manifest.tick:
            self._latest = manifest
            self._forget()
            self._watch(manifest)

    def _forget(self) -> None:
        """Keep no readings but those that answers are made of now, or will be next."""
        known = [each for each in (self._latest, self._complete) if each is not None]
        newest = max(each.tick for each in known)
        self._shelf.forget(set[str]().union(*(each.ids for each in known)), newest)

    async def _base(self, tick: int) -> Manifest | None:
        """A manifest of all days that is young enough to start from."""
        policy = self._rhythm.policy
        ticks = (tick, *policy.older(tick))
        latest = self._latest
        if latest is None or not ticks[-1] <= latest.tick <= tick + policy.compute:
            return await self._look(ticks)
        if latest.tick >= tick - policy.refresh:
            return latest
        # Others may have read since.
        return await self._look([each for each in ticks if each > latest.tick]) or latest

    async def _look(self, ticks: Sequence[int]) -> Manifest | None:
        """The newest manifest that Redis knows, of these ticks."""
        found: Manifest | None = await self._cache.newest(self._part, ticks)
        if found is not None:
            self._note(found)
        return found

    async def _read(self, tick: int) -> Manifest:
        """Read what is due at a tick, share it, and say what stands then."""
        await self._first_looks.over()
        async with self._reading:  # if the last reading takes more than a tick, this one starts from it
            base = await self._base(tick)
            _require_due(base, tick)  # another process may have read while this one waited for its turn
            with self._shelf.keeping():
                if base is not None:
                    await self._shared.fetch(base)
                async with self._pause.between():
                    manifest, fresh = await self._reader.manifest(base, tick)
            await self._shared.share_out(fresh, () if base is None else base.replaced)
            if base is not None:
                manifest = replace(manifest, replaced=tuple(base.ids - manifest.ids))
            self._note(manifest)
            return manifest

    async def _at_hand(self, manifest: Manifest) -> Manifest:
        """The manifest, all its readings here; what cannot be had of them is read again, for this process."""
        async with self._completing:
            known = self._complete
            if known is None or known.tick != manifest.tick:
                with self._shelf.keeping():
                    known = self._complete = await self._completed(manifest)
                self._forget()
            # All sections of a tick have waited for this, and would be summed in one moment.
            await asyncio.sleep(0)
            return known

    async def _completed(self, manifest: Manifest) -> Manifest:
        await self._shared.fetch(manifest)
        days, recurrences = dict(manifest.days), manifest.recurrences
        for section, listed in manifest.days.items():
            lost = self._shelf.lacks(listed)
            if lost:
                # What was read at one tick is of one moment, and is read again together.
                again = [each.day for each in listed if each in lost or each.tick == manifest.tick]
                recurrences = await self._reader.again(section, manifest.tick, again, recurrences)
                days[section] = self._shelf.all_days(section, manifest.tick)
        return replace(manifest, days=days, recurrences=recurrences)


def _require_due(base: Manifest | None, tick: int) -> None:
    """Raises NotDue at a tick for which what has been read is good enough."""
    if base is not None and base.tick < tick < base.again_at:
        raise NotDue(tick, f"read as of {base.tick}, and not to be read again before {base.again_at}")
