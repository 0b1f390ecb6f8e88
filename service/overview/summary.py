"""The summary: totals, maps and rates of one snapshot."""

from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from service.overview import sections
from service.overview.overrides import SloThresholds, told
from service.overview.sections import Snapshot
from service.overview.slo import Hint, Thresholds, slo_hints
from service.overview.times import Instant


class DocSyncSummary(Struct, frozen=True):
    """Document sync jobs of the window and site; rates are null when there are none."""

    total: int
    by_status: dict[str, int]
    success_rate: float | None
    dead_letter_total: int
    dead_letter_rate: float | None
    avg_attempt_count: float
    site_filter: str | None


class WorkflowActionsSummary(Struct, frozen=True):
    """Workflow custom action runs of the window and target object."""

    total: int
    by_status: dict[str, int]
    by_result_code: dict[str, int]
    failed_rate: float | None
    warning_rate: float | None
    target_object_filter: str | None


class BreakagesSummary(Struct, frozen=True):
    """Breakage incidents of the window; a repeated one shares its description with another."""

    total: int
    by_status: dict[str, int]
    by_severity: dict[str, int]
    by_responsibility: dict[str, int]
    open_total: int
    open_rate: float | None
    repeated_total: int
    repeated_rate: float | None


class ConsumptionTemplatesSummary(sections.ConsumptionTemplates, frozen=True):
    """Template versions of all time; the lists hold template keys."""

    template_key_filter: str | None


class OverlayCacheSummary(Struct, frozen=True):
    """Lookups of the 3D overlay cache in the window, over all processes that serve overlays."""

    entries: int
    hits: int
    misses: int
    evictions: int
    ttl_seconds: int
    max_entries: int
    requests: int
    hit_rate: float | None


class Summary(Struct, frozen=True):
    """How the five side tracks did in the window, without the caller's operator_id."""

    generated_at: Instant
    window_days: int
    window_since: Instant
    doc_sync: DocSyncSummary
    workflow_actions: WorkflowActionsSummary
    breakages: BreakagesSummary
    consumption_templates: ConsumptionTemplatesSummary
    overlay_cache: OverlayCacheSummary
    slo_hints: tuple[Hint, ...]
    slo_thresholds: SloThresholds
    oldest_reading: Instant
    degraded: tuple[str, ...]


def rate(part: int, whole: int) -> float | None:
    """The plain quotient, unrounded; None when there is nothing to divide by."""
    return part / whole if whole else None


def summarize(snapshot: Snapshot, thresholds: Thresholds) -> Summary:
    """The summary of a snapshot, with the SLO hints that the thresholds give."""
    query, filters = snapshot.query, snapshot.query.filters
    by_name: dict[str, Any] = {
        "doc_sync": doc_sync_summary(snapshot.doc_sync, filters.site_id),
        "workflow_actions": workflow_actions_summary(snapshot.workflow_actions, filters.target_object),
        "breakages": breakages_summary(snapshot.breakages),
        "consumption_templates": consumption_templates_summary(
            snapshot.consumption_templates, filters.template_key
        ),
        "overlay_cache": overlay_cache_summary(snapshot.overlay_cache),
    }
    return Summary(
        generated_at=snapshot.instant,
        window_days=query.window_days,
        window_since=snapshot.window_since,
        **by_name,
        slo_hints=slo_hints(by_name, thresholds),
        slo_thresholds=told(thresholds),
        oldest_reading=snapshot.oldest_reading,
        degraded=snapshot.degraded,
    )


def doc_sync_summary(section: sections.DocSync, site_id: str | None) -> DocSyncSummary:
    """Totals and rates of the document sync section."""
    total = sum(section.by_status.values())
    dead_letters = sum(day.dead_letters for day in section.days)
    return DocSyncSummary(
        total=total,
        by_status=section.by_status,
        success_rate=rate(sum(day.completed for day in section.days), total),
        dead_letter_total=dead_letters,
        dead_letter_rate=rate(dead_letters, total),
        avg_attempt_count=round(section.attempts / total, 4) if total else 0.0,
        site_filter=site_id,
    )


def workflow_actions_summary(
    section: sections.WorkflowActions, target_object: str | None
) -> WorkflowActionsSummary:
    """Totals and rates of the workflow action section."""
    total = sum(section.by_status.values())
    return WorkflowActionsSummary(
        total=total,
        by_status=section.by_status,
        by_result_code=section.by_result_code,
        failed_rate=rate(sum(day.failed for day in section.days), total),
        warning_rate=rate(section.warnings, total),
        target_object_filter=target_object,
    )


def breakages_summary(section: sections.Breakages) -> BreakagesSummary:
    """Totals and rates of the breakage section."""
    total = sum(section.by_status.values())
    open_total = sum(day.open for day in section.days)
    return BreakagesSummary(
        total=total,
        by_status=section.by_status,
        by_severity=section.by_severity,
        by_responsibility=section.by_responsibility,
        open_total=open_total,
        open_rate=rate(open_total, total),
        repeated_total=section.repeated,
        repeated_rate=rate(section.repeated, total),
    )


def consumption_templates_summary(
    section: sections.ConsumptionTemplates, template_key: str | None
) -> ConsumptionTemplatesSummary:
    """The template section with the filter that it was read by."""
    return ConsumptionTemplatesSummary(**asdict(section), template_key_filter=template_key)


def overlay_cache_summary(section: sections.OverlayCache) -> OverlayCacheSummary:
    """The overlay counters with requests and hit rate."""
    requests = section.hits + section.misses
    return OverlayCacheSummary(**asdict(section), requests=requests, hit_rate=rate(section.hits, requests))
