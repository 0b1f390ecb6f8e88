"""The names of the overlay contract, the hours of a window, and what the recorder drags in."""

import sys
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from parallel_ops_recorder.keys import (
    COUNTS_SECONDS,
    counts_field,
    counts_key,
    process_key,
    window_hours,
)

from service.overview.query import WINDOW_DAYS
from tests.support.children import run_program

HEAVY = {"litestar", "sqlalchemy", "structlog", "msgspec", "asyncpg", "granian", "prometheus_client"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def days(since: str, until: str) -> dict[str, tuple[int, int]]:
    """First and last hour of each day."""
    hours = window_hours(at(since), at(until))
    return {day.isoformat(): (of_day[0], of_day[-1]) for day, of_day in hours.items()}


def test_keys_and_fields_are_those_of_the_contract() -> None:
    assert counts_key(date(2026, 3, 9)) == "parallel-ops:{-}:overlay:counts:2026-03-09"
    assert [counts_field(0, "hits"), counts_field(23, "misses")] == ["00:hits", "23:misses"]
    assert process_key("plm-7") == "parallel-ops:{-}:overlay:process:plm-7"
    assert process_key("*") == "parallel-ops:{-}:overlay:process:*"


def test_a_window_has_every_hour_that_it_touches() -> None:
    assert days("2026-02-27T22:59:59.999999", "2026-03-01T01:00:00.000001") == {
        "2026-02-27": (22, 23),
        "2026-02-28": (0, 23),
        "2026-03-01": (0, 1),
    }


def test_a_window_that_ends_on_the_hour_has_the_hour_that_begins_then() -> None:
    assert days("2026-03-01T12:00:00", "2026-03-02T12:00:00") == {
        "2026-03-01": (12, 23),
        "2026-03-02": (0, 12),
    }


def test_a_window_that_ends_just_before_the_hour_has_not() -> None:
    window = days("2026-03-01T11:59:59.999999", "2026-03-02T11:59:59.999999")
    assert window == {"2026-03-01": (11, 23), "2026-03-02": (0, 11)}


def test_a_window_that_ends_at_midnight_touches_the_new_day() -> None:
    assert days("2026-03-01T00:00:00", "2026-03-02T00:00:00") == {"2026-03-01": (0, 23), "2026-03-02": (0, 0)}


def test_a_window_within_a_day_has_one_day() -> None:
    assert days("2026-03-01T05:30:00", "2026-03-01T07:10:00") == {"2026-03-01": (5, 7)}


def test_a_window_of_n_days_has_24_n_and_1_hours() -> None:
    until = at("2026-01-15T08:20:00")
    for window_days in (1, 7, 14, 30, 90):
        hours = window_hours(until - timedelta(days=window_days), until)
        assert sum(map(len, hours.values())) == 24 * window_days + 1
        assert list(hours) == sorted(hours)


def test_hours_are_utc_whatever_the_zone_of_the_instant() -> None:
    shanghai = timezone(timedelta(hours=8))
    since = datetime(2026, 3, 2, 1, 30, tzinfo=shanghai)
    assert list(window_hours(since, since + timedelta(hours=1))) == [date(2026, 3, 1)]


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        window_hours(datetime(2026, 3, 1), at("2026-03-02T00:00:00"))  # noqa: DTZ001


def test_counts_are_kept_for_the_longest_window_and_the_partial_day_at_each_end() -> None:
    """Otherwise its oldest hours would be gone, and the window would count too few without a word."""
    assert timedelta(seconds=COUNTS_SECONDS) >= timedelta(days=max(WINDOW_DAYS) + 2)


def test_the_recorder_brings_nothing_but_redis_into_a_program() -> None:
    program = (
        "import sys; from parallel_ops_recorder import OverlayRecorder; "
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    run = run_program([sys.executable, "-c", program], capture_output=True, check=True)
    loaded = set(run.stdout.split())
    assert "redis" in loaded
    assert not loaded & HEAVY
