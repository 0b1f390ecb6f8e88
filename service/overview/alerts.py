"""Alerts: the SLO hints of a summary, by level and code."""

from collections import Counter
from typing import Literal

from msgspec import Struct
from msgspec.structs import asdict

from service.overview.overrides import SloThresholds
from service.overview.query import AlertsQuery, Filters
from service.overview.slo import OBJECTIVES, Hint, Objective, Thresholds
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


def unjudged(summary: Summary, thresholds: Thresholds) -> Counter[str]:
    """How many of the rates that have limits cannot be held against them, by why: no_data or too_few."""
    found = (why_unjudged(objective, summary, thresholds) for objective in OBJECTIVES)
    return Counter(why for why in found if why)


def why_unjudged(objective: Objective, summary: Summary, thresholds: Thresholds) -> str | None:
    """Why an objective's rate cannot be held against its limits, if it cannot."""
    section = getattr(summary, objective.section)
    if getattr(section, objective.rate) is None:
        return "no_data"  # which is not the same as fine
    return None if thresholds.suffice(objective, section) else "too_few"


def states(summary: Summary, why_not: Counter[str], *, is_stale: bool = False) -> tuple[str, ...]:
    """What is to be said of it all, what counts most first; `why_not` is what is unjudged.

    Old figures come first, for they put the rest in doubt; ok stands only for itself. Where no rate can be
    judged, nothing is known to be ok.
    """
    status = status_of(summary.slo_hints)
    found = [
        "stale" if is_stale else "",
        status if status != "ok" else "",
        "degraded" if summary.degraded else "",
    ]
    return tuple(filter(None, found)) or ("ok" if why_not.total() < len(OBJECTIVES) else "none",)
