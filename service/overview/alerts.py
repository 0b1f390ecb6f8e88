"""Alerts: the SLO hints of a summary, by level and code."""

from collections import Counter
from typing import Literal

from msgspec import Struct
from msgspec.structs import asdict

from service.overview.overrides import SloThresholds
from service.overview.query import AlertsQuery, Filters
from service.overview.slo import Hint
from service.overview.summary import Summary
from service.overview.times import Instant

Status = Literal["ok", "warning", "critical"]


class AlertFilters(Filters, frozen=True):
    """The filters in force, the level among them; null is "no filter"."""

    level: str | None = None


class Alerts(Struct, frozen=True):
    """The hints that the level filter keeps; status, total and by_code are of those."""

    generated_at: Instant
    window_days: int
    window_since: Instant
    filters: AlertFilters
    status: Status
    total: int
    by_code: dict[str, int]
    hints: tuple[Hint, ...]
    slo_thresholds: SloThresholds
    oldest_reading: Instant
    degraded: tuple[str, ...]


def alerts_of(summary: Summary, query: AlertsQuery) -> Alerts:
    """The alerts of a summary, kept to one level when the query names one."""
    level = query.level
    hints = tuple(hint for hint in summary.slo_hints if level in (None, hint.level))
    return Alerts(
        generated_at=summary.generated_at,
        window_days=summary.window_days,
        window_since=summary.window_since,
        filters=AlertFilters(**asdict(query.snapshot.filters), level=level),
        status=status_of(hints),
        total=len(hints),
        by_code=dict(sorted(Counter(hint.code for hint in hints).items())),
        hints=hints,
        slo_thresholds=summary.slo_thresholds,
        oldest_reading=summary.oldest_reading,
        degraded=summary.degraded,
    )


def status_of(hints: tuple[Hint, ...]) -> Status:
    """What the most severe of the hints makes of it all."""
    if any(hint.level == "critical" for hint in hints):
        return "critical"
    return "warning" if hints else "ok"
