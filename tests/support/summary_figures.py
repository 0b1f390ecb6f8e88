"""The figures of a summary, by the names that its export and its Prometheus metrics give them."""

from typing import Any

GAUGES = {
    "doc_sync_jobs_total": "doc_sync.total",
    "doc_sync_dead_letter_total": "doc_sync.dead_letter_total",
    "doc_sync_success_rate": "doc_sync.success_rate",
    "workflow_runs_total": "workflow_actions.total",
    "workflow_failed_rate": "workflow_actions.failed_rate",
    "breakage_total": "breakages.total",
    "breakage_open_total": "breakages.open_total",
    "consumption_template_versions_total": "consumption_templates.versions_total",
    "overlay_cache_requests": "overlay_cache.requests",
    "overlay_cache_hit_rate": "overlay_cache.hit_rate",
    "slo_hints_total": "slo_hints.total",
}


def figures(summary: dict[str, Any]) -> dict[str, Any]:
    """The figures of an export by their dotted names."""
    found = {
        f"{section}.{name}": value
        for section, values in summary.items()
        if isinstance(values, dict)
        for name, value in values.items()
    }
    found |= {f"doc_sync.by_status.{key}": value for key, value in summary["doc_sync"]["by_status"].items()}
    codes = summary["workflow_actions"]["by_result_code"]
    found |= {f"workflow_actions.by_result_code.{key}": value for key, value in codes.items()}
    return found | {"window_days": summary["window_days"], "slo_hints.total": len(summary["slo_hints"])}
