"""The figures of a summary that its exports and its Prometheus gauges have in common, in their order."""

from operator import attrgetter
from typing import Any

from msgspec import Struct


class Metric(Struct, frozen=True):
    """A figure by its path in the summary, the gauge of the same, and what that says; `label` is a map's."""

    path: str
    gauge: str
    documentation: str
    label: str = ""

    def of(self, summary: object) -> Any:  # noqa: ANN401
        """The figure: a count, a rate that is None without data, or a map of counts."""
        return attrgetter(self.path)(summary)


FIGURES = (
    Metric("doc_sync.total", "doc_sync_jobs_total", "Document sync jobs in the window"),
    Metric("doc_sync.dead_letter_total", "doc_sync_dead_letter_total", "Dead-letter jobs in the window"),
    Metric("doc_sync.success_rate", "doc_sync_success_rate", "Completed share of document sync jobs"),
    Metric("workflow_actions.total", "workflow_runs_total", "Workflow custom action runs in the window"),
    Metric(
        "workflow_actions.failed_rate", "workflow_failed_rate", "Failed share of workflow custom action runs"
    ),
    Metric("breakages.total", "breakage_total", "Breakage incidents in the window"),
    Metric("breakages.open_total", "breakage_open_total", "Breakage incidents of the window that are open"),
    Metric(
        "consumption_templates.versions_total",
        "consumption_template_versions_total",
        "Consumption template versions, of all time",
    ),
    Metric("overlay_cache.requests", "overlay_cache_requests", "Overlay cache lookups in the window"),
    Metric("overlay_cache.hit_rate", "overlay_cache_hit_rate", "Share of overlay cache lookups that hit"),
)
MAPS = (
    Metric(
        "doc_sync.by_status", "doc_sync_by_status", "Document sync jobs in the window by status", "status"
    ),
    Metric(
        "workflow_actions.by_result_code",
        "workflow_by_result_code",
        "Workflow custom action runs in the window by result code",
        "result_code",
    ),
)
