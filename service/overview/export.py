"""The summary as a file to keep or paste: JSON, CSV and Markdown."""

import csv
import io
import re
from collections.abc import Iterator

import msgspec

from service.overview.summary import Summary
from service.overview.times import rfc3339

FILE_NAME = "parallel-ops-summary"
MEDIA_TYPES = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
}

_LINE_BREAK = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


def export(summary: Summary, export_format: str) -> bytes:
    """The summary as a UTF-8 file in one of EXPORT_FORMATS."""
    return _WRITERS[export_format](summary)


def _json(summary: Summary) -> bytes:
    return msgspec.json.format(msgspec.json.encode(summary), indent=2)


def _csv(summary: Summary) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)  # its default dialect ends lines with CRLF, as RFC 4180 asks
    writer.writerow(("metric", "value"))
    writer.writerows(_rows(summary))
    return out.getvalue().encode()


def _markdown(summary: Summary) -> bytes:
    lines = [
        "# Parallel Ops Summary",
        "",
        f"- generated_at: {rfc3339(summary.generated_at)}",
        f"- window_days: {summary.window_days}",
        f"- window_since: {rfc3339(summary.window_since)}",
        "",
        "| Metric | Value |",
        "| --- | --- |",
    ]
    for metric, value in _rows(summary):
        lines.append(f"| {_escaped(metric)} | {'n/a' if value is None else value} |")
    return ("\n".join(lines) + "\n").encode()


def _escaped(cell: str) -> str:
    return _LINE_BREAK.sub(r"\\n", cell.replace("|", r"\|"))


def _rows(summary: Summary) -> Iterator[tuple[str, int | float | None]]:
    doc_sync, workflow = summary.doc_sync, summary.workflow_actions
    yield "window_days", summary.window_days
    yield "doc_sync.total", doc_sync.total
    yield "doc_sync.dead_letter_total", doc_sync.dead_letter_total
    yield "doc_sync.success_rate", doc_sync.success_rate
    yield "workflow_actions.total", workflow.total
    yield "workflow_actions.failed_rate", workflow.failed_rate
    yield "breakages.total", summary.breakages.total
    yield "breakages.open_total", summary.breakages.open_total
    yield "consumption_templates.versions_total", summary.consumption_templates.versions_total
    yield "overlay_cache.requests", summary.overlay_cache.requests
    yield "overlay_cache.hit_rate", summary.overlay_cache.hit_rate
    yield "slo_hints.total", len(summary.slo_hints)
    for status, count in doc_sync.by_status.items():
        yield f"doc_sync.by_status.{status}", count
    for code, count in workflow.by_result_code.items():
        yield f"workflow_actions.by_result_code.{code}", count


_WRITERS = {"json": _json, "csv": _csv, "md": _markdown}
