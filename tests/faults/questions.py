"""What the load asks, what an answer says of each section, and what it should say."""

import csv
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from prometheus_client.parser import text_string_to_metric_families

from tests import oracle
from tests.faults.generations import START, overlay_of, rows_of
from tests.oracle import Buckets, Document
from tests.support.api import PREFIX
from tests.support.summary_figures import GAUGES, figures

# What an answer says, by section. The parts of one section were read by one statement.
Sections = dict[str, Any]
SECTIONS = ("doc_sync", "workflow_actions", "breakages", "consumption_templates", "overlay_cache")
IN_TRENDS = SECTIONS[:3]
AGGREGATES = {"doc_sync": "doc_sync", "workflow_actions": "workflow", "breakages": "breakages"}
HINTS = {
    "doc_sync_dead_letter_rate_high": "doc_sync",
    "workflow_action_failed_rate_high": "workflow_actions",
    "breakage_open_rate_high": "breakages",
    "overlay_cache_hit_rate_low": "overlay_cache",
}
MAPS = {
    "doc_sync_by_status": "doc_sync.by_status",
    "workflow_by_result_code": "workflow_actions.by_result_code",
}
EXPECTED = 20_000
HOUR = 3600


EVERYTHING = oracle.Query()


@dataclass(frozen=True)
class Question:
    """One request: a path below the API, its parameters, and the oracle's name for the answer."""

    path: str
    query: oracle.Query = EVERYTHING
    more: tuple[tuple[str, str], ...] = ()
    target: str = field(init=False)

    def __post_init__(self) -> None:
        given = {name: value for name, value in vars(self.query).items() if value is not None}
        object.__setattr__(self, "target", f"{PREFIX}{self.path}?{urlencode({**given, **dict(self.more)})}")

    def depends_on(self, section: str) -> tuple[object, ...]:
        """What names the cached part that the section of an answer was made from."""
        query = self.query
        wants: dict[str, tuple[object, ...]] = {
            "doc_sync": (query.window_days, query.site_id),
            "workflow_actions": (query.window_days, query.target_object),
            "consumption_templates": (query.template_key,),
            PAGE: (self.target,),
        }
        if section.partition(", ")[2]:  # a day, which is the same in all windows
            return section, query.site_id, query.target_object
        return section, *wants.get(section, (query.window_days,))


PAGE = "page"
QUESTIONS = (
    Question("/summary"),
    Question("/summary", oracle.Query(30, "S1", "Part", "pump")),
    Question("/summary", oracle.Query(90)),
    Question("/trends"),
    Question("/trends", oracle.Query(30, "北京-01"), (("bucket_days", "7"),)),
    Question("/alerts", oracle.Query(1)),
    Question("/summary/export", more=(("export_format", "json"),)),
    Question("/summary/export", more=(("export_format", "csv"),)),
    Question("/summary/export", more=(("export_format", "md"),)),
    Question("/trends/export", oracle.Query(14), (("bucket_days", "7"),)),
    Question("/metrics"),
    Question("/doc-sync/failures", more=(("page_size", "5"),)),
    Question("/workflow/failures", oracle.Query(30, None, "ECO"), (("page", "2"), ("page_size", "4"))),
)


# Each of these shows every day by itself: a day is of one reading, however old others are.
BY_DAY = (
    Question("/trends", oracle.Query(90), (("bucket_days", "1"),)),
    Question("/trends", oracle.Query(30, "S1", "Part"), (("bucket_days", "1"),)),
    Question("/trends", oracle.Query(7, "北京-01"), (("bucket_days", "1"),)),
)
# Rows of the newest day cell are of the days that are read at every tick.
NEWEST = "the newest day"


@dataclass(frozen=True)
class Reading:
    """An answer taken apart: its tick where it names it, what it says, and what it lacks.

    `oldest` is the tick of the oldest day reading in it, where it tells the days apart.
    """

    tick: int | None
    sections: Sections
    degraded: list[str] | None = None
    operator_id: int | None = None
    oldest: int | None = None


def read(question: Question, content_type: str, body: bytes) -> Reading:
    """What an answer says."""
    text = body.decode()
    if content_type == "application/json":
        return _json(question, json.loads(text))
    if content_type.startswith("text/csv"):
        return Reading(None, _by_section(dict(list(csv.reader(text.splitlines()))[1:])))
    if content_type.startswith("text/markdown"):
        return _markdown(text)
    return _metrics(text)


@lru_cache(EXPECTED)
def expected(question: Question, section: str, number: int, tick: int) -> Any:  # noqa: ANN401
    """What a section of the answer says where it was computed from that generation, as of the tick."""
    if section == "overlay_cache":
        return _expected(question, 0, number, tick).sections[section]
    return _expected(question, number, 0, tick).sections[section]


@lru_cache(EXPECTED)
def _expected(question: Question, rows: int, overlay: int, tick: int) -> Reading:
    instant, query, more = datetime.fromtimestamp(tick, UTC), question.query, dict(question.more)
    everything = rows_of(rows)
    counts = overlay_of(overlay) | {"hours_ago": tick // HOUR - int(START.timestamp()) // HOUR}
    match question.path:
        case "/trends" | "/trends/export":
            bucket = int(more.get("bucket_days", "1"))
            return _json(question, oracle.trends(everything, instant, counts, query, Buckets(bucket)))
        case "/alerts":
            return _json(question, oracle.alerts(everything, instant, counts, query))
        case "/doc-sync/failures":
            page, size = int(more.get("page", "1")), int(more.get("page_size", "20"))
            return _json(question, oracle.doc_sync_failures(everything, instant, query, page, size))
        case "/workflow/failures":
            page, size = int(more.get("page", "1")), int(more.get("page_size", "20"))
            return _json(question, oracle.workflow_failures(everything, instant, query, page, size))
    summary = oracle.summary(everything, instant, counts, query)
    if question.path == "/summary" or more.get("export_format") == "json":
        return _json(question, summary)
    return Reading(None, _expected_rows(question, summary))


def _tick(written: str) -> int:
    return int(datetime.fromisoformat(written).timestamp())


def _json(question: Question, document: Document) -> Reading:
    if question.path.endswith("/failures"):
        days = question.query.window_days
        since = _tick(document["window_since"])
        rest = {name: value for name, value in document.items() if name != "operator_id"}
        return Reading(since + days * 24 * 3600, {PAGE: rest}, None, document["operator_id"])
    take: dict[str, Callable[[Document], Sections]] = {
        "/trends": _trends,
        "/trends/export": _trends,
        "/alerts": _alerts,
    }
    by_day = question in BY_DAY
    sections = _days(document) if by_day else take.get(question.path, _summary)(document)
    return Reading(
        _tick(document["generated_at"]),
        sections,
        document["degraded"],
        document.get("operator_id"),
        _tick(document["oldest_reading"]) if by_day else None,
    )


def _summary(document: Document) -> Sections:
    hints = _hints(document["slo_hints"])
    return {name: (document[name], hints.get(name)) for name in SECTIONS}


def _trends(document: Document) -> Sections:
    sections: Sections = {name: document[name] for name in SECTIONS[3:]}
    for name in IN_TRENDS:
        prefix = AGGREGATES[name]
        sums = {key: value for key, value in document["aggregates"].items() if key.startswith(prefix)}
        sections[name] = ([point[name] for point in document["points"]], sums)
    return sections


def _days(document: Document) -> Sections:
    """A section for each day cell of the three, by its age."""
    cells: Sections = {}
    for age, point in enumerate(reversed(document["points"])):
        cells |= {f"{name}, {f'{age} days ago' if age else NEWEST}": point[name] for name in IN_TRENDS}
    return cells


def _alerts(document: Document) -> Sections:
    hints = _hints(document["hints"])
    return {name: hints.get(name) for name in HINTS.values()}


def _hints(hints: list[Document]) -> Mapping[str, Document]:
    return {HINTS[hint["code"]]: hint for hint in hints}


def _markdown(text: str) -> Reading:
    lines = text.splitlines()
    generated_at = lines[2].removeprefix("- generated_at: ")
    rows = dict(line.strip("| ").split(" | ") for line in lines[8:])
    return Reading(_tick(generated_at), _by_section(rows))


def _metrics(text: str) -> Reading:
    rows: dict[str, float | None] = {}
    tick = None
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            name = sample.name.removeprefix("yuantus_parallel_")
            if name in GAUGES:
                rows[GAUGES[name]] = None if math.isnan(sample.value) else sample.value
            elif name in MAPS:
                label = sample.labels.get("status") or sample.labels["result_code"]
                rows[f"{MAPS[name]}.{label}"] = sample.value
            elif name == "generated_timestamp_seconds":
                tick = int(sample.value)
    return Reading(tick, _by_section(rows))


def _by_section(rows: Mapping[str, object]) -> Sections:
    """Figures with dotted names, as numbers; what more than one section decides is left out."""
    sections: Sections = {}
    for name, value in rows.items():
        section = name.partition(".")[0]
        if section in SECTIONS:
            number = None if value in (None, "", "n/a") else float(str(value))
            sections.setdefault(section, {})[name] = number
    return sections


def _expected_rows(question: Question, summary: Document) -> Sections:
    """The rows that a text format has, of all that a summary holds."""
    known = figures(summary)
    named = [name for name in known if name in GAUGES.values() or ".by_" in name]
    rows = {name: known[name] for name in named if not isinstance(known[name], dict | list)}
    return _by_section(rows)
