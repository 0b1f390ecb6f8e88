"""Objectives by the hour: what each of the last hours counted, and since when an objective is missed."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import takewhile
from operator import attrgetter

from msgspec import Struct

from service.overview.clock import DAY_SECONDS, HOUR_SECONDS, HOURS_DAYS, hour_edges
from service.overview.sections import Snapshot
from service.overview.slo import Objective, Since

HOURS = HOURS_DAYS * DAY_SECONDS // HOUR_SECONDS


class Hour(Struct, frozen=True):
    """What one UTC hour, the `number`th since the epoch, counted: everything, and what failed."""

    number: int
    total: int = 0
    failed: int = 0

    @property
    def begins(self) -> datetime:
        """Its beginning."""
        return datetime.fromtimestamp(self.number * HOUR_SECONDS, UTC)


def hours_of(snapshot: Snapshot, objective: Objective) -> tuple[Hour, ...]:
    """The last HOURS hours, oldest first and the running one last; none where nothing is told by the hour."""
    section, tick = getattr(snapshot, objective.section), int(snapshot.instant.timestamp())
    if objective.failures is None or not section.by_hour:
        return ()
    first = tick // HOUR_SECONDS - HOURS + 1
    totals, failures = [0] * HOURS, [0] * HOURS
    counts = map(attrgetter(*objective.failures), section.by_hour)
    for number, (total, failed) in zip(_numbers(snapshot, objective, first), counts, strict=True):
        if number >= first:
            totals[number - first] += total
            failures[number - first] += failed
    return tuple(map(Hour, range(first, first + HOURS), totals, failures))


def _numbers(snapshot: Snapshot, objective: Objective, first: int) -> Iterable[int]:
    """The hour of each of the section's cells."""
    if objective.section == "overlay_cache":
        return range(first, first + HOURS)
    edges = hour_edges(snapshot.zone, int(snapshot.instant.timestamp()))
    return (edge // HOUR_SECONDS for edge in edges)


def since(snapshot: Snapshot, objective: Objective, limit: float) -> Since:
    """Since when the hours are past a limit without a break, or are not; hours without data say nothing."""
    hours = (hour for hour in reversed(hours_of(snapshot, objective)) if hour.total)
    told = [(hour, objective.is_past(_rate(hour, objective), limit)) for hour in hours]
    if not told:
        return Since()
    _, is_bad = told[0]
    *_, (oldest, _) = takewhile(lambda each: each[1] == is_bad, told)
    return Since(since=oldest.begins) if is_bad else Since(quiet_since=oldest.begins)


def _rate(hour: Hour, objective: Objective) -> float:
    """The objective's own rate: of what failed, or of what did not."""
    part = hour.total - hour.failed if objective.is_floor else hour.failed
    return part / hour.total


def burnt(hours: Iterable[Hour]) -> tuple[int, int]:
    """How many there were, and how many of them failed."""
    found = [(hour.total, hour.failed) for hour in hours]
    return sum(total for total, _ in found), sum(failed for _, failed in found)
