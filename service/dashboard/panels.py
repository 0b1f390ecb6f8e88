"""The five panels and the alerts, from the same summary and trends that the API answers with."""

from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from service.dashboard.before import Before, Run, before, run_of
from service.dashboard.charts import Distribution, TrendBucket, TrendChart, distribution, trend_chart
from service.dashboard.labels import Course, course_of
from service.dashboard.layouts import ANCHORS, LAYOUTS, ODD_TEMPLATES, SECTIONS, Layout
from service.dashboard.places import Places
from service.overview.alerts import why_unjudged
from service.overview.slo import BY_CODE, OBJECTIVES, Hint, Level, Objective, Thresholds
from service.overview.summary import Summary
from service.overview.trends import TrendPoint, Trends


class Figure(Struct, frozen=True):
    """One figure: its name as in the summary, its value, and whether that is a share."""

    section: str
    name: str
    value: int | float | None
    is_share: bool = False


class Drawn(Struct, frozen=True):
    """The points that all trends of a page are drawn from, and where those begin."""

    points: tuple[TrendPoint, ...]
    course: Course


class Limit(Struct, frozen=True):
    """The limit that a figure is held against; `is_least` when it must not fall below."""

    value: float
    is_least: bool = False

    def is_passed_by(self, rate: float | None) -> bool:
        """Whether a rate is beyond the limit; one that nobody knows is not."""
        return rate is not None and (rate < self.value if self.is_least else rate > self.value)


class Trend(Struct, frozen=True):
    """A panel's course: the chart, and the same as a table. `part` names what the rate is about."""

    chart: TrendChart
    buckets: tuple[TrendBucket, ...]
    part: str
    course: Course


class Panel(Struct, frozen=True, kw_only=True):
    """What one side track shows.

    `level` is ok, warn or critical; no_data or too_few (not judged), none (no limit) or degraded.
    """

    name: str
    level: str
    main: Figure
    limit: Limit | None
    before: Before | None
    facts: tuple[Figure, ...]
    distributions: tuple[Distribution, ...]
    trend: Trend | None = None
    places: Places | None = None
    keys: tuple[tuple[str, tuple[str, ...]], ...] = ()
    note: str | None = None


class Alert(Struct, frozen=True):
    """An active SLO hint with its figure, its limit, since when, and where on the page to look further."""

    code: str
    level: str
    figure: Figure
    limit: Limit
    run: Run | None
    anchor: str


# Figures that the summary gives as zero where nothing is counted: by what must not all be zero.
_COUNTERS = ("entries", "max_entries", "ttl_seconds")
_SAYING_NOTHING = {
    ("doc_sync", "avg_attempt_count"): ("total",),
    **{("overlay_cache", name): _COUNTERS for name in _COUNTERS},
}
_BY_RATE = {(objective.section, objective.rate): objective for objective in OBJECTIVES}


def alerts(summary: Summary, thresholds: Thresholds, zone: ZoneInfo) -> tuple[Alert, ...]:
    """The summary's hints, the critical ones first, and of a level in the order of the panels."""
    found = (_alert(hint, summary, thresholds, zone) for hint in summary.slo_hints)
    return tuple(sorted(found, key=_place))


def _place(alert: Alert) -> tuple[bool, int]:
    return alert.level != "critical", SECTIONS.index(alert.figure.section)


def _alert(hint: Hint, summary: Summary, thresholds: Thresholds, zone: ZoneInfo) -> Alert:
    objective = BY_CODE[hint.code]
    return Alert(
        code=hint.code,
        level=hint.level,
        figure=_figure(summary, objective.section, objective.rate),
        limit=_limit(objective, thresholds, hint.level),
        run=run_of(hint, summary.generated_at, zone),
        anchor=ANCHORS[objective.section],
    )


def panels(summary: Summary, trends: Trends, thresholds: Thresholds) -> tuple[Panel, ...]:
    """The five panels in the order of the summary."""
    drawn = Drawn(trends.points, course_of(trends))
    return tuple(_panel(layout, summary, drawn, thresholds) for layout in LAYOUTS)


def _panel(layout: Layout, summary: Summary, drawn: Drawn, thresholds: Thresholds) -> Panel:
    section = getattr(summary, layout.section)
    objective = _BY_RATE.get((layout.section, layout.main))
    level = _level(objective, summary, thresholds) if objective else "none"
    limit = (
        _limit(objective, thresholds, "critical" if level == "critical" else "warn") if objective else None
    )
    # Degraded counters are filled with zeros, and no zero is shown for what nobody knows.
    is_away = layout.section in summary.degraded
    main = _figure(summary, layout.section, layout.main)
    return Panel(
        name=layout.section,
        level="degraded" if is_away else level,
        main=main,
        limit=limit,
        before=_before(summary, main, limit),
        facts=() if is_away else tuple(_figure(summary, layout.section, name) for name in layout.facts),
        distributions=()
        if is_away
        else tuple(distribution(name, _counts(section, name)) for name in layout.maps),
        trend=_trend(layout, drawn, limit) if limit and layout.part else None,
        places=layout.places.places(section) if layout.places else None,
        keys=tuple((name, getattr(section, name)) for name in layout.keys if getattr(section, name)),
        note="no_overlay" if is_away else layout.note,
    )


def _before(summary: Summary, main: Figure, limit: Limit | None) -> Before | None:
    is_least = limit is not None and limit.is_least
    return before(summary.previous, main.section, main.name, main.value, is_least=is_least)


def _counts(section: Any, name: str) -> dict[str, int]:  # noqa: ANN401
    """A map of the section, or counts that stand in it one by one."""
    if name == "by_lookup":
        return {"hits": section.hits, "misses": section.misses}
    if name == "by_activity":
        odd = {keys: len(getattr(section, keys)) for keys in ODD_TEMPLATES}
        return {"one_active": section.templates_total - sum(odd.values()), **odd}
    counts: dict[str, int] = getattr(section, name)
    return counts


def _trend(layout: Layout, drawn: Drawn, limit: Limit) -> Trend:
    of_section = (f"{layout.section}.{name}" for name in ("total", layout.part, layout.main))
    found = map(attrgetter("partial", *of_section), drawn.points)
    buckets = tuple(
        TrendBucket(partial, total, part, rate, limit.is_passed_by(rate))
        for partial, total, part, rate in found
    )
    return Trend(trend_chart(buckets, limit.value), buckets, layout.part or "", drawn.course)


def _level(objective: Objective, summary: Summary, thresholds: Thresholds) -> str:
    """The level of the objective's hint, or why there can be none."""
    levels = (hint.level for hint in summary.slo_hints if hint.code == objective.code)
    return why_unjudged(objective, summary, thresholds) or next(levels, "ok")


def _limit(objective: Objective, thresholds: Thresholds, level: Level) -> Limit:
    return Limit(getattr(thresholds.of(objective), level), objective.is_floor)


def _figure(summary: Summary, section: str, name: str) -> Figure:
    found = getattr(summary, section)
    basis = _SAYING_NOTHING.get((section, name))
    is_known = basis is None or any(getattr(found, each) for each in basis)
    return Figure(section, name, getattr(found, name) if is_known else None, name.endswith("_rate"))
