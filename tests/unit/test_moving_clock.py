"""Day readings over thousands of ticks: their sums are the contract's, whatever is read again when."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from msgspec import json

from service.overview.query import Filters, Query, TrendsQuery
from service.overview.slo import Thresholds
from service.overview.summary import summarize
from service.overview.trends import trends_of
from service.readings.grid import Grid, days_of
from tests import oracle
from tests.oracle import NO_OVERLAY, Buckets
from tests.support.builders import Database
from tests.support.day_counter import DayCounter, job_facts, run_facts
from tests.support.edge_rows import edge_times, job_at, rows_at, run_at
from tests.support.kept_days import KeptDays

HOUR, DAY = 3600, 86_400
MIDNIGHT = int(datetime(2026, 3, 10, tzinfo=UTC).timestamp())
APRIL = int(datetime(2026, 4, 3, tzinfo=UTC).timestamp())
DEEPEST = 90
NAMES = ((None, None), ("A", "Part"), ("B", "ECO"), ("7", "nobody's"))
QUESTIONS = [
    Query(days, Filters(site, target)) for (site, target), days in product(NAMES, (1, 90, 7, 30, 14))
]
NOTHING_TO_SPARE, SOMETHING, PLENTY = 0.0, 20.0, 1e9


class Walk(NamedTuple):
    """A clock that goes `seconds` on, from a moment on, and what may be read at each of its ticks."""

    grid: Grid
    begins: int
    seconds: int
    budget: float
    longest_pause: int = 1

    def ticks(self, random: Random) -> Iterator[int]:
        """The ticks at which anybody asks; there are pauses of so many ticks."""
        tick = self.begins // self.grid.refresh * self.grid.refresh
        while tick <= self.begins + self.seconds:
            yield tick
            tick += self.grid.refresh * random.randint(1, self.longest_pause)


WALKS = {
    "15 s, nothing to spare": Walk(Grid(15, 900), MIDNIGHT - HOUR, 2 * HOUR, NOTHING_TO_SPARE),
    "15 s, something, a clock put forward": Walk(
        Grid(15, 900, ZoneInfo("America/New_York")), MIDNIGHT - HOUR, 2 * HOUR, SOMETHING
    ),
    "15 s, plenty": Walk(Grid(15, 900), MIDNIGHT - 300, 600, PLENTY),
    "15 s, pauses": Walk(Grid(15, 900), MIDNIGHT - 6 * HOUR, 12 * HOUR, NOTHING_TO_SPARE, 100),
    "60 s, a clock 45 minutes off": Walk(
        Grid(60, 900, ZoneInfo("Asia/Kathmandu")), MIDNIGHT - HOUR, 7 * HOUR, NOTHING_TO_SPARE
    ),
    "60 s, longer than a reading may be cut for": Walk(Grid(60, 6 * HOUR), MIDNIGHT - HOUR, 5 * HOUR, 4.0),
    "an hour, a clock 30 minutes off and put forward": Walk(
        Grid(3600, 6 * HOUR, ZoneInfo("America/St_Johns")), MIDNIGHT - 90 * HOUR, 300 * HOUR, NOTHING_TO_SPARE
    ),
    "an hour, a clock put back by 30 minutes": Walk(
        Grid(3600, 6 * HOUR, ZoneInfo("Australia/Lord_Howe")), APRIL, 100 * HOUR, NOTHING_TO_SPARE
    ),
    "an hour, a clock put back at midnight": Walk(
        Grid(3600, 6 * HOUR, ZoneInfo("America/Santiago")), APRIL, 100 * HOUR, NOTHING_TO_SPARE
    ),
    "an hour, a clock put forward at midnight": Walk(
        Grid(3600, 6 * HOUR, ZoneInfo("Asia/Beirut")), APRIL - 100 * HOUR, 100 * HOUR, NOTHING_TO_SPARE
    ),
    "an hour, pauses": Walk(Grid(3600, 6 * HOUR), MIDNIGHT, 600 * HOUR, SOMETHING, 12),
    "7 s, which no day has whole": Walk(Grid(7, 100), MIDNIGHT - 1000, 2000, NOTHING_TO_SPARE),
    "7 s, pauses over days, a clock far ahead": Walk(
        Grid(7, 1000, ZoneInfo("Pacific/Kiritimati")), MIDNIGHT - DAY, 4 * DAY, SOMETHING, 3000
    ),
    "less than a tick": Walk(Grid(60, 1), MIDNIGHT - HOUR // 2, HOUR, NOTHING_TO_SPARE),
}


@pytest.mark.parametrize("name", WALKS)
def test_at_every_tick_sums_are_what_the_contract_says(name: str) -> None:
    walk, random = WALKS[name], Random(name)
    ticks = list(walk.ticks(random))
    looked_at_closely = {*random.sample(ticks, 5), *ticks[:1]}
    rows = rows_at(random, edge_times(random, list(looked_at_closely)))
    kept = KeptDays(walk.grid, counters(rows))
    for number, tick in enumerate(ticks):
        if random.random() < 100 / len(ticks):
            add_a_row(random, kept, rows, tick)
        kept.renew(tick, DEEPEST, walk.budget)
        for query in QUESTIONS if tick in looked_at_closely else some_questions(number):
            assert_agrees(kept, rows, tick, query)


def test_with_plenty_to_spare_everything_is_of_this_tick() -> None:
    kept = KeptDays(Grid(15, 900), counters(Database()))
    for tick in range(MIDNIGHT - 60, MIDNIGHT + 60, 15):
        kept.renew(tick, DEEPEST, PLENTY)
        snapshot = kept.snapshot(tick, Query(DEEPEST))
        assert (snapshot.doc_sync.oldest_reading, snapshot.workflow_actions.oldest_reading) == (None, None)
        assert snapshot.oldest_reading == snapshot.instant


def test_a_change_of_an_old_row_shows_no_later_than_a_horizon() -> None:
    grid, random = Grid(15, 300), Random(1)
    rows = rows_at(random, edge_times(random, [MIDNIGHT]))
    kept = KeptDays(grid, counters(rows))
    changed_at, query = MIDNIGHT + 20 * 15, Query(DEEPEST)
    for tick in range(MIDNIGHT, changed_at + grid.horizon + 1, 15):
        if tick == changed_at:
            rows = Database(rows.jobs[::3], rows.runs[1::2])
            kept.counters = counters(rows)
        kept.renew(tick, DEEPEST, NOTHING_TO_SPARE)
        if tick < changed_at or tick >= changed_at + grid.horizon:
            assert_agrees(kept, rows, tick, query)


def test_a_window_that_grows_and_shrinks_uses_what_there_is() -> None:
    grid, random = Grid(15, 900), Random(2)
    rows = rows_at(random, edge_times(random, [MIDNIGHT]))
    kept = KeptDays(grid, counters(rows))
    for number, window_days in enumerate((1, 7, 1, 90, 14, 90, 30)):
        tick = MIDNIGHT + 15 * number
        kept.renew(tick, window_days, NOTHING_TO_SPARE)
        assert_agrees(kept, rows, tick, Query(window_days))


def some_questions(number: int) -> list[Query]:
    """One at every third tick, each in its turn: the second opinion is slow."""
    return [] if number % 3 else [QUESTIONS[number // 3 % len(QUESTIONS)]]


def counters(rows: Database) -> dict[str, DayCounter]:
    return {
        "doc_sync": DayCounter(rows.jobs, job_facts),
        "workflow_actions": DayCounter(rows.runs, run_facts),
    }


def add_a_row(random: Random, kept: KeptDays, rows: Database, tick: int) -> None:
    """A row of yesterday, of today or later turns up: such rows always show at once."""
    yesterday = days_of(tick, 1)[0] * DAY
    at = datetime.fromtimestamp(random.choice((random.uniform(yesterday, tick + 100_000), tick)), UTC)
    rows.jobs.append(job_at(random, at))
    rows.runs.append(run_at(random, at))
    kept.counters["doc_sync"].add(rows.jobs[-1])
    kept.counters["workflow_actions"].add(rows.runs[-1])


def assert_agrees(kept: KeptDays, rows: Database, tick: int, query: Query) -> None:
    """Both sections, as a summary and by the day, are the oracle's."""
    snapshot, instant = kept.snapshot(tick, query), datetime.fromtimestamp(tick, UTC)
    asked = oracle.Query(query.window_days, query.filters.site_id, query.filters.target_object)
    since = oracle.window_since(instant, asked)
    jobs, runs = oracle.jobs_of(rows, since, asked), oracle.runs_of(rows, since, asked)
    summary = json.decode(json.encode(summarize(snapshot, Thresholds())))
    assert summary["doc_sync"] == oracle.doc_sync(jobs, asked), (tick, query)
    assert summary["workflow_actions"] == oracle.workflow_actions(runs, asked), (tick, query)
    for buckets in some_buckets(query.window_days, kept.zone.key):
        points = oracle.trend_points((jobs, runs, []), instant, asked, buckets)
        trends = TrendsQuery(
            query, buckets.days, "clock" if buckets.by_clock or buckets.hours else "window", buckets.hours
        )
        told = json.decode(json.encode(trends_of(snapshot, trends).points))
        assert told == points, (tick, query, buckets)
    before = oracle.previous(rows, instant, NO_OVERLAY, asked)
    if before is not None:
        before |= {"breakages": None, "overlay_cache": None}  # there are no such rows here
    assert summary["previous"] == before, (tick, query)


def some_buckets(window_days: int, time_zone: str) -> Iterator[Buckets]:
    """By the day, back from now and by the clock, by its weeks, and by its hours."""
    yield Buckets()
    for days in (1, 7):
        if days <= window_days:
            yield Buckets(days, by_clock=True, time_zone=time_zone)
    if window_days <= 7:
        for hours in (1, 6):
            yield Buckets(hours=hours, time_zone=time_zone)
