"""What readings cost the database, and how old they are: families among the service's own metrics."""

from collections.abc import Callable
from math import nan
from typing import Any

from msgspec import Struct
from prometheus_client import Counter, Gauge

from service.readings.manifest import Manifest, Spending
from service.readings.tables import DAY_TABLES
from service.sources.tables import TABLE_OF


class _Standing(Struct, frozen=True):
    """What is told of a manifest: `made` is how many days were read for it, by table."""

    oldest: int
    made: list[int]


class ReadingMetrics:
    """The families, and how they are filled. `family` makes one; `share` is the cores that are allowed."""

    def __init__(self, family: Callable[..., Any]) -> None:
        self._seconds = family(
            Counter,
            "statement_seconds_total",
            "Seconds that statements took, by the table they read.",
            "table",
        )
        self._reads = family(
            Counter,
            "database_reads_total",
            "Questions to one of several servers, by what that was: primary or standby.",
            "server",
        )
        self._standing: dict[str, _Standing] = {}
        self._is_shown = False
        newest = {"multiprocess_mode": "livemostrecent"}
        self._share = family(
            Gauge,
            "database_share_cores",
            "Cores of database time of the fleet's refreshes: allowed, needed to renew all in time, taken "
            "over the last minute or so.",
            "kind",
            **newest,
        )
        self._oldest = family(
            Gauge,
            "oldest_reading_timestamp_seconds",
            "When the oldest of the rows were read that answers are made of now.",
            **newest,
        )
        self._made = family(
            Gauge, "readings_made", "Days of a table that were read at the latest tick.", "table", **newest
        )
        self._lag = family(
            Gauge,
            "replica_lag_seconds",
            "By how much the standby lagged that lagged most when it was last asked; 0 without one.",
            **newest,
        )
        for server in ("primary", "standby"):
            self._reads.labels(server)
        for table in set(TABLE_OF.values()):
            self._seconds.labels(table)
        for each in DAY_TABLES.values():
            self._made.labels(each.table)

    def allow(self, share: float) -> None:
        """Note the share that is allowed."""
        self._share.labels("allowed").set(share)

    def ran(self, section: str, seconds: float) -> None:
        """Count a statement."""
        self._seconds.labels(TABLE_OF[section]).inc(seconds)

    def read_from(self, server: str, lag: float) -> None:
        """Count a question to a primary or a standby, and note by how many seconds standbys lag."""
        self._reads.labels(server).inc()
        self._lag.set(lag)

    def stands(self, tenant: str, manifest: Manifest | None) -> None:
        """Note what stands at a tenant's latest tick, or that nothing does any more."""
        if manifest is None:
            self._standing.pop(tenant, None)
        else:
            made = [
                sum(each.tick == manifest.tick for each in manifest.days[section]) for section in DAY_TABLES
            ]
            self._standing[tenant] = _Standing(manifest.oldest, made)

    def publish(self, spending: Spending) -> None:
        """Show what stands now, of all tenants together, and what they take; and once that nothing does.

        A worker in which nothing stands leaves it to others to say more.
        """
        standing = self._standing.values()
        if not standing:
            if not self._is_shown:
                return
            spending = Spending()
        self._is_shown = bool(standing)
        self._share.labels("needed").set(spending.needed)
        self._share.labels("taken").set(spending.taken)
        self._oldest.set(min((each.oldest for each in standing), default=nan))
        for number, table in enumerate(DAY_TABLES.values()):
            self._made.labels(table.table).set(sum(each.made[number] for each in standing))
