"""Rows where counting by the day could go wrong: on the edges of ticks, beside them, at midnight, far off."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from tests.support.builders import INFINITY, SQL_NULL, Database, Row, incident, job, run

DAY: Final = timedelta(days=1)
QUARTER: Final = timedelta(minutes=15)
MICROSECOND: Final = timedelta(microseconds=1)
BESIDE: Final = (-MICROSECOND, timedelta(0), MICROSECOND)
# One day more than the largest window has.
EDGES: Final = range(92)

PAYLOADS: Final[tuple[Any, ...]] = (
    {"site_id": "A"},
    {"site_id": "A", "direction": "pull"},
    {"site_id": " B ", "direction": " Push\t"},
    {"site_id": 7, "direction": "sideways"},
    {"site_id": "", "direction": ["push"]},
    {},
)
TASK_TYPES: Final = ("document_sync_push", "document_sync_PULL", "document_sync_", "document_sync_pull_all")
JOB_STATUSES: Final = ("failed", "FAILED", "completed", "Completed", "pending", None)
TARGETS: Final = ("Part", "Part", "ECO", "")
RUN_STATUSES: Final = ("failed", "Failed", "completed", "warning", "")
DESCRIPTIONS: Final = ("Leak", " leak", "Crack", "", None, None, None)
RESULTS: Final[tuple[Any, ...]] = (
    {"result_code": "OK"},
    {"result_code": "E1"},
    {"result_code": 0},
    {},
    [],
    SQL_NULL,
)


def edge_times(random: Random, ticks: Sequence[int]) -> list[datetime]:
    """Each edge of a day cell at one of the ticks, midnights, quarters, and times that nothing bounds."""
    edges = [_instant(random.choice(ticks)) - days * DAY for days in EDGES]
    last = _instant(max(ticks))
    midnights = [
        last.replace(hour=0, minute=0, second=0) - days * DAY for days in (-1, 0, 1, 2, 6, 7, 90, 91)
    ]
    # Where days and hours of some time zone begin.
    quarters = [
        midnights[1] + QUARTER * random.randint(-days * 96, 96) for days in (1, 7, 90) for _ in range(20)
    ]
    around = [at + off for at in (*edges, *midnights, *quarters) for off in BESIDE]
    anywhere = [last - random.uniform(-2, 93) * DAY for _ in range(60)]
    far = [last + 5 * DAY, last - 400 * DAY, datetime(1, 1, 1, tzinfo=UTC), INFINITY]
    return [*around, *anywhere, *far]


def rows_at(random: Random, times: Iterable[datetime]) -> Database:
    """A job, a run and an incident at each of the times."""
    made = [(job_at(random, at), run_at(random, at), incident_at(random, at)) for at in times]
    jobs, runs, incidents = (list(column) for column in zip(*made, strict=True))
    return Database(jobs, runs, incidents)


def job_at(random: Random, at: datetime) -> Row:
    """A job of any site and status."""
    return job(
        task_type=random.choice(TASK_TYPES),
        payload=random.choice(PAYLOADS),
        status=random.choice(JOB_STATUSES),
        attempt_count=random.choice((0, 1, 2, 3, None)),
        max_attempts=random.choice((0, 1, 3, None)),
        created_at=at,
    )


def run_at(random: Random, at: datetime) -> Row:
    """A run of any target object, status and result."""
    return run(
        target_object=random.choice(TARGETS),
        status=random.choice(RUN_STATUSES),
        result=random.choice(RESULTS),
        created_at=at,
    )


def incident_at(random: Random, at: datetime) -> Row:
    """An incident of any status, whose description others may have."""
    return incident(
        description=random.choice(DESCRIPTIONS) or f"at {at}",
        status=random.choice(("open", "Open", "closed")),
        severity=random.choice(("minor", "Major", "")),
        responsibility=random.choice((None, "", "QA", "Ops")),
        created_at=at,
    )


def _instant(tick: int) -> datetime:
    return datetime.fromtimestamp(tick, UTC)
