"""The clock of a time zone: where its days and hours begin. All times are whole Unix seconds."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY_SECONDS = 86_400
HOUR_SECONDS = 3600
UTC_ZONE = ZoneInfo("UTC")
# So far back figures are told by the hour.
HOURS_DAYS = 7
# Error budgets are of so many days.
MONTH_DAYS = 30
# All clocks of today are whole quarters of an hour off.
_QUARTER = 900


def time_zone(name: str) -> ZoneInfo:
    """The zone of that IANA name. Raises ValueError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be the name of a time zone in the IANA database, or UTC") from None


@lru_cache(maxsize=1000)
def midnights(zone: ZoneInfo, day: int) -> tuple[int, ...]:
    """Where days of the zone begin within a UTC day, by its number from the epoch on.

    Where the clock is put forward at midnight, a day begins with the hour that there is.
    """
    date = datetime.fromtimestamp(day * DAY_SECONDS, UTC).date()
    found = (
        int(datetime.combine(each, time(), zone).timestamp()) for each in (date, date + timedelta(days=1))
    )
    return tuple(instant for instant in found if instant // DAY_SECONDS == day)


@lru_cache(maxsize=1000)
def hours(zone: ZoneInfo, day: int) -> tuple[int, ...]:
    """Where hours begin within a UTC day, those of UTC and those of the zone's clock."""
    quarters = range(day * DAY_SECONDS, (day + 1) * DAY_SECONDS, _QUARTER)
    return tuple(each for each in quarters if each % HOUR_SECONDS == 0 or is_whole_hour(zone, each))


@lru_cache(maxsize=1000)
def is_whole_hour(zone: ZoneInfo, instant: int, every: int = 1) -> bool:
    """Whether the zone's clock shows a whole hour, one of every so many from midnight on."""
    local = datetime.fromtimestamp(instant, zone)
    return local.minute == 0 == local.second and local.hour % every == 0


def is_midnight(zone: ZoneInfo, instant: int) -> bool:
    """Whether a day of the zone begins."""
    return instant in midnights(zone, instant // DAY_SECONDS)


def is_monday(zone: ZoneInfo, instant: int) -> bool:
    """Whether a week of the zone begins."""
    return is_midnight(zone, instant) and datetime.fromtimestamp(instant, zone).weekday() == 0


@lru_cache(maxsize=64)
def day_edges(zone: ZoneInfo, instant: int, window_days: int) -> tuple[int, ...]:
    """A window's beginning, and those of the zone's days in it."""
    since = instant - window_days * DAY_SECONDS
    return since, *(each for each in _of_days(midnights, zone, since, instant) if since < each < instant)


@lru_cache(maxsize=64)
def hour_edges(zone: ZoneInfo, instant: int) -> tuple[int, ...]:
    """Where the windows of a day and of HOURS_DAYS begin, and hours up to the instant."""
    since = instant - HOURS_DAYS * DAY_SECONDS
    found = {each for each in _of_days(hours, zone, since, instant) if since < each <= instant}
    return tuple(sorted(found | {since, instant - DAY_SECONDS}))


def _of_days(
    beginnings: Callable[[ZoneInfo, int], tuple[int, ...]], zone: ZoneInfo, since: int, until: int
) -> Iterator[int]:
    for day in range(since // DAY_SECONDS, until // DAY_SECONDS + 1):
        yield from beginnings(zone, day)
