"""What the files of the summary and of the trends hold."""

from collections.abc import Callable, Iterator
from operator import attrgetter

from service.overview.files import Cell, Table
from service.overview.metrics import FIGURES, MAPS
from service.overview.summary import Summary
from service.overview.trends import TrendPoint, Trends

# Without the ending, which is the format's name.
SUMMARY_FILE = "parallel-ops-summary"
TRENDS_FILE = "parallel-ops-trends"

# The columns of a point, in their order.
TREND_COLUMNS: dict[str, Callable[[TrendPoint], Cell]] = {
    "bucket_start": attrgetter("bucket_start"),
    "bucket_end": attrgetter("bucket_end"),
    "partial": attrgetter("partial"),
    "doc_sync_total": attrgetter("doc_sync.total"),
    "doc_sync_push_total": lambda point: point.doc_sync.by_direction.get("push", 0),
    "doc_sync_pull_total": lambda point: point.doc_sync.by_direction.get("pull", 0),
    "doc_sync_unknown_direction_total": lambda point: point.doc_sync.by_direction.get("unknown", 0),
    "doc_sync_failed_total": attrgetter("doc_sync.failed_total"),
    "doc_sync_dead_letter_total": attrgetter("doc_sync.dead_letter_total"),
    "doc_sync_success_rate": attrgetter("doc_sync.success_rate"),
    "doc_sync_dead_letter_rate": attrgetter("doc_sync.dead_letter_rate"),
    "workflow_total": attrgetter("workflow_actions.total"),
    "workflow_failed_total": attrgetter("workflow_actions.failed_total"),
    "workflow_failed_rate": attrgetter("workflow_actions.failed_rate"),
    "breakages_total": attrgetter("breakages.total"),
    "breakages_open_total": attrgetter("breakages.open_total"),
    "breakages_open_rate": attrgetter("breakages.open_rate"),
}


def summary_table(summary: Summary) -> Table:
    """A row for each figure of the summary, and for each key of its maps."""
    facts = {name: getattr(summary, name) for name in ("generated_at", "window_days", "window_since")}
    return Table(summary, "Parallel Ops Summary", facts, ("metric", "value"), _figures(summary))


def _figures(summary: Summary) -> Iterator[tuple[str, Cell]]:
    yield "window_days", summary.window_days
    for figure in FIGURES:
        yield figure.path, figure.of(summary)
    yield "slo_hints.total", len(summary.slo_hints)
    for counts in MAPS:
        for key, count in counts.of(summary).items():
            yield f"{counts.path}.{key}", count


def trends_table(trends: Trends) -> Table:
    """A row for each point of the trends."""
    names = ("generated_at", "window_days", "window_since", "bucket_days", "bucket_hours", "time_zone")
    facts = {name: fact for name in names if (fact := getattr(trends, name)) is not None}
    rows = ([cell(point) for cell in TREND_COLUMNS.values()] for point in trends.points)
    return Table(trends, "Parallel Ops Trends", facts, tuple(TREND_COLUMNS), rows)
