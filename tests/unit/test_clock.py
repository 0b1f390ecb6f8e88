"""Where days, hours and weeks of a time zone begin, by clocks that are put forward and back."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from service.overview.clock import (
    day_edges,
    hour_edges,
    hours,
    is_midnight,
    is_monday,
    is_whole_hour,
    midnights,
    time_zone,
)

UTC_ZONE, SHANGHAI, LONDON = ZoneInfo("UTC"), ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/London")
KOLKATA, KATHMANDU, BEIRUT = ZoneInfo("Asia/Kolkata"), ZoneInfo("Asia/Kathmandu"), ZoneInfo("Asia/Beirut")


def at(text: str) -> int:
    """The Unix time of a UTC time as "2026-03-29 23:00"."""
    return int(datetime.fromisoformat(f"{text}+00:00").timestamp())


def day(text: str) -> int:
    return at(f"{text} 00:00") // 86_400


def told(instants: tuple[int, ...]) -> list[str]:
    return [f"{datetime.fromtimestamp(each, UTC):%d %H:%M}" for each in instants]


def test_a_zone_is_known_by_its_name() -> None:
    assert time_zone("Asia/Shanghai") == SHANGHAI
    assert time_zone("UTC").key == "UTC"


@pytest.mark.parametrize("name", ["Nowhere/Land", "", "../etc/passwd", "Europe", "a\0b", "x" * 300])
def test_what_is_no_zone_is_refused_in_words(name: str) -> None:
    with pytest.raises(ValueError, match=r"^must be the name of a time zone in the IANA database, or UTC$"):
        time_zone(name)


@pytest.mark.parametrize(
    ("zone", "date", "found"),
    [
        (UTC_ZONE, "2026-03-10", ["10 00:00"]),
        (SHANGHAI, "2026-03-10", ["10 16:00"]),
        (ZoneInfo("Pacific/Kiritimati"), "2026-03-10", ["10 10:00"]),
        (ZoneInfo("Pacific/Niue"), "2026-03-10", ["10 11:00"]),
        (KOLKATA, "2026-03-10", ["10 18:30"]),
        (LONDON, "2026-03-28", ["28 00:00"]),
        (LONDON, "2026-03-29", ["29 00:00", "29 23:00"]),
        (LONDON, "2026-03-30", ["30 23:00"]),
        (LONDON, "2026-10-25", []),
        (LONDON, "2026-10-26", ["26 00:00"]),
        # Put forward at midnight: the day begins at one o'clock.
        (BEIRUT, "2026-03-28", ["28 22:00"]),
        (BEIRUT, "2026-03-29", ["29 21:00"]),
    ],
)
def test_days_begin_where_the_zones_clock_says_so(zone: ZoneInfo, date: str, found: list[str]) -> None:
    assert told(midnights(zone, day(date))) == found
    begins = [at(f"2026-{date[5:7]}-{each}") for each in found]
    assert all(is_midnight(zone, each) for each in begins)
    assert not any(is_midnight(zone, each + off) for each in begins for off in (-3600, 1, 3600))


def test_hours_are_those_of_utc_and_those_of_the_zone() -> None:
    assert told(hours(UTC_ZONE, day("2026-03-10"))) == [f"10 {hour:02}:00" for hour in range(24)]
    assert hours(SHANGHAI, day("2026-03-10")) == hours(UTC_ZONE, day("2026-03-10"))
    found = told(hours(KOLKATA, day("2026-03-10")))
    assert found == [f"10 {hour:02}:{minute}" for hour in range(24) for minute in ("00", "30")]
    found = told(hours(KATHMANDU, day("2026-03-10")))
    assert found == [f"10 {hour:02}:{minute}" for hour in range(24) for minute in ("00", "15")]


@pytest.mark.parametrize(
    ("zone", "time", "every"),
    [(UTC_ZONE, "12:00", [1, 2, 3, 4, 6]), (KOLKATA, "12:30", [1, 2, 3, 6]), (SHANGHAI, "13:00", [1, 3])],
)
def test_a_whole_hour_is_one_of_so_many_from_midnight_on(zone: ZoneInfo, time: str, every: list[int]) -> None:
    instant = at(f"2026-03-10 {time}")
    assert [each for each in (1, 2, 3, 4, 6) if is_whole_hour(zone, instant, each)] == every
    assert is_whole_hour(zone, instant)
    for seconds in (1, 60, 900, 1800):
        assert not is_whole_hour(zone, instant + seconds)


def test_a_week_begins_with_its_monday() -> None:
    # The 9th of March 2026 is a Monday.
    assert is_monday(UTC_ZONE, at("2026-03-09 00:00"))
    assert is_monday(SHANGHAI, at("2026-03-08 16:00"))
    for zone, time in ((UTC_ZONE, "09 01:00"), (UTC_ZONE, "10 00:00"), (SHANGHAI, "09 00:00")):
        assert not is_monday(zone, at(f"2026-03-{time}"))
    assert not is_monday(SHANGHAI, at("2026-03-09 16:00"))


def test_edges_of_days_are_the_windows_and_the_midnights_in_it() -> None:
    edges = day_edges(SHANGHAI, at("2026-03-10 09:30"), 3)
    assert told(edges) == ["07 09:30", "07 16:00", "08 16:00", "09 16:00"]
    edges = day_edges(SHANGHAI, at("2026-03-10 17:00"), 1)
    assert told(edges) == ["09 17:00", "10 16:00"]
    # On a midnight the window begins with a day, and the next one has no cell yet.
    assert told(day_edges(UTC_ZONE, at("2026-03-10 00:00"), 2)) == ["08 00:00", "09 00:00"]


def test_edges_of_hours_are_a_weeks_and_where_the_last_day_begins() -> None:
    edges = hour_edges(UTC_ZONE, at("2026-03-10 09:30"))
    assert told(edges[:3]) == ["03 09:30", "03 10:00", "03 11:00"]
    assert told(edges[-25:-22]) == ["09 09:30", "09 10:00", "09 11:00"]
    assert told(edges[-2:]) == ["10 08:00", "10 09:00"]
    assert len(edges) == 7 * 24 + 2
    # On an hour that one has begun, and the edges that are hours stand once.
    whole = hour_edges(UTC_ZONE, at("2026-03-10 09:00"))
    assert told((whole[0], whole[1], whole[-2], whole[-1])) == [
        "03 09:00",
        "03 10:00",
        "10 08:00",
        "10 09:00",
    ]
    assert len(whole) == 7 * 24 + 1
