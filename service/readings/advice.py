"""What the log says of the database's share, now and then."""

import time

import structlog

from service.readings.account import Share
from service.readings.catalogue import Facts
from service.readings.manifest import Spending
from service.readings.tables import DAY_TABLES

AGAIN_SECONDS = 600.0
_NO_SHARE_WILL_DO = "a longer PARALLEL_OPS_OLD_DAYS_SECONDS"

log = structlog.get_logger(__name__)


class Advice:
    """Speaks when refreshes need more than their share, and says whose and what would help."""

    def __init__(self, share: Share) -> None:
        self._share = share
        self._again_at = 0.0

    def note(self, spending: Spending, facts: Facts) -> None:
        """Look at what was spent, and say so if it is too much."""
        share = self._share
        if spending.needed <= share.part or time.monotonic() < self._again_at:
            return
        self._again_at = time.monotonic() + AGAIN_SECONDS
        told: dict[str, object] = {"needed": round(spending.needed, 5), "share": round(share.part, 5)}
        if share.tenant is not None:
            told |= {"tenant": share.tenant, "tenants": share.parts()}
        if facts.whole:
            log.warning(
                "refreshes are rare: tables without an index on created_at are read whole",
                **told,
                tables=sorted(DAY_TABLES[section].table for section in facts.whole),
                remedy="the indexes on created_at of migrations_none/optional_indexes.sql",
            )
        else:
            fitting = share.fitting(spending.needed)
            log.warning(
                "the database share is too small to read every day again in time: more is taken",
                **told,
                remedy=f"PARALLEL_OPS_DATABASE_SHARE={fitting}" if fitting else _NO_SHARE_WILL_DO,
            )
