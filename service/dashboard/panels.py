"""The five panels and the alerts, from the same summary and trends that the API answers with."""

from collections.abc import Callable

from msgspec import Struct

from service.dashboard.charts import Distribution, TrendBucket, TrendChart, distribution, trend_chart
from service.overview import slo
from service.overview.slo import Threshold, Thresholds
from service.overview.summary import Summary
from service.overview.trends import TrendPoint, Trends


class Figure(Struct, frozen=True):
    """One figure: its name as in the summary, its value, and whether that is a share."""

    section: str
    name: str
    value: int | float | None
    is_share: bool = False


class Limit(Struct, frozen=True):
    """The limit that a figure is held against; `is_least` when it must not fall below."""

    value: float
    is_least: bool = False


class Trend(Struct, frozen=True):
    """A panel's course: the chart, and the same as a table. `part` and `rate` name what is drawn."""

    chart: TrendChart
    buckets: tuple[TrendBucket, ...]
    part: str
    days: int
    last_days: int


class Panel(Struct, frozen=True, kw_only=True):
    """What one side track shows. `level` is ok, warn, critical, no_data, none (no limit) or degraded."""

    name: str
    level: str
    main: Figure
    limit: Limit | None
    facts: tuple[Figure, ...]
    distributions: tuple[Distribution, ...]
    trend: Trend | None = None
    keys: tuple[tuple[str, tuple[str, ...]], ...] = ()
    note: str | None = None


class Alert(Struct, frozen=True):
    """An active SLO hint with its figure, its limit, and where on the page to look further."""

    code: str
    level: str
    figure: Figure
    limit: Limit
    anchor: str


class _Objective(Struct, frozen=True):
    section: str
    rate: str
    threshold: Callable[[Thresholds], Threshold]
    anchor: str
    is_least: bool = False


OBJECTIVES: dict[str, _Objective] = {
    slo.OVERLAY_CACHE_HIT_RATE_LOW: _Objective(
        "overlay_cache", "hit_rate", lambda all_: all_.overlay_cache_hit_rate, "overlay_cache", is_least=True
    ),
    slo.DOC_SYNC_DEAD_LETTER_RATE_HIGH: _Objective(
        "doc_sync", "dead_letter_rate", lambda all_: all_.doc_sync_dead_letter_rate, "failed-jobs"
    ),
    slo.WORKFLOW_ACTION_FAILED_RATE_HIGH: _Objective(
        "workflow_actions", "failed_rate", lambda all_: all_.workflow_failed_rate, "failed-runs"
    ),
    slo.BREAKAGE_OPEN_RATE_HIGH: _Objective(
        "breakages", "open_rate", lambda all_: all_.breakage_open_rate, "breakages"
    ),
}


def alerts(summary: Summary, thresholds: Thresholds) -> tuple[Alert, ...]:
    """The summary's hints, the critical ones first."""
    found = []
    for hint in summary.slo_hints:
        objective = OBJECTIVES[hint.code]
        threshold = objective.threshold(thresholds)
        limit = threshold.critical if hint.level == "critical" else threshold.warn
        found.append(
            Alert(
                code=hint.code,
                level=hint.level,
                figure=_figure(summary, objective.section, objective.rate),
                limit=Limit(threshold.warn if limit is None else limit, objective.is_least),
                anchor=objective.anchor,
            )
        )
    return tuple(sorted(found, key=lambda alert: alert.level != "critical"))


def unknown_rates(summary: Summary) -> int:
    """How many of the rates that have limits have no data."""
    rates = (_figure(summary, each.section, each.rate).value for each in OBJECTIVES.values())
    return sum(rate is None for rate in rates)


def panels(summary: Summary, trends: Trends, thresholds: Thresholds) -> tuple[Panel, ...]:
    """The five panels in the order of the summary."""
    return (
        _doc_sync(summary, trends, thresholds),
        _workflow_actions(summary, trends, thresholds),
        _breakages(summary, trends, thresholds),
        _templates(summary),
        _overlay(summary, thresholds),
    )


def _doc_sync(summary: Summary, trends: Trends, thresholds: Thresholds) -> Panel:
    limit = Limit(thresholds.doc_sync_dead_letter_rate.warn)
    return Panel(
        name="doc_sync",
        level=_level(summary, slo.DOC_SYNC_DEAD_LETTER_RATE_HIGH),
        main=_figure(summary, "doc_sync", "dead_letter_rate"),
        limit=limit,
        facts=_figures(
            summary, "doc_sync", "total", "success_rate", "dead_letter_total", "avg_attempt_count"
        ),
        distributions=(distribution("by_status", summary.doc_sync.by_status),),
        trend=_trend(
            trends,
            limit,
            "dead_letter_total",
            lambda point: (
                point.doc_sync.total,
                point.doc_sync.dead_letter_total,
                point.doc_sync.dead_letter_rate,
            ),
        ),
    )


def _workflow_actions(summary: Summary, trends: Trends, thresholds: Thresholds) -> Panel:
    limit, section = Limit(thresholds.workflow_failed_rate.warn), summary.workflow_actions
    return Panel(
        name="workflow_actions",
        level=_level(summary, slo.WORKFLOW_ACTION_FAILED_RATE_HIGH),
        main=_figure(summary, "workflow_actions", "failed_rate"),
        limit=limit,
        facts=_figures(summary, "workflow_actions", "total", "warning_rate"),
        distributions=(
            distribution("by_result_code", section.by_result_code),
            distribution("by_status", section.by_status),
        ),
        trend=_trend(
            trends,
            limit,
            "failed",
            lambda point: (
                point.workflow_actions.total,
                point.workflow_actions.failed_total,
                point.workflow_actions.failed_rate,
            ),
        ),
    )


def _breakages(summary: Summary, trends: Trends, thresholds: Thresholds) -> Panel:
    limit, section = Limit(thresholds.breakage_open_rate.warn), summary.breakages
    return Panel(
        name="breakages",
        level=_level(summary, slo.BREAKAGE_OPEN_RATE_HIGH),
        main=_figure(summary, "breakages", "open_rate"),
        limit=limit,
        facts=_figures(summary, "breakages", "total", "open_total", "repeated_total", "repeated_rate"),
        distributions=(
            distribution("by_severity", section.by_severity),
            distribution("by_status", section.by_status),
            distribution("by_responsibility", section.by_responsibility),
        ),
        trend=_trend(
            trends,
            limit,
            "open",
            lambda point: (point.breakages.total, point.breakages.open_total, point.breakages.open_rate),
        ),
    )


def _templates(summary: Summary) -> Panel:
    section = summary.consumption_templates
    odd = {
        "invalid_active_templates": section.invalid_active_templates,
        "templates_without_active": section.templates_without_active,
    }
    counts = {name: len(keys) for name, keys in odd.items()}
    one_active = section.templates_total - sum(counts.values())
    return Panel(
        name="consumption_templates",
        level="none",
        main=_figure(summary, "consumption_templates", "templates_total"),
        limit=None,
        facts=_figures(summary, "consumption_templates", "versions_total", "active_versions_total"),
        distributions=(distribution("by_activity", {"one_active": one_active, **counts}),),
        keys=tuple((name, keys) for name, keys in odd.items() if keys),
        note="all_time",
    )


def _overlay(summary: Summary, thresholds: Thresholds) -> Panel:
    section, is_away = summary.overlay_cache, "overlay_cache" in summary.degraded
    names = ("requests", "hits", "misses", "evictions", "entries", "max_entries", "ttl_seconds")
    return Panel(
        name="overlay_cache",
        level="degraded" if is_away else _level(summary, slo.OVERLAY_CACHE_HIT_RATE_LOW),
        main=_figure(summary, "overlay_cache", "hit_rate"),
        limit=Limit(thresholds.overlay_cache_hit_rate.warn, is_least=True),
        # Degraded counters are filled with zeros, and no zero is shown for what nobody knows.
        facts=() if is_away else _figures(summary, "overlay_cache", *names),
        distributions=()
        if is_away
        else (distribution("by_lookup", {"hits": section.hits, "misses": section.misses}),),
        note="no_overlay" if is_away else "one_figure",
    )


def _trend(
    trends: Trends,
    limit: Limit,
    part: str,
    read: Callable[[TrendPoint], tuple[int, int, float | None]],
) -> Trend:
    buckets = tuple(TrendBucket(point.bucket_start, point.partial, *read(point)) for point in trends.points)
    newest = trends.points[-1]
    return Trend(
        chart=trend_chart(buckets, limit.value),
        buckets=buckets,
        part=part,
        days=trends.bucket_days,
        last_days=(newest.bucket_end - newest.bucket_start).days,
    )


def _level(summary: Summary, code: str) -> str:
    objective = OBJECTIVES[code]
    if _figure(summary, objective.section, objective.rate).value is None:
        return "no_data"  # which is not the same as fine
    return next((hint.level for hint in summary.slo_hints if hint.code == code), "ok")


def _figures(summary: Summary, section: str, *names: str) -> tuple[Figure, ...]:
    return tuple(_figure(summary, section, name) for name in names)


def _figure(summary: Summary, section: str, name: str) -> Figure:
    return Figure(section, name, getattr(getattr(summary, section), name), name.endswith("_rate"))
