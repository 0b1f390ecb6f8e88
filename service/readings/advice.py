"""What the log says of the database's share, now and then."""

import time
from collections.abc import Callable

import structlog

from service.readings.catalogue import Facts
from service.readings.manifest import Spending
from service.readings.tables import DAY_TABLES

AGAIN_SECONDS = 600.0

log = structlog.get_logger(__name__)


class Advice:
    """Speaks when refreshes need more than their share, and says what would help."""

    def __init__(self, share: Callable[[], float]) -> None:
        self._share = share
        self._again_at = 0.0

    def note(self, spending: Spending, facts: Facts) -> None:
        """Look at what was spent, and say so if it is too much."""
        share = self._share()
        if spending.needed <= share or time.monotonic() < self._again_at:
            return
        self._again_at = time.monotonic() + AGAIN_SECONDS
        cores = {"needed": round(spending.needed, 3), "share": round(share, 3)}
        if facts.whole:
            log.warning(
                "refreshes are rare: tables without an index on created_at are read whole",
                **cores,
                tables=sorted(DAY_TABLES[section].table for section in facts.whole),
                remedy="the indexes on created_at of migrations_none/optional_indexes.sql",
            )
        else:
            log.warning(
                "the database share is too small to read every day again in time: more is taken",
                **cores,
                remedy=f"PARALLEL_OPS_DATABASE_SHARE={fitting(spending.needed)}",
            )


def fitting(needed: float) -> float:
    """A share in which so many cores fit, with some room."""
    return max(0.01, round(needed * 1.2, 2))
