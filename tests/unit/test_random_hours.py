"""Budgets and `since` over random rows, hour by hour: what a slow reading of the contract finds in them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from msgspec import json
from msgspec.structs import replace

from service.overview.budgets import budgets_of
from service.overview.hourly import HOURS, since
from service.overview.query import Filters, Query
from service.overview.sections import Lookups, OverlayCache, Snapshot
from service.overview.slo import OBJECTIVES, Threshold, Thresholds
from service.overview.summary import summarize
from service.readings.grid import Grid
from tests import oracle
from tests.oracle import NO_OVERLAY, Hour, clock_hour
from tests.support.builders import INFINITY, Database
from tests.support.day_counter import DayCounter, job_facts, run_facts
from tests.support.edge_rows import BESIDE, job_at, run_at
from tests.support.kept_days import KeptDays
from tests.support.snapshots import NOTHING

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MIDNIGHT = datetime(2026, 3, 10, tzinfo=UTC)
INSTANTS = (MIDNIGHT + 9 * HOUR, MIDNIGHT + 9.5 * HOUR, MIDNIGHT, MIDNIGHT - timedelta(seconds=15))
# Their days and hours begin with UTC's, and 30 and 45 minutes beside them.
ZONES = ("UTC", "Asia/Kolkata", "Asia/Kathmandu")
FILTERS = (Filters(), Filters("A", "Part"), Filters("B", "ECO"), Filters("nobody's", "nothing's"))
NO_LOOKUPS = OverlayCache(by_hour=(Lookups(),) * HOURS, month=Lookups())


class Rates(NamedTuple):
    """Where the three rates warn that have a budget."""

    hit: float
    dead_letter: float
    failed: float

    def thresholds(self) -> Thresholds:
        """For the service."""
        return Thresholds(
            overlay_cache_hit_rate=Threshold(self.hit),
            doc_sync_dead_letter_rate=Threshold(self.dead_letter),
            workflow_failed_rate=Threshold(self.failed),
        )

    def limits(self) -> oracle.Thresholds:
        """For the oracle."""
        return oracle.Thresholds(
            overlay_hit_rate=oracle.Limits(self.hit),
            dead_letter_rate=oracle.Limits(self.dead_letter),
            failed_rate=oracle.Limits(self.failed),
        )


RATES = (Rates(0.8, 0.05, 0.02), Rates(0.7, 0.1, 0.4), Rates(1.0, 0.0, 0.0), Rates(0.0, 1.0, 1.0))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("instant", INSTANTS, ids=str)
def test_budgets_and_hints_of_rows_are_what_the_contract_says(instant: datetime, zone: str) -> None:
    random = Random(f"{instant} {zone}")
    rows, tick = rows_by_the_hour(random, instant), int(instant.timestamp())
    counters = {
        "doc_sync": DayCounter(rows.jobs, job_facts),
        "workflow_actions": DayCounter(rows.runs, run_facts),
    }
    kept = KeptDays(Grid(15, 900, ZoneInfo(zone)), counters)
    kept.renew(tick, 30, budget=1e9)
    for days, filters, rates in zip((30, 7, 1, 14), FILTERS, random.sample(RATES, 4), strict=True):
        snapshot = replace(kept.snapshot(tick, Query(days, filters)), overlay_cache=NO_LOOKUPS)
        assert_agrees(snapshot, rows, rates)


@pytest.mark.parametrize("rates", RATES)
def test_budgets_and_runs_of_lookups_are_what_the_contract_says(rates: Rates) -> None:
    random, instant = Random(str(rates)), INSTANTS[1]
    for _ in range(20):
        newest_first = [random_lookups(random) for _ in range(HOURS)]
        month = Lookups(random.randrange(1000), random.randrange(500))
        section = OverlayCache(by_hour=tuple(reversed(newest_first)), month=month)
        snapshot = replace(NOTHING, instant=instant, overlay_cache=section)
        hours = [
            Hour(clock_hour(instant) - ago * HOUR, each.hits + each.misses, each.misses)
            for ago, each in enumerate(newest_first)
        ]
        found = json.decode(json.encode(budgets_of(snapshot, rates.thresholds())))["budgets"][0]
        limit = {0.8: 0.2, 0.7: 0.3, 1.0: 0.0, 0.0: 1.0}[rates.hit]
        assert found == oracle.budget(found["code"], limit, (month.requests, month.misses), hours)
        told = since(snapshot, OBJECTIVES[0], rates.hit)
        expected = oracle.since(hours, rates.hit, below=True)
        assert {"since": written(told.since), "quiet_since": written(told.quiet_since)} == expected


def assert_agrees(snapshot: Snapshot, rows: Database, rates: Rates) -> None:
    """Budgets and hints, as they are answered."""
    days, filters = snapshot.query.window_days, snapshot.query.filters
    about = rows, snapshot.instant, NO_OVERLAY, oracle.Query(days, filters.site_id, filters.target_object)
    budgets = json.decode(json.encode(budgets_of(snapshot, rates.thresholds())))
    assert budgets | {"operator_id": None} == oracle.budgets(*about, rates.limits())
    hints = json.decode(json.encode(summarize(snapshot, rates.thresholds()).slo_hints))
    assert hints == oracle.summary(*about, rates.limits())["slo_hints"]


def rows_by_the_hour(random: Random, instant: datetime) -> Database:
    """Jobs and runs of a month; those of the last days are good for some hours on end, and bad for some."""
    hours = [instant - 8 * DAY + number * HOUR for number in range(8 * 24 + 2)]
    turns = [hour for hour in hours if random.random() < 0.1]
    times = [*some_times(random, instant), *(at for hour in hours for at in within(random, hour))]
    jobs, runs = [job_at(random, at) for at in times], [run_at(random, at) for at in times]
    for at, job, run in zip(times, jobs, runs, strict=True):
        if sum(turn <= at for turn in turns) % 2:
            job["status"] = run["status"] = "completed"
    return Database(jobs, runs)


def some_times(random: Random, instant: datetime) -> Iterator[datetime]:
    """Where a month, a week and their first hours begin, beside that, anywhere in the month, and far off."""
    for ago in (30 * DAY, 7 * DAY, timedelta()):
        for at in (instant - ago, clock_hour(instant) - ago, clock_hour(instant) - ago + HOUR):
            yield from (at + off for off in BESIDE)
    yield from (instant - random.random() * 31 * DAY for _ in range(200))
    yield from (instant + 40 * DAY, INFINITY.replace(tzinfo=UTC))


def within(random: Random, hour: datetime) -> Iterator[datetime]:
    """Nothing, or a few times in that hour."""
    yield from (hour + random.random() * HOUR for _ in range(random.choice((0, 0, 1, 2, 4))))


def random_lookups(random: Random) -> Lookups:
    """An hour's lookups: none, few, or few that miss."""
    return random.choice((Lookups(), Lookups(random.randint(0, 9), random.randint(0, 3))))


def written(time: datetime | None) -> str | None:
    """As the contract writes times."""
    return None if time is None else oracle.rfc3339(time)
