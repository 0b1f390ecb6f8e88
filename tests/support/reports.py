"""What reports are written from, made up."""

from datetime import datetime
from typing import TypeVar

from service.overview.failures import FailedJobs, FailedRuns, OpenIncidents
from service.overview.sections import Snapshot
from service.report.found import Found
from service.snapshots import Dated

T = TypeVar("T")

NO_JOBS, NO_RUNS, NO_INCIDENTS = FailedJobs(0, ()), FailedRuns(0, ()), OpenIncidents(0, ())


def found(
    snapshot: Snapshot,
    jobs: FailedJobs | None = NO_JOBS,
    runs: FailedRuns | None = NO_RUNS,
    incidents: OpenIncidents | None = NO_INCIDENTS,
) -> Found:
    """A snapshot with these lists of its own tick; None is one that cannot be had."""
    lists = (_dated(each, snapshot.instant) for each in (jobs, runs, incidents))
    return Found(snapshot, *lists)  # type: ignore[arg-type]


def _dated(value: T | None, instant: datetime) -> Dated[T] | None:
    return None if value is None else Dated(value, int(instant.timestamp()), "hit")
