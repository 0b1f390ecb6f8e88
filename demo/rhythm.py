"""When the demo's rows happen, and what share of them goes wrong: days, weekends, one bad day.

Pure functions of a number of rows and an instant; the rows themselves are made by PostgreSQL.
"""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import accumulate

from msgspec import Struct

DAYS = 100
DAY = timedelta(days=1)
SLOT = timedelta(hours=1)
# Work starts at 8 in China (UTC+8), and Europe ends it; the batch runs of the night are in it too.
HOURLY = (9, 10, 10, 9, 5, 9, 10, 9, 8, 7, 5, 4, 4, 4, 3, 2, 1, 1, 5, 3, 1, 1, 1, 4)
BUSY_WEEKDAYS = (1, 2, 3)
# A clock that runs ahead, or a time zone mistaken, dates a few rows in the future.
FUTURE_ROWS = 5


class Share(Struct, frozen=True):
    """A share of rows in [0, 1] that drifts from `usual` to `lately` while rows get younger than `age`.

    `trickling` is that of rows which come while the demo runs. Where the share has a limit, it is that limit:
    however many rows come, they take no window from one side of it to the other.
    """

    usual: float
    lately: float
    age: timedelta
    trickling: float

    def at(self, age: timedelta) -> float:
        """The share among rows of that age."""
        return self.usual + (self.lately - self.usual) * math.exp(-(age / self.age))


class Rhythm(Struct, frozen=True):
    """How one table's rows come: what share fails or is not finished, and what one bad day does to them.

    `bad_day` is a multiple of a usual day's rows.
    """

    failing: Share
    failing_on_bad_day: float
    unfinished: Share
    bad_day: float


# Failures that are not about to be tried again: those are dead letters.
DEAD = 0.84
# All four have had a bad week, whatever the hour, after a quiet quarter: of a week every limit is passed, and
# of ninety days none.
JOBS = Rhythm(Share(0.025, 0.20, DAY, 0.05 / DEAD), 0.42, Share(0.004, 0.35, SLOT, 0.35), 2.4)
RUNS = Rhythm(Share(0.010, 0.08, DAY, 0.02), 0.16, Share(0.002, 0.20, SLOT, 0.20), 1.5)
# Of incidents it is the severe ones that "fail", and the open ones that are not finished.
INCIDENTS = Rhythm(Share(0.3, 0.4, DAY, 0.4), 0.6, Share(0.3, 0.92, 6 * DAY, 0.5), 1.8)
# Lookups of the overlay cache "fail" when they miss.
OVERLAYS = Rhythm(Share(0.13, 0.32, 3 * DAY, 0.2), 0.45, Share(0, 0, SLOT, 0), 1.4)


class Slot(Struct, frozen=True):
    """The rows numbered `first` to `last`; they happen from `start` (naive UTC) on, usually within SLOT."""

    start: datetime
    first: int
    last: int
    failing: float
    unfinished: float


def slots(count: int, until: datetime, rhythm: Rhythm) -> list[Slot]:
    """`count` rows in the DAYS before `until`, oldest first, and a few of them after it."""
    end = until.astimezone(UTC).replace(tzinfo=None)
    starts = [end - DAYS * DAY + number * SLOT for number in range(DAYS * 24)]
    future = min(FUTURE_ROWS, count // 1000)
    bad_day = _bad_day(end)
    edges = _edges(count - future, [_weight(start, bad_day, rhythm) for start in starts])
    spans = [(start, *edge) for start, edge in zip(starts, edges, strict=True)]
    spans.append((end, count - future + 1, count))
    return [
        Slot(start, first, last, _failing(start, end, bad_day, rhythm), rhythm.unfinished.at(end - start))
        for start, first, last in spans
        if first <= last
    ]


def fresh(first: int, count: int, now: datetime, rhythm: Rhythm) -> Slot:
    """`count` rows from `now` (aware) on."""
    start = now.astimezone(UTC).replace(tzinfo=None)
    return Slot(start, first, first + count - 1, rhythm.failing.trickling, rhythm.unfinished.trickling)


def _edges(count: int, weights: list[float]) -> Iterator[tuple[int, int]]:
    """The first and last row number of each slot, in proportion to the weights."""
    total = math.fsum(weights)
    done = 0
    for running in accumulate(weights):
        last = min(count, round(count * running / total))
        yield done + 1, last
        done = last


def _weight(start: datetime, bad_day: datetime, rhythm: Rhythm) -> float:
    """How many rows a slot gets, against others."""
    weekly = 0.3 if start.weekday() >= 5 else 1.0
    daily = _luck("rows", start, 0.2)
    return HOURLY[start.hour] * weekly * daily * (rhythm.bad_day if _is_on(start, bad_day) else 1.0)


def _failing(start: datetime, end: datetime, bad_day: datetime, rhythm: Rhythm) -> float:
    """The share of a slot's rows that fail, better on some days than on others."""
    if _is_on(start, bad_day):
        return rhythm.failing_on_bad_day
    return rhythm.failing.at(end - start) * _luck("failing", start, 0.15)


def _luck(purpose: str, start: datetime, most: float) -> float:
    """A factor around 1 that is a day's own."""
    digest = sha256(f"{purpose} {start.toordinal()}".encode()).digest()
    return 1 + most * (int.from_bytes(digest[:4]) / 2**31 - 1)


def _bad_day(end: datetime) -> datetime:
    """The start of the last busy weekday that was over at least a day ago: it is in the week's window."""
    day = end.replace(hour=0, minute=0, second=0, microsecond=0) - 2 * DAY
    while day.weekday() not in BUSY_WEEKDAYS:
        day -= DAY
    return day


def _is_on(start: datetime, day: datetime) -> bool:
    return day <= start < day + DAY
