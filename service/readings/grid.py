"""The grid of days, and the edges that slide over it. All times are whole Unix seconds.

The edges of windows and buckets are whole days before a tick: in every day that is over there is one, at the
tick's time of day, and with each tick it moves by the length of a tick. A day that is cut at the times of day
of the ticks to come can therefore be summed for each of them without being read again.
"""

from bisect import bisect_right
from collections.abc import Sequence

from msgspec import Struct

DAY_SECONDS = 86_400
# So many ticks a reading is exact for at most: each is a cut through every day.
MAX_TICKS = 240


def day_of(tick: int) -> int:
    """The number of the UTC day that a tick is in, from the epoch on."""
    return tick // DAY_SECONDS


def days_of(tick: int, window_days: int) -> range:
    """The days that a window touches, the running one last; what is dated later belongs to that one."""
    today = day_of(tick)
    return range(today - window_days, today + 1)


class Grid(Struct, frozen=True):
    """Ticks of `refresh` seconds; a reading is cut for those of the next `old_days_seconds`."""

    refresh: int
    old_days_seconds: float

    @property
    def horizon(self) -> int:
        """For so many seconds after its tick a reading may be used."""
        return self.refresh * max(1, min(MAX_TICKS, int(self.old_days_seconds // self.refresh)))

    def cuts(self, tick: int) -> tuple[int, ...]:
        """The seconds of a day at which a reading of that tick is cut, in order."""
        ticks = range(tick, tick + self.horizon + 1, self.refresh)
        return tuple(sorted({each % DAY_SECONDS for each in ticks} - {0}))


def cells_before(cuts: Sequence[int], tick: int) -> int:
    """How many of a day's cells are before the tick's time of day, which is one of the cuts or midnight."""
    return bisect_right(cuts, tick % DAY_SECONDS)


def is_cut_for(cuts: Sequence[int], tick: int) -> bool:
    """Whether a day with these cuts can be summed for that tick."""
    time = tick % DAY_SECONDS
    return time == 0 or time in cuts
