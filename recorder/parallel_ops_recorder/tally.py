"""Counts of one process, by UTC hour, from the lookup until they are delivered."""

from collections.abc import Callable
from threading import RLock

from parallel_ops_recorder.keys import KINDS

SECONDS_AN_HOUR = 3600.0
# Two days of an outage; 48 rows of three numbers.
MAX_HOURS = 48

# Hours since 1970 to one number a kind.
Counts = dict[int, list[int]]


class Tally:
    """Adds up counts from any number of threads; holds at most MAX_HOURS hours and gives up the oldest."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` tells the seconds since 1970."""
        self._clock = clock
        # Reentrant: a signal handler or a finaliser may count in the middle of its own thread's counting.
        self._lock = RLock()
        self._hours: Counts = {}
        self._hour = -1.0
        self._row = [0] * len(KINDS)
        self.dropped = 0

    def add(self, kind: int, n: int) -> None:
        """Count `n` of `kind` in the present hour."""
        hour = self._clock() // SECONDS_AN_HOUR
        with self._lock:
            if hour != self._hour:
                self._row = self._row_of(int(hour))
                self._hour = hour
            self._row[kind] += n

    def take(self) -> Counts:
        """Everything counted so far; it is the caller's from now on."""
        with self._lock:
            taken, self._hours = self._hours, {}
            self._hour = -1.0  # the next count opens a row anew
        return {hour: row for hour, row in taken.items() if any(row)}

    def put_back(self, hour: int, kind: int, n: int) -> None:
        """Return a part of what was taken."""
        with self._lock:
            self._row_of(hour)[kind] += n

    def total(self) -> int:
        """How much waits to be taken."""
        with self._lock:
            return total(self._hours)

    def _row_of(self, hour: int) -> list[int]:
        if hour not in self._hours:
            if len(self._hours) >= MAX_HOURS:
                oldest = min(self._hours)
                self.dropped += sum(self._hours.pop(oldest))
                self._hour = -1.0  # its row may have been the present one, if the clock was set back
            self._hours[hour] = [0] * len(KINDS)
        return self._hours[hour]


def total(counts: Counts) -> int:
    """The sum over all hours and kinds."""
    return sum(sum(row) for row in counts.values())
