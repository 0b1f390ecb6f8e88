"""Objectives by the hour: since when one is missed, or is no more, from hours that are written out."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from service.overview.clock import UTC_ZONE, hour_edges
from service.overview.hourly import HOURS, Hour, burnt, hours_of, since
from service.overview.sections import DocSyncDay, Lookups, Snapshot
from service.overview.slo import OBJECTIVES, Objective, Since, Thresholds
from service.overview.summary import summarize
from tests.support.snapshots import NOTHING

# A Tuesday. The first of its 168 hours begins on the Tuesday before, at 10:00.
INSTANT = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
WEEK = timedelta(days=7)
OVERLAY, DEAD_LETTERS, _, BREAKAGES = OBJECTIVES
NONE: dict[str, tuple[int, int]] = {}


def jobs(
    by_hour: dict[str, tuple[int, int]], instant: datetime = INSTANT, zone: ZoneInfo = UTC_ZONE
) -> Snapshot:
    """Jobs and dead letters of the cells that begin at some times ("10 08:00"); all others are empty."""
    edges = [datetime.fromtimestamp(edge, UTC) for edge in hour_edges(zone, int(instant.timestamp()))]
    told = {when: DocSyncDay(total=total, dead_letters=dead) for when, (total, dead) in by_hour.items()}
    cells = tuple(told.pop(f"{edge:%d %H:%M}", DocSyncDay()) for edge in edges)
    assert not told, "no cell begins there"
    return replace(NOTHING, instant=instant, zone=zone, doc_sync=replace(NOTHING.doc_sync, by_hour=cells))


def lookups(*newest: tuple[int, int], older: tuple[int, int] = (0, 0)) -> Snapshot:
    """Hits and misses of the newest hours, the running one last, and of each of the others."""
    by_hour = (Lookups(*older),) * (HOURS - len(newest)) + tuple(Lookups(*each) for each in newest)
    return replace(NOTHING, instant=INSTANT, overlay_cache=replace(NOTHING.overlay_cache, by_hour=by_hour))


def counted(snapshot: Snapshot, objective: Objective = DEAD_LETTERS) -> dict[str, tuple[int, int]]:
    """Total and failures of the hours that have any."""
    hours = hours_of(snapshot, objective)
    return {f"{each.begins:%d %H:%M}": (each.total, each.failed) for each in hours if each.total}


def told(snapshot: Snapshot, limit: float, objective: Objective = DEAD_LETTERS) -> tuple[str, str]:
    """Since and quiet since, "" for none."""
    found = since(snapshot, objective, limit)
    return tuple(f"{each:%d %H:%M}" if each else "" for each in (found.since, found.quiet_since))  # type: ignore[return-value]


def test_there_are_as_many_hours_as_a_week_has_with_the_running_one() -> None:
    hours = hours_of(jobs(NONE), DEAD_LETTERS)
    assert len(hours) == 168
    assert hours[0].begins == datetime(2026, 3, 3, 10, tzinfo=UTC)
    assert hours[-1].begins == datetime(2026, 3, 10, 9, tzinfo=UTC)


def test_what_is_in_the_week_but_in_none_of_its_whole_hours_is_left_out() -> None:
    by_hour = {"03 09:30": (7, 7), "03 10:00": (1, 0), "10 09:00": (2, 1)}
    assert counted(jobs(by_hour)) == {"03 10:00": (1, 0), "10 09:00": (2, 1)}


def test_an_hour_that_a_days_window_cuts_is_one_hour() -> None:
    assert counted(jobs({"09 09:00": (2, 1), "09 09:30": (4, 3)})) == {"09 09:00": (6, 4)}


def test_an_instant_on_a_whole_hour_begins_an_hour() -> None:
    """What is dated after it counts there, too; the hour a week before it is whole, and none of the 168."""
    by_hour = {"03 09:00": (1, 1), "03 10:00": (2, 2), "10 08:00": (3, 0), "10 09:00": (4, 4)}
    snapshot = jobs(by_hour, INSTANT.replace(minute=0))
    assert counted(snapshot) == {"03 10:00": (2, 2), "10 08:00": (3, 0), "10 09:00": (4, 4)}


@pytest.mark.parametrize(
    ("zone", "cell"), [("Asia/Kolkata", "30"), ("Asia/Kathmandu", "15"), ("Australia/Eucla", "15")]
)
def test_hours_are_those_of_utc_wherever_the_zones_begin(zone: str, cell: str) -> None:
    by_hour = {"10 08:00": (1, 0), f"10 08:{cell}": (2, 1), "10 09:00": (4, 3)}
    snapshot = jobs(by_hour, zone=ZoneInfo(zone))
    assert counted(snapshot) == {"10 08:00": (3, 1), "10 09:00": (4, 3)}


def test_the_overlays_failures_are_its_misses() -> None:
    assert counted(lookups((3, 1), (0, 0), (0, 5)), OVERLAY) == {"10 07:00": (4, 1), "10 09:00": (5, 5)}


def test_what_is_not_told_by_the_hour_has_none() -> None:
    assert hours_of(NOTHING, OVERLAY) == hours_of(NOTHING, DEAD_LETTERS) == ()
    assert hours_of(jobs({"10 09:00": (9, 9)}), BREAKAGES) == ()
    assert since(NOTHING, OVERLAY, 0.8) == since(NOTHING, BREAKAGES, 0.5) == Since()


def test_without_data_nothing_is_told() -> None:
    assert since(jobs(NONE), DEAD_LETTERS, 0.05) == Since()


def test_a_run_of_bad_hours_begins_where_its_first_one_does() -> None:
    by_hour = {"10 05:00": (4, 4), "10 06:00": (20, 1), "10 07:00": (19, 1), "10 08:00": (9, 9)}
    assert told(jobs(by_hour), 0.05) == ("10 07:00", "")  # 1 of 20 is at the limit, 1 of 19 past it


def test_hours_without_data_do_not_break_a_run_nor_begin_one() -> None:
    by_hour = {"08 11:00": (1, 0), "08 23:00": (1, 1), "10 04:00": (1, 1)}
    assert told(jobs(by_hour), 0.05) == ("08 23:00", "")


def test_a_run_may_reach_the_first_hour() -> None:
    by_hour = {"03 09:30": (5, 0), "03 10:00": (5, 5), "10 09:00": (5, 5)}
    assert told(jobs(by_hour), 0.05) == ("03 10:00", "")
    assert told(lookups((9, 1), older=(9, 1)), 0.8, OVERLAY) == ("", "03 10:00")


def test_it_is_quiet_since_the_first_hour_after_the_last_bad_one() -> None:
    by_hour = {"10 03:00": (2, 2), "10 05:00": (2, 0), "10 08:00": (3, 0)}
    assert told(jobs(by_hour), 0.05) == ("", "10 05:00")


def test_a_limit_of_0_is_passed_by_any_failure_and_not_by_none() -> None:
    by_hour = {"10 06:00": (1, 0), "10 07:00": (1000, 1), "10 08:00": (1, 1)}
    assert told(jobs(by_hour), 0.0) == ("10 07:00", "")
    assert told(jobs({"10 06:00": (1, 1), "10 07:00": (1000, 0)}), 0.0) == ("", "10 07:00")
    # No hit rate is below 0.
    assert told(lookups((1, 0), (0, 9)), 0.0, OVERLAY) == ("", "10 08:00")


def test_a_hit_rate_is_bad_below_its_limit() -> None:
    assert told(lookups((9, 1), (7, 3), (79, 21), (8, 2)), 0.8, OVERLAY) == ("", "10 09:00")
    assert told(lookups((9, 1), (7, 3), (79, 21)), 0.8, OVERLAY) == ("10 08:00", "")


def test_a_hint_is_told_of_by_its_own_limit() -> None:
    """Critical since less long ago than it would warn."""
    snapshot = jobs({"10 07:00": (10, 1), "10 08:00": (10, 5)})
    jobs_of_window = replace(
        snapshot.doc_sync, days=(DocSyncDay(20, 14, 6, 6),), by_status={"completed": 14, "failed": 6}
    )
    snapshot = replace(snapshot, doc_sync=jobs_of_window)
    for critical, level, begins in ((None, "warn", 7), (0.2, "critical", 8)):
        limits = Thresholds()
        limits = replace(
            limits, doc_sync_dead_letter_rate=replace(limits.doc_sync_dead_letter_rate, critical=critical)
        )
        (hint,) = summarize(snapshot, limits).slo_hints
        assert (hint.level, hint.quiet_since) == (level, None)
        assert hint.since == datetime(2026, 3, 10, begins, tzinfo=UTC)


def test_hours_add_up() -> None:
    assert burnt([]) == (0, 0)
    assert burnt([Hour(1, 5, 2), Hour(2), Hour(3, 7, 7)]) == (12, 9)
