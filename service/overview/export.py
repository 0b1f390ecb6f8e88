"""The summary as a file to keep or paste: JSON, CSV and Markdown."""

import csv
import io
from collections.abc import Callable, Iterator

import msgspec
from msgspec import Struct

from service.overview.markdown import MEDIA_TYPE, escaped
from service.overview.metrics import FIGURES, MAPS
from service.overview.summary import Summary
from service.overview.times import rfc3339

FILE_NAME = "parallel-ops-summary"


def export(summary: Summary, export_format: str) -> bytes:
    """The summary as a UTF-8 file in one of FORMATS."""
    return FORMATS[export_format].write(summary)


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
        lines.append(f"| {escaped(metric)} | {'n/a' if value is None else value} |")
    return ("\n".join(lines) + "\n").encode()


def _rows(summary: Summary) -> Iterator[tuple[str, int | float | None]]:
    yield "window_days", summary.window_days
    for figure in FIGURES:
        yield figure.path, figure.of(summary)
    yield "slo_hints.total", len(summary.slo_hints)
    for counts in MAPS:
        for key, count in counts.of(summary).items():
            yield f"{counts.path}.{key}", count


class Format(Struct, frozen=True):
    """What a file is, and how a summary becomes one."""

    media_type: str
    write: Callable[[Summary], bytes]


# By the names that may be asked for; the first is the default.
FORMATS = {
    "json": Format("application/json", _json),
    "csv": Format("text/csv; charset=utf-8", _csv),
    "md": Format(MEDIA_TYPE, _markdown),
}
