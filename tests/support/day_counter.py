"""Day readings counted row by row: what a reading of some rows must hold, worked out without the database."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from service.readings.reading import Label, Name, StoredDay
from tests.oracle import direction_of, lower, parse, result_code_of, site_of
from tests.support.builders import Row

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - as rows have it
SECOND = timedelta(seconds=1)
DAY_SECONDS = 86_400

# Of a row: its name, its label, and its counts.
Facts = tuple[Name, Label, tuple[int, ...]]


def job_facts(job: Row) -> Facts:
    """Site, status, and how many jobs, attempts, jobs without attempts left, pushed and pulled ones."""
    attempts, allowed = job["attempt_count"] or 0, job["max_attempts"] or 0
    exhausted, direction = allowed > 0 and attempts >= allowed, direction_of(job)
    counts = (1, attempts, int(exhausted), int(direction == "push"), int(direction == "pull"))
    return site_of(job), (lower(job["status"]),), counts


def run_facts(run: Row) -> Facts:
    """Target object, status and result code, and how many runs."""
    code = result_code_of(run) if isinstance(parse(run["result"]), dict) else None
    return run["target_object"], (lower(run["status"]), code), (1,)


class DayCounter:
    """tuple[int, ...] the rows of one table by the day."""

    def __init__(self, rows: Iterable[Row], facts: Callable[[Row], Facts]) -> None:
        self._facts = facts
        self._by_day: dict[int, list[tuple[int, Facts]]] = {}
        for row in rows:
            self.add(row)

    def add(self, row: Row) -> None:
        """Have one more row."""
        second = (row["created_at"] - EPOCH) // SECOND
        self._by_day.setdefault(second // DAY_SECONDS, []).append((second, self._facts(row)))

    def day(self, day: int, tick: int, cuts: Sequence[int]) -> StoredDay:
        """The reading of a day, made at a tick: the running day has what is dated later, too."""
        rows = list(self._by_day.get(day, ()))
        if day == tick // DAY_SECONDS:
            rows += [row for later, found in self._by_day.items() if later > day for row in found]
        midnight = day * DAY_SECONDS
        labels: dict[Label, int] = {}
        names: dict[Name, list[int]] = {}
        # Each row for itself: that readings add up is what is tried.
        for second, (name, label, counts) in rows:
            cell = bisect_right(cuts, second - midnight)
            number = labels.setdefault(label, len(labels))
            names.setdefault(name, []).extend((cell, number, *counts))
        return StoredDay(day, tick, tuple(cuts), True, tuple(labels), tuple(names.items()))
