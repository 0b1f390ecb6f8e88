"""What the five sources say, as small numbers: the day cells and the maps of one snapshot.

A *day cell* counts the rows of one whole day before the snapshot's instant. `days` is ordered
oldest first and has exactly window_days cells; rows dated after the instant are in the last one.
`by_clock` are the same rows by the days of the time zone, cut at clock.day_edges; `by_hour` are those of
the last days, cut at clock.hour_edges. `before` is the window before, `month` the last 30 days, whatever the
window is; None where that is not known. `worst` are the worst names, and nothing where it is kept to one.
Maps are sorted by key and bounded: a status that is rare among many is not told apart in them. Totals that
can be derived are derived, so they cannot disagree.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from service.overview.clock import UTC_ZONE
from service.overview.query import Query


class DocSyncDay(Struct, frozen=True, array_like=True, gc=False):
    """Jobs of one day; dead letters are among the failed. Some are neither pushed nor pulled."""

    total: int = 0
    completed: int = 0
    failed: int = 0
    dead_letters: int = 0
    push: int = 0
    pull: int = 0


class DocSync(Struct, frozen=True):
    """Document sync jobs of a window and site. `attempts` is the sum of attempt_count.

    `oldest_reading` is the Unix time of the oldest reading in it; None when all is of the snapshot's instant.
    """

    days: tuple[DocSyncDay, ...]
    by_status: dict[str, int]
    attempts: int
    oldest_reading: int | None = None
    by_clock: tuple[DocSyncDay, ...] = ()
    by_hour: tuple[DocSyncDay, ...] = ()
    before: DocSyncDay | None = None
    month: DocSyncDay | None = None
    worst: tuple[tuple[str | None, DocSyncDay], ...] = ()


class WorkflowActionsDay(Struct, frozen=True, array_like=True, gc=False):
    """Custom action runs of one day."""

    total: int = 0
    failed: int = 0


class WorkflowActions(Struct, frozen=True):
    """Custom action runs of a window and target object; `oldest_reading` as in DocSync."""

    days: tuple[WorkflowActionsDay, ...]
    by_status: dict[str, int]
    by_result_code: dict[str, int]
    warnings: int
    oldest_reading: int | None = None
    by_clock: tuple[WorkflowActionsDay, ...] = ()
    by_hour: tuple[WorkflowActionsDay, ...] = ()
    before: WorkflowActionsDay | None = None
    month: WorkflowActionsDay | None = None
    worst: tuple[tuple[str | None, WorkflowActionsDay], ...] = ()


class BreakagesDay(Struct, frozen=True, array_like=True, gc=False):
    """Breakage incidents of one day."""

    total: int = 0
    open: int = 0


class Breakages(Struct, frozen=True):
    """Breakage incidents of a window. `repeated` counts incidents whose description recurs;
    `oldest_reading` as in DocSync.
    """

    days: tuple[BreakagesDay, ...]
    by_status: dict[str, int]
    by_severity: dict[str, int]
    by_responsibility: dict[str, int]
    repeated: int
    oldest_reading: int | None = None
    by_clock: tuple[BreakagesDay, ...] = ()
    by_hour: tuple[BreakagesDay, ...] = ()
    before: BreakagesDay | None = None
    month: BreakagesDay | None = None


class ConsumptionTemplates(Struct, frozen=True):
    """Template versions, of all time; the two lists are sorted template keys."""

    versions_total: int
    templates_total: int
    active_versions_total: int
    invalid_active_templates: tuple[str, ...]
    templates_without_active: tuple[str, ...]


class Lookups(Struct, frozen=True, array_like=True, gc=False):
    """Lookups of the 3D overlay cache."""

    hits: int = 0
    misses: int = 0

    @property
    def requests(self) -> int:
        """All of them."""
        return self.hits + self.misses


class OverlayCache(Struct, frozen=True):
    """Lookups of the 3D overlay cache in a window, over all processes that serve overlays.

    `by_hour` are those of the UTC hours of the last days, the running one last.
    """

    entries: int = 0
    hits: int = 0
    misses: int = 0
    evictions: int = 0
    ttl_seconds: int = 0
    max_entries: int = 0
    by_hour: tuple[Lookups, ...] = ()
    before: Lookups | None = None
    month: Lookups | None = None


class Snapshot(Struct, frozen=True):
    """All sections as of one instant; `degraded` names those that are filled with zeros."""

    instant: datetime
    query: Query
    doc_sync: DocSync
    workflow_actions: WorkflowActions
    breakages: Breakages
    consumption_templates: ConsumptionTemplates
    overlay_cache: OverlayCache
    degraded: tuple[str, ...] = ()
    zone: ZoneInfo = UTC_ZONE

    @property
    def oldest_reading(self) -> datetime:
        """When the oldest rows in it were read: its own instant, unless days were read before."""
        read = (self.doc_sync, self.workflow_actions, self.breakages)
        ticks = [each.oldest_reading for each in read if each.oldest_reading is not None]
        return min([self.instant, *(datetime.fromtimestamp(tick, UTC) for tick in ticks)])

    @property
    def window_since(self) -> datetime:
        """The window's first instant; rows of exactly that instant are in it."""
        return window_since(self.instant, self.query.window_days)


def window_since(instant: datetime, window_days: int) -> datetime:
    """The first instant of the window that ends at `instant`."""
    return instant - timedelta(days=window_days)
