"""The grid of days, and the edges that slide over it. All times are whole Unix seconds.

The edges of windows and buckets are whole days before a tick: in every day that is over there is one, at the
tick's time of day, and with each tick it moves by the length of a tick. A day that is cut at the times of day
of the ticks to come can therefore be summed for each of them without being read again. It is cut where a day
of the time zone begins, too, and one of the last days at every hour.
"""

from bisect import bisect_right
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from msgspec import Struct

from service.overview.clock import DAY_SECONDS, HOURS_DAYS, UTC_ZONE, hours, midnights
from service.overview.query import WINDOW_DAYS

# So many ticks a reading is exact for at most: each is a cut through every day.
MAX_TICKS = 240
DEEPEST = WINDOW_DAYS[-1]


def day_of(tick: int) -> int:
    """The number of the UTC day that a tick is in, from the epoch on."""
    return tick // DAY_SECONDS


def days_of(tick: int, window_days: int) -> range:
    """The days that a window touches, the running one last; what is dated later belongs to that one."""
    today = day_of(tick)
    return range(today - window_days, today + 1)


class Window(Struct, frozen=True):
    """So many days before a tick; its days by the clock are the zone's."""

    tick: int
    days: int
    zone: ZoneInfo = UTC_ZONE

    @property
    def since(self) -> int:
        """Where it begins."""
        return self.tick - self.days * DAY_SECONDS

    @property
    def before(self) -> int | None:
        """Where the window before it begins, if that is read."""
        return None if 2 * self.days > DEEPEST else self.since - self.days * DAY_SECONDS

    @property
    def read(self) -> range:
        """The days that its figures are summed from, those of the window before it and of the last hours."""
        return days_of(self.tick, min(DEEPEST, max(2 * self.days, HOURS_DAYS)))


class Grid(Struct, frozen=True):
    """Ticks of `refresh` seconds; a reading is cut for those of the next `old_days_seconds`."""

    refresh: int
    old_days_seconds: float
    zone: ZoneInfo = UTC_ZONE

    @property
    def horizon(self) -> int:
        """For so many seconds after its tick a reading may be used."""
        return self.refresh * max(1, min(MAX_TICKS, int(self.old_days_seconds // self.refresh)))

    def cuts(self, tick: int, days: range) -> tuple[tuple[int, ...], ...]:
        """For each of the days the seconds at which a reading of that tick is cut, in order."""
        ticks = {each % DAY_SECONDS for each in range(tick, tick + self.horizon + 1, self.refresh)}
        found: dict[frozenset[int], tuple[int, ...]] = {}
        return tuple(
            found.setdefault(clock, tuple(sorted((ticks | clock) - {0})))
            for clock in (self._clock_cuts(tick, day) for day in days)
        )

    def _clock_cuts(self, tick: int, day: int) -> frozenset[int]:
        beginnings = midnights(self.zone, day)
        if has_hours(tick, day):
            beginnings += hours(self.zone, day)
        return frozenset(each % DAY_SECONDS for each in beginnings)


def has_hours(tick: int, day: int) -> bool:
    """Whether a day is told by the hour at a tick."""
    return day >= day_of(tick) - HOURS_DAYS


def cells_before(cuts: Sequence[int], instant: int) -> int:
    """How many of a day's cells are before that time of day, which is one of the cuts or midnight."""
    return bisect_right(cuts, instant % DAY_SECONDS)


def is_cut_for(cuts: Sequence[int], tick: int) -> bool:
    """Whether a day with these cuts can be summed for that tick."""
    time = tick % DAY_SECONDS
    return time == 0 or time in cuts
