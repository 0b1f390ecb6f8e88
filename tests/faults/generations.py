"""Data that proves answers right or wrong: numbered generations, each of which replaces all rows.

The figures of a generation follow from its number alone, and neighbours differ in all of them. So an
answer tells which generation it was computed from, and one that fits none has mixed two.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import inf
from random import Random

from tests.support.builders import Database, incident, job, plan, run, template

# Rows lie half-way between the edges of day cells, and stay there for hours of testing.
START = datetime.now(UTC)
AGES = tuple(START - timedelta(days=days, hours=12) for days in (0, 0, 0, 1, 3, 5, 6, 8, 20, 40, 70))
SITES = ("S1", "S2", "北京-01")
TARGETS = ("Part", "ECO")
KEYS = ("pump", "seal", "valve", "工装")
JOB_STATUSES = ("completed", "completed", "Failed", "failed", "pending", None)
RUN_STATUSES = ("completed", "completed", "failed", "warning")
DESCRIPTIONS = ("Leaking", "leaking ", "Cracked", "Bent", "")


@lru_cache(maxsize=256)
def rows_of(number: int) -> Database:
    """The rows of a generation; 20 to 60 of each kind."""
    random = Random(number)
    some = [f"{number:07}-{n:02}" for n in range(20 + number * 7 % 41)]
    pick = random.choice
    return Database(
        jobs=[
            job(
                id=f"job-{name}",
                status=pick(JOB_STATUSES),
                payload={"site_id": pick(SITES)},
                attempt_count=pick((None, 1, 2, 3)),
                last_error=f"of generation {number}",
                created_at=pick(AGES),
            )
            for name in some
        ],
        runs=[
            run(
                id=f"run-{name}",
                status=pick(RUN_STATUSES),
                target_object=pick(TARGETS),
                result={"result_code": pick(("OK", "RETRY", 0, None))},
                created_at=pick(AGES),
            )
            for name in some
        ],
        incidents=[
            incident(
                id=f"incident-{name}",
                status=pick(("open", "closed")),
                severity=pick(("minor", "major")),
                description=pick(DESCRIPTIONS),
                created_at=pick(AGES),
            )
            for name in some
        ],
        plans=[
            template(pick(KEYS), active=pick((True, False, False)), id=f"plan-{name}") for name in some[:-1]
        ]
        + [plan(id=f"plan-{some[-1]}")],
    )


def overlay_of(number: int) -> dict[str, int]:
    """The overlay counters of a generation; generation 0 is a Redis that has none."""
    return {
        "entries": 0,
        "hits": number * (9 if number % 2 else 3),
        "misses": number,
        "evictions": number * 2,
        "ttl_seconds": 0,
        "max_entries": 0,
    }


@dataclass(eq=False)
class Generation:
    """When its commit was sent, and when it was known to be done (never, while that is unknown)."""

    number: int
    begun: float
    ended: float = inf

    def end(self) -> None:
        """It is committed: readers see no older one any more."""
        self.ended = time.time()


class History:
    """Which generations could be seen when, in Unix seconds."""

    def __init__(self) -> None:
        self._generations: list[Generation] = []

    def begin(self, number: int) -> Generation:
        """From now on this generation may be what a reader sees."""
        generation = Generation(number, time.time())
        self._generations.append(generation)
        return generation

    def drop(self, generation: Generation) -> None:
        """It was never committed."""
        self._generations.remove(generation)

    def visible(self, since: float, until: float) -> Iterator[int]:
        """The numbers of all generations that a statement between the two moments may have seen."""
        superseded = inf
        for generation in reversed(self._generations):
            if superseded < since:
                return
            if generation.begun <= until:
                yield generation.number
            superseded = min(superseded, generation.ended)
