"""The summary: totals, maps and rates of one snapshot."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict, astuple

from service.overview import sections
from service.overview.hourly import since
from service.overview.overrides import SloThresholds, told
from service.overview.sections import DocSyncDay, Snapshot, window_since
from service.overview.slo import Hint, Thresholds, slo_hints
from service.overview.times import Instant


class WorstSite(Struct, frozen=True):
    """A site with failures; null stands for the jobs that have none."""

    site_id: str | None
    total: int
    failed_total: int
    failed_rate: float | None
    dead_letter_total: int
    dead_letter_rate: float | None


class WorstTargetObject(Struct, frozen=True):
    """A target object with failures; null stands for the runs that have none."""

    target_object: str | None
    total: int
    failed_total: int
    failed_rate: float | None


class DocSyncSummary(Struct, frozen=True):
    """Document sync jobs of the window and site; rates are null when there are none."""

    total: int
    by_status: dict[str, int]
    success_rate: float | None
    dead_letter_total: int
    dead_letter_rate: float | None
    avg_attempt_count: float
    site_filter: str | None
    by_direction: dict[str, int]
    by_site: tuple[WorstSite, ...]


class WorkflowActionsSummary(Struct, frozen=True):
    """Workflow custom action runs of the window and target object."""

    total: int
    by_status: dict[str, int]
    by_result_code: dict[str, int]
    failed_rate: float | None
    warning_rate: float | None
    target_object_filter: str | None
    by_target_object: tuple[WorstTargetObject, ...]


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


class DocSyncBefore(Struct, frozen=True):
    """Document sync jobs of the window before."""

    total: int
    failed_total: int
    dead_letter_total: int
    dead_letter_rate: float | None
    success_rate: float | None


class WorkflowActionsBefore(Struct, frozen=True):
    """Custom action runs of the window before."""

    total: int
    failed_total: int
    failed_rate: float | None


class BreakagesBefore(Struct, frozen=True):
    """Breakage incidents of the window before."""

    total: int
    open_total: int
    open_rate: float | None


class OverlayCacheBefore(Struct, frozen=True):
    """Lookups of the 3D overlay cache in the window before."""

    requests: int
    hit_rate: float | None


class Previous(Struct, frozen=True):
    """The window before, as rows are today; null is what is not known of it."""

    window_since: Instant
    doc_sync: DocSyncBefore | None
    workflow_actions: WorkflowActionsBefore | None
    breakages: BreakagesBefore | None
    overlay_cache: OverlayCacheBefore | None


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
    previous: Previous | None
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
        slo_hints=slo_hints(by_name, thresholds, partial(since, snapshot)),
        slo_thresholds=told(thresholds),
        oldest_reading=snapshot.oldest_reading,
        previous=_previous(snapshot),
        degraded=snapshot.degraded,
    )


def doc_sync_summary(section: sections.DocSync, site_id: str | None) -> DocSyncSummary:
    """Totals and rates of the document sync section."""
    total = sum(section.by_status.values())
    together = DocSyncDay(*sums(section.days))
    return DocSyncSummary(
        total=total,
        by_status=section.by_status,
        success_rate=rate(together.completed, total),
        dead_letter_total=together.dead_letters,
        dead_letter_rate=rate(together.dead_letters, total),
        avg_attempt_count=round(section.attempts / total, 4) if total else 0.0,
        site_filter=site_id,
        by_direction=by_direction(together),
        by_site=tuple(_site(name, day) for name, day in section.worst),
    )


def sums(days: Sequence[Struct]) -> Iterable[int]:
    """The sum of each field over the days; a week by the hour has most often one."""
    if len(days) == 1:
        return astuple(days[0])
    return map(sum, zip(*map(astuple, days), strict=True))


def by_direction(jobs: DocSyncDay) -> dict[str, int]:
    """How many jobs are pushed, pulled, or neither as far as is known; those that occur."""
    found, unknown = {}, jobs.total - jobs.push - jobs.pull
    if jobs.pull:  # written out, for each point of a trend has one
        found["pull"] = jobs.pull
    if jobs.push:
        found["push"] = jobs.push
    if unknown:
        found["unknown"] = unknown
    return found


def _site(site_id: str | None, jobs: DocSyncDay) -> WorstSite:
    return WorstSite(
        *(site_id, jobs.total, jobs.failed, rate(jobs.failed, jobs.total)),
        *(jobs.dead_letters, rate(jobs.dead_letters, jobs.total)),
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
        by_target_object=tuple(
            WorstTargetObject(name, runs.total, runs.failed, rate(runs.failed, runs.total))
            for name, runs in section.worst
        ),
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
    return OverlayCacheSummary(
        *(section.entries, section.hits, section.misses, section.evictions),
        *(section.ttl_seconds, section.max_entries, requests, rate(section.hits, requests)),
    )


def _previous(snapshot: Snapshot) -> Previous | None:
    """The window before, unless nothing is known of it."""
    jobs, runs = snapshot.doc_sync.before, snapshot.workflow_actions.before
    incidents, overlay = snapshot.breakages.before, snapshot.overlay_cache.before
    if jobs is None:
        return None
    return Previous(
        window_since(snapshot.window_since, snapshot.query.window_days),
        DocSyncBefore(
            *(jobs.total, jobs.failed, jobs.dead_letters),
            *(rate(jobs.dead_letters, jobs.total), rate(jobs.completed, jobs.total)),
        ),
        WorkflowActionsBefore(runs.total, runs.failed, rate(runs.failed, runs.total)) if runs else None,
        BreakagesBefore(incidents.total, incidents.open, rate(incidents.open, incidents.total))
        if incidents
        else None,
        OverlayCacheBefore(overlay.requests, rate(overlay.hits, overlay.requests)) if overlay else None,
    )
