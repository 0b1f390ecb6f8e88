"""Reads from the database what is due at a tick."""

import asyncio
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from service.overview.sections import ConsumptionTemplates
from service.readings import plan, recurrences
from service.readings.account import Account, Rhythm, Taken
from service.readings.advice import Advice
from service.readings.catalogue import Catalogue, Facts
from service.readings.grid import DEEPEST, Grid, Window, days_of
from service.readings.manifest import Listed, Manifest
from service.readings.reading import Name, Reading
from service.readings.recurrences import WINDOWS, Recurrences
from service.readings.shelf import Shelf
from service.readings.sums import Figures
from service.readings.tables import DAY_TABLES, INCIDENTS, JOBS, RUNS, DayTable, names_apart, span_of
from service.sources import breakages, consumption_templates
from service.sources.consumption_templates import Templates
from service.sources.database import Bound, Database, Records
from service.sources.span import Span

Days: TypeAlias = dict[int, Reading]
Named: TypeAlias = Mapping[Name, Figures]


class Due(Struct, frozen=True):
    """What is read at a tick: days by section, and recurrences unless those that are known will do."""

    known: Recurrences | None
    days: dict[str, list[int]]


class Fresh(Struct, frozen=True):
    """A reading that was made just now, encoded: as numbers it would be many times as large."""

    listed: Listed
    stored: msgspec.Raw


class Found(Struct, frozen=True):
    """What a statement gave, and the seconds that it took."""

    value: Any
    seconds: float


class Reader:
    """See the module. What it reads it puts on the shelf. Everything raises DatabaseError."""

    def __init__(self, database: Database, shelf: Shelf, rhythm: Rhythm) -> None:
        self._database = database.hashing()
        self._shelf = shelf
        self._rhythm = rhythm
        # What nobody asks again at another tick needs no edge but that tick's.
        self._at_once = Grid(rhythm.policy.refresh, 0, rhythm.grid.zone)
        self._catalogue = Catalogue(database)
        self._advice = Advice(rhythm.allowed)
        # Should a tick's manifest fail, those that were read for it stand beside its days, with which they
        # agree.
        self._newest_recurrences: Recurrences | None = None

    async def prepare(self, now: float) -> None:
        """Open the database's connections, and learn once what is the same for all ticks."""
        window, grid = Window(self._rhythm.policy.tick(now), 1), self._rhythm.grid
        span = span_of(grid, window.tick, days_of(window.tick, 1))
        await self._catalogue.facts()
        await self._database.fill(
            *(table.rows_of(span) for table in DAY_TABLES.values()),
            *(table.rows_of(names_apart(span, window)) for table in (JOBS, RUNS)),
            breakages.recurrences(recurrences.edges(grid, window.tick)),
            breakages.recurrences(recurrences.edges(self._at_once, window.tick, [window.days])),
            consumption_templates.statement(),
        )

    async def may_look(self, section: str, read_days: int) -> bool:
        """Whether a section's table is small enough for so many days of it to be read before all days are."""
        return (await self._catalogue.facts()).may_be_looked_at(section, read_days)

    async def manifest(self, base: Manifest | None, tick: int) -> tuple[Manifest, list[Fresh]]:
        """What stands at a tick, and the readings that were made for it; the others are those of `base`.

        It takes one core of the database at a time.
        """
        facts = await self._catalogue.facts()
        account = Account(self._rhythm, base, tick)
        due = self._due(account, base, tick, facts)
        templates, incidents = await self._templates(), await self._incidents(tick, due)
        others = [await self._days(table, tick, due.days[table.section]) for table in (JOBS, RUNS)]
        again, of_incidents = incidents.value
        tables = (of_incidents, *others)
        listed = {section: self._shelf.all_days(section, tick) for section in DAY_TABLES}
        taken = Taken(templates.seconds, again.seconds, sum(found.seconds for found in tables))
        spending = account.settled(taken, listed, again.value, facts.whole)
        self._advice.note(spending, facts)
        manifest = Manifest(
            tick=tick,
            days=listed,
            recurrences=again.value,
            templates=templates.value,
            spending=spending,
            again_at=account.again_at(spending, facts.whole),
        )
        return manifest, [fresh for found in tables for fresh in found.value]

    async def again(self, section: str, tick: int, days: Sequence[int], known: Recurrences) -> Recurrences:
        """Read some days, due or not, and recurrences with them if those that are known are of that tick."""
        if section != INCIDENTS.section:
            await self._days(DAY_TABLES[section], tick, days)
            return known
        due = Due(known if known.tick < tick else None, {section: list(days)})
        found, _ = (await self._incidents(tick, due)).value
        return found.value  # type: ignore[no-any-return]

    async def look(self, table: DayTable, window: Window, name: str | None) -> tuple[Days, Named]:
        """What a window's figures are summed from, for it alone, all rows under None, and those of its names.

        Of one name, if that is given, there are no others.
        """
        span = span_of(self._at_once, window.tick, window.read)
        if name is None:
            span = names_apart(span, window)
        days, _ = await self._window(table, window, span, table.rows_of(span, name))
        names = days.pop(span.day_after).by_name() if name is None else {}
        return days, names

    async def incidents(self, window: Window) -> tuple[Days, int]:
        """As `look`, and how many incidents of it share their description, of the same data."""
        edges = recurrences.edges(self._at_once, window.tick, [window.days])
        span = span_of(self._at_once, window.tick, window.read)
        statements = INCIDENTS.rows_of(span), breakages.recurrences(edges)
        days, (rows,) = await self._window(INCIDENTS, window, span, *statements)
        alike = [recurrences.alike(row, 1) for row in rows]
        return days, recurrences.repeated(alike, [window.days], len(edges[0]))[window.days][0]

    async def _window(
        self, table: DayTable, window: Window, span: Span, *statements: Bound
    ) -> tuple[Days, list[Records]]:
        """The readings that the first statement gives, and the rows of the others, all of the same data."""
        rows, *others = await self._database.for_section(table.section).consistent(*statements)
        return {each.day: table.reading(each) for each in table.stored(span, window.tick, rows)}, others

    async def template(self, template_key: str | None) -> ConsumptionTemplates:
        """The template versions, of one key when it is given."""
        templates: Templates = (await self._templates(template_key)).value
        return templates.together

    def _due(self, account: Account, base: Manifest | None, tick: int, facts: Facts) -> Due:
        """The days to read now, and the recurrences that are good enough, if they are."""
        grid, days = self._rhythm.grid, days_of(tick, DEEPEST)
        # Of a table that is read as a whole anyway, no day is spared.
        shelves = {
            section: {} if section in facts.whole else self._shelf.newest(section, tick)
            for section in DAY_TABLES
        }
        budget, known = account.for_days, None
        if INCIDENTS.section not in facts.whole:
            known = self._known_recurrences(base, tick)
        if known is not None and known.tick < tick:
            needed = plan.needed_now(grid, tick, days, shelves)
            again, budget = plan.set_aside(known.seconds, needed, budget, account.most)
            known = None if again else known
        chosen = plan.days_to_read(grid, tick, days, shelves, budget)
        if known is None:  # what was read of this tick before is read again with them, for they must agree
            read = {day for day, each in shelves[INCIDENTS.section].items() if each.tick == tick}
            chosen[INCIDENTS.section] = sorted({*chosen[INCIDENTS.section], *read})
        return Due(known, chosen)

    def _known_recurrences(self, base: Manifest | None, tick: int) -> Recurrences | None:
        """The newest that can be used, of this process or of the fleet."""
        found = [self._newest_recurrences, base.recurrences if base else None]
        usable = [each for each in found if each is not None and each.is_for(tick)]
        return max(usable, key=lambda each: each.tick, default=None)

    async def _incidents(self, tick: int, due: Due) -> Found:
        """The recurrences, known or read anew, and the readings of days, of the same data."""
        grid = self._rhythm.grid
        edges = recurrences.edges(grid, tick)
        first = [] if due.known is not None else [breakages.recurrences(edges)]
        told, days = await self._read(INCIDENTS, tick, due.days[INCIDENTS.section], *first)
        if due.known is not None:
            return Found((Found(due.known, 0.0), days), days.seconds)
        ((rows, seconds),) = told
        alike = [recurrences.alike(row, len(edges)) for row in rows]
        repeated = recurrences.repeated(alike, WINDOWS, len(edges[0]))
        before = self._newest_recurrences
        usual = plan.smoothed(before.seconds if before else None, seconds)
        self._newest_recurrences = Recurrences(tick, grid.refresh, repeated, usual)
        again = Found(self._newest_recurrences, seconds)
        return Found((again, days), again.seconds + days.seconds)

    async def _templates(self, template_key: str | None = None) -> Found:
        database = self._database.for_section("consumption_templates")
        ((rows, seconds),) = await database.timed(consumption_templates.statement(template_key))
        return Found(consumption_templates.templates(rows), seconds)

    async def _days(self, table: DayTable, tick: int, days: Sequence[int]) -> Found:
        """The readings of these days."""
        _, found = await self._read(table, tick, days)
        return found

    async def _read(
        self, table: DayTable, tick: int, days: Sequence[int], *first: Bound
    ) -> tuple[list[tuple[Records, float]], Found]:
        """What some statements give first, and the readings of these days, all of the same data."""
        facts = await self._catalogue.facts()
        spans = list(plan.spans(days, facts.longest_span(table.section)))
        statements = [table.rows_of(span_of(self._rhythm.grid, tick, span)) for span in spans]
        results = await self._database.for_section(table.section).timed(*first, *statements)
        told, counted = results[: len(first)], results[len(first) :]
        return told, await self._made(table, tick, zip(spans, counted, strict=True))

    async def _made(
        self, table: DayTable, tick: int, results: Iterable[tuple[range, tuple[Records, float]]]
    ) -> Found:
        """The readings that the results of statements make, a statement a span; they are put on the shelf."""
        known, fresh, together = self._shelf.newest(table.section, tick), [], 0.0
        for days, (rows, seconds) in results:
            together += seconds
            for stored in table.stored(span_of(self._rhythm.grid, tick, days), tick, rows):
                before = known.get(stored.day)
                a_day = plan.smoothed(before.seconds if before else None, seconds / len(days))
                listed = Listed(stored.day, tick, secrets.token_hex(6), a_day)
                self._shelf.put(table.section, listed, table.reading(stored))
                fresh.append(Fresh(listed, msgspec.Raw(msgspec.msgpack.encode(stored))))
                await asyncio.sleep(0)  # whoever waits for the event loop comes between
        return Found(fresh, together)
