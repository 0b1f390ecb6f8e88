"""What reading takes of the database's time, and what it is kept for."""

from functools import partial
from math import isnan

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from service.api.telemetry.reading_metrics import ReadingMetrics
from service.check import of_share
from service.overview.sections import ConsumptionTemplates
from service.readings.account import Share
from service.readings.advice import Advice
from service.readings.catalogue import Facts
from service.readings.grid import Grid, days_of
from service.readings.manifest import Listed, Manifest, Spending
from service.readings.plan import needed_a_tick, needed_now, set_aside, smoothed
from service.readings.recurrences import Recurrences
from service.readings.tables import DAY_TABLES
from service.sources.consumption_templates import Templates

NONE = Templates(ConsumptionTemplates(0, 0, 0, (), ()), ())
FACTS = Facts({}, frozenset())
TODAY = 20_000
TICK = TODAY * 86_400 + 600


@pytest.mark.parametrize(
    ("before", "now", "cost"),
    [(None, 5.0, 5.0), (4.0, 3.0, 3.0), (4.0, 4.0, 4.0), (4.0, 6.0, 4.6), (4.0, 8.0, 5.2), (4.0, 100.0, 5.2)],
)
def test_a_cost_falls_at_once_and_rises_slowly(before: float | None, now: float, cost: float) -> None:
    assert smoothed(before, now) == pytest.approx(cost)


def test_at_each_tick_the_newest_days_are_needed_and_old_ones_in_their_turn() -> None:
    days, grid = days_of(TICK, 7), Grid(15, 60)
    jobs = {day: Listed(day, TICK, "", 2.0 if day < TODAY else 10.0) for day in days}
    runs = {day: Listed(day, TICK, "", 1.0) for day in days}
    # Yesterday and today, and six older days once in four ticks.
    assert needed_a_tick(grid, TICK, {"jobs": jobs}) == 12.0 + 12.0 / 4
    assert needed_a_tick(grid, TICK, {"jobs": jobs, "runs": runs}) == 15.0 + 2.0 + 6.0 / 4
    assert needed_a_tick(grid, TICK, {"jobs": {TODAY: jobs[TODAY]}}) == 10.0
    assert needed_a_tick(grid, TICK, {"jobs": {}}) == 0.0
    assert needed_a_tick(grid, TICK, {"jobs": jobs, "runs": runs}, {"jobs"}) == 24.0 + 2.0 + 6.0 / 4


@pytest.mark.parametrize(
    ("seconds", "now", "left"),
    [
        *((1.0, True, 2.0), (2.0, True, 1.0), (2.5, False, 1.0)),
        *((9.0, False, 1.0), (9.5, False, 3.0), (0.25, True, 2.75)),
    ],
)
def test_what_does_not_fit_yet_is_saved_up_for_unless_it_never_will(
    seconds: float, now: bool, left: float
) -> None:
    assert set_aside(seconds, needed=1.0, budget=3.0, most=10.0) == (now, left)


def test_what_takes_but_a_moment_is_read_without_a_budget() -> None:
    assert set_aside(0.25, needed=1.0, budget=-5.0, most=10.0) == (True, -5.25)
    assert set_aside(0.26, needed=1.0, budget=-5.0, most=10.0) == (False, 1.0)


def test_what_must_be_read_now_is_counted_whatever_there_is_to_take() -> None:
    days, grid = days_of(TICK, 7), Grid(15, 60)
    shelf = {day: Listed(day, TICK - 15, "", 1.0) for day in days}
    assert needed_now(grid, TICK, days, {"jobs": shelf, "runs": shelf}) == 2 * (2 + 2)
    assert needed_now(grid, TICK, days, {"jobs": {}}) == 0.0


def test_who_needs_more_than_its_part_is_named_with_a_share_of_which_the_part_will_do() -> None:
    """Two hundred tenants have 0.0005 cores each of 0.1: who needs 0.002 wants 0.4 for all of them."""
    acme = Share(0.1, lambda: 200, "acme")
    assert acme.part == pytest.approx(0.0005)
    with capture_logs() as logs:
        Advice(acme).note(Spending(needed=0.0005), FACTS)
        Advice(acme).note(Spending(needed=0.002), FACTS)
        Advice(Share(0.1)).note(Spending(needed=0.2), FACTS)
    told, alone = [{**each} for each in logs]
    assert (told["tenant"], told["tenants"], told["needed"], told["share"]) == ("acme", 200, 0.002, 0.0005)
    assert told["remedy"] == "PARALLEL_OPS_DATABASE_SHARE=0.48"
    assert ("tenant" in alone, alone["remedy"]) == (False, "PARALLEL_OPS_DATABASE_SHARE=0.24")


def test_no_share_is_named_that_cannot_be_set() -> None:
    """Half a core for each of two hundred would be more than a hundred cores."""
    acme = Share(0.1, lambda: 200, "acme")
    assert (acme.fitting(0.26), acme.fitting(0.5)) == (62.4, None)
    with capture_logs() as logs:
        Advice(acme).note(Spending(needed=0.5), FACTS)
    assert logs[0]["remedy"] == "a longer PARALLEL_OPS_OLD_DAYS_SECONDS"
    remedy = of_share(Spending(needed=0.5), acme).remedy or ""
    assert ("DATABASE_SHARE" in remedy, "OLD_DAYS_SECONDS" in remedy) == (False, True)
    assert "DATABASE_SHARE=0.48;" in (of_share(Spending(needed=0.002), acme).remedy or "")


def test_what_is_needed_and_taken_is_nothing_once_no_tenants_readings_stand() -> None:
    registry = CollectorRegistry()
    metrics = ReadingMetrics(
        lambda kind, name, about, *labels, **options: kind(name, about, labels, registry=registry, **options)
    )
    shown = partial(registry.get_sample_value, "database_share_cores")
    metrics.publish(Spending())
    assert shown({"kind": "needed"}) is None  # another worker may know
    days: dict[str, tuple[Listed, ...]] = {section: (Listed(TODAY, TICK, "", 1.0),) for section in DAY_TABLES}
    metrics.stands("acme", Manifest(TICK, days, Recurrences(TICK, 15, {}, 0.0), NONE, Spending(), TICK + 15))
    metrics.publish(Spending(needed=0.5, taken=0.25))
    assert [shown({"kind": kind}) for kind in ("needed", "taken")] == [0.5, 0.25]
    assert registry.get_sample_value("readings_made", {"table": DAY_TABLES["doc_sync"].table}) == 1
    metrics.stands("acme", None)
    metrics.publish(Spending(needed=0.5, taken=0.25))
    assert [shown({"kind": kind}) for kind in ("needed", "taken")] == [0, 0]
    assert registry.get_sample_value("readings_made", {"table": DAY_TABLES["doc_sync"].table}) == 0
    assert isnan(registry.get_sample_value("oldest_reading_timestamp_seconds") or 0.0)
