"""The time as tests have it."""

import time
from datetime import UTC, datetime

# A moment at which a tick begins, so that answers are as of this very instant.
NOW = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)


class Clock:
    """Unix seconds that stand still until a test moves them."""

    def __init__(self, now: datetime) -> None:
        self.now = now.timestamp()

    def __call__(self) -> float:
        return self.now


def long_ticks(seconds: float) -> int:
    """A length of ticks, of an hour or little less, of which none ends within the next so many seconds.

    For processes, which have the real time: whatever it is, a test that is over by then sees one tick.
    """
    now = time.time()
    return next(length for length in range(3600, 0, -1) if now % length < length - seconds)
