"""When seeded rows happen: every row once, in order, with a bad day that no window of a week misses."""

import math
import operator
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.rhythm import DAYS, DEAD, INCIDENTS, JOBS, OVERLAYS, RUNS, SLOT, Rhythm, Slot, fresh, slots
from service.overview.slo import Thresholds

HOURS_OF_A_WEEK = [datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=number) for number in range(7 * 24)]
LIMITS = Thresholds()
rhythms = st.sampled_from([JOBS, RUNS, INCIDENTS, OVERLAYS])
instants = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@settings(max_examples=30)
@given(count=st.integers(0, 100_000), until=instants, rhythm=rhythms)
def test_every_row_happens_once_and_in_order(count: int, until: datetime, rhythm: Rhythm) -> None:
    made = slots(count, until, rhythm)
    numbers = [0, *(number for slot in made for number in (slot.first - 1, slot.last)), count]
    assert numbers == sorted(numbers)
    assert all(before.last + 1 == after.first for before, after in pairwise(made))
    assert sum(slot.last - slot.first + 1 for slot in made) == count
    assert all(before.start < after.start for before, after in pairwise(made))
    assert all(0 < slot.failing + slot.unfinished < 1.5 for slot in made)
    naive = until.replace(tzinfo=None)
    assert all(timedelta() <= naive - slot.start <= DAYS * timedelta(days=1) for slot in made)


def test_a_few_rows_of_many_start_when_the_others_have_ended() -> None:
    until = HOURS_OF_A_WEEK[0]
    ahead = slots(20_000, until, JOBS)[-1]
    assert ahead.start == until.replace(tzinfo=None)
    assert 1 <= ahead.last - ahead.first + 1 <= 10
    assert slots(500, until, JOBS)[-1].start < until.replace(tzinfo=None)


def test_the_bad_day_is_whole_and_in_the_last_week_whatever_the_hour() -> None:
    for until in HOURS_OF_A_WEEK[::5]:
        bad = [slot for slot in slots(50_000, until, JOBS) if slot.failing == JOBS.failing_on_bad_day]
        assert len(bad) == timedelta(days=1) / SLOT
        naive = until.replace(tzinfo=None)
        assert naive - timedelta(days=7) <= bad[0].start < bad[-1].start < naive - timedelta(days=1)


@pytest.mark.parametrize(
    ("rhythm", "share", "limit"),
    [
        (JOBS, lambda slot: slot.failing * DEAD, LIMITS.doc_sync_dead_letter_rate.warn),
        (RUNS, lambda slot: slot.failing, LIMITS.workflow_failed_rate.warn),
        (INCIDENTS, lambda slot: slot.unfinished, LIMITS.breakage_open_rate.warn),
        (OVERLAYS, lambda slot: slot.failing, 1 - LIMITS.overlay_cache_hit_rate.warn),
    ],
    ids=["jobs", "runs", "incidents", "overlays"],
)
def test_a_week_is_bad_and_ninety_days_are_quiet_whatever_the_hour(
    rhythm: Rhythm, share: Callable[[Slot], float], limit: float
) -> None:
    def share_of(until: datetime, days: int) -> float:
        since = until.replace(tzinfo=None) - timedelta(days=days)
        made = [slot for slot in slots(20_000, until, rhythm) if slot.start >= since]
        rows = [slot.last - slot.first + 1 for slot in made]
        return math.fsum(map(operator.mul, map(share, made), rows)) / sum(rows)

    for until in HOURS_OF_A_WEEK[::5]:
        assert share_of(until, 7) > 1.2 * limit
        assert share_of(until, 90) < limit / 1.2
    # What comes while the demo runs is at the limit itself, and turns neither round.
    assert share(fresh(1, 10, HOURS_OF_A_WEEK[0], rhythm)) == pytest.approx(limit)


@pytest.fixture
def in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose own zone is another one still."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "EST5EDT,M3.2.0,M11.1.0")
        time.tzset()
        yield
    time.tzset()


def test_an_instant_of_another_zone_is_the_same_instant(in_new_york: None) -> None:
    until = HOURS_OF_A_WEEK[5]
    in_shanghai = until.astimezone(timezone(timedelta(hours=8)))
    for rows in (20, 2000):  # with none ahead of time, and with some
        assert slots(rows, in_shanghai, JOBS) == slots(rows, until, JOBS)
    assert slots(20_000, in_shanghai, JOBS)[-1].start == until.replace(tzinfo=None)
    assert fresh(1, 10, in_shanghai, JOBS).start == until.replace(tzinfo=None)
