"""The summary as Prometheus gauges."""

import math
from collections.abc import Iterable, Iterator

from msgspec.structs import asdict
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from service.overview.query import Query
from service.overview.slo import HINT_CODES, HINT_LEVELS
from service.overview.summary import Summary

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PREFIX = "yuantus_parallel_"


def prometheus_text(summary: Summary, query: Query) -> bytes:
    """All gauges in the text format 0.0.4; a rate without data is NaN, never 0."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_SummaryGauges(summary, query))
    return generate_latest(registry)


class _SummaryGauges(Collector):
    def __init__(self, summary: Summary, query: Query) -> None:
        self._summary = summary
        self._labels = _query_labels(query)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        for name, documentation, value in _plain(self._summary):
            yield self._family(name, documentation, (), [((), value)])
        yield self._family(
            "doc_sync_by_status",
            "Document sync jobs in the window by status",
            ("status",),
            [((status,), count) for status, count in self._summary.doc_sync.by_status.items()],
        )
        yield self._family(
            "workflow_by_result_code",
            "Workflow custom action runs in the window by result code",
            ("result_code",),
            [((code,), count) for code, count in self._summary.workflow_actions.by_result_code.items()],
        )
        yield self._family(
            "slo_hint_active",
            "1 while the SLO hint of that code and level is active, else 0",
            ("code", "level"),
            _hint_samples(self._summary),
        )

    def _family(
        self,
        name: str,
        documentation: str,
        labels: tuple[str, ...],
        samples: Iterable[tuple[tuple[str, ...], float]],
    ) -> GaugeMetricFamily:
        family = GaugeMetricFamily(PREFIX + name, documentation, labels=(*self._labels, *labels))
        for values, value in samples:
            family.add_metric((*self._labels.values(), *values), value)
        return family


def _query_labels(query: Query) -> dict[str, str]:
    given = {name: value for name, value in asdict(query.filters).items() if value is not None}
    return {"window_days": str(query.window_days), **given}


def _plain(summary: Summary) -> Iterator[tuple[str, str, float]]:
    doc_sync, workflow, breakages = summary.doc_sync, summary.workflow_actions, summary.breakages
    yield "doc_sync_jobs_total", "Document sync jobs in the window", doc_sync.total
    yield "doc_sync_dead_letter_total", "Dead-letter jobs in the window", doc_sync.dead_letter_total
    yield "doc_sync_success_rate", "Completed share of document sync jobs", _rate(doc_sync.success_rate)
    yield "workflow_runs_total", "Workflow custom action runs in the window", workflow.total
    yield "workflow_failed_rate", "Failed share of workflow custom action runs", _rate(workflow.failed_rate)
    yield "breakage_total", "Breakage incidents in the window", breakages.total
    yield "breakage_open_total", "Breakage incidents of the window that are open", breakages.open_total
    yield (
        "consumption_template_versions_total",
        "Consumption template versions, of all time",
        summary.consumption_templates.versions_total,
    )
    overlay = summary.overlay_cache
    yield "overlay_cache_requests", "Overlay cache lookups in the window", overlay.requests
    yield "overlay_cache_hit_rate", "Share of overlay cache lookups that hit", _rate(overlay.hit_rate)
    yield "slo_hints_total", "SLO hints that are active", len(summary.slo_hints)
    yield (
        "generated_timestamp_seconds",
        "Unix time of the instant that the figures are as of",
        summary.generated_at.timestamp(),
    )


def _hint_samples(summary: Summary) -> Iterator[tuple[tuple[str, str], float]]:
    active = {(hint.code, hint.level) for hint in summary.slo_hints}
    for code in HINT_CODES:
        for level in HINT_LEVELS:
            yield (code, level), float((code, level) in active)


def _rate(value: float | None) -> float:
    return math.nan if value is None else value
