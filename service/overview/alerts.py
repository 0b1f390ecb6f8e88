"""Alerts: the SLO hints of a summary, by level and code."""

from collections import Counter
from datetime import datetime
from typing import Literal

from msgspec import Struct

from service.overview.query import AlertsQuery
from service.overview.slo import Hint
from service.overview.summary import Summary

Status = Literal["ok", "warning", "critical"]


class AlertFilters(Struct, frozen=True):
    """The filters in force; null is "no filter"."""

    site_id: str | None
    target_object: str | None
    template_key: str | None
    level: str | None


class Alerts(Struct, frozen=True):
    """The hints that the level filter keeps; status, total and by_code are of those."""

    generated_at: datetime
    window_days: int
    window_since: datetime
    filters: AlertFilters
    status: Status
    total: int
    by_code: dict[str, int]
    hints: tuple[Hint, ...]
    degraded: tuple[str, ...]


def alerts_of(summary: Summary, query: AlertsQuery) -> Alerts:
    """The alerts of a summary, kept to one level when the query names one."""
    level, filters = query.level, query.snapshot
    hints = tuple(hint for hint in summary.slo_hints if level in (None, hint.level))
    return Alerts(
        generated_at=summary.generated_at,
        window_days=summary.window_days,
        window_since=summary.window_since,
        filters=AlertFilters(filters.site_id, filters.target_object, filters.template_key, level),
        status=worst(hints),
        total=len(hints),
        by_code=dict(sorted(Counter(hint.code for hint in hints).items())),
        hints=hints,
        degraded=summary.degraded,
    )


def worst(hints: tuple[Hint, ...]) -> Status:
    """The status that the most severe of the hints gives."""
    if any(hint.level == "critical" for hint in hints):
        return "critical"
    return "warning" if hints else "ok"
