"""The time as tests have it."""

from datetime import UTC, datetime

# A moment at which a tick begins, so that answers are as of this very instant.
NOW = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)


class Clock:
    """Unix seconds that stand still until a test moves them."""

    def __init__(self, now: datetime) -> None:
        self.now = now.timestamp()

    def __call__(self) -> float:
        return self.now
