"""/summary/export: the three formats, to the letter."""

import csv
import io
import json

import asyncpg
import pytest

from tests.support.api import PREFIX
from tests.support.builders import Database, incident, insert, job, run, template
from tests.support.clock import NOW
from tests.support.fixtures import Ask, Serve


def sample() -> Database:
    """A little of everything, with names that need care in each of the formats."""
    at = {"created_at": NOW}
    return Database(
        jobs=[job(**at), job(status='a|"b",\nc', **at), job(status="Ошибка", **at)],
        runs=[run(**at), run(result={"result_code": "x,y|z\r\nü"}, **at)],
        incidents=[incident(status="open", **at)],
        plans=[template("pump")],
    )


METRICS = [
    *("window_days", "doc_sync.total", "doc_sync.dead_letter_total", "doc_sync.success_rate"),
    *("workflow_actions.total", "workflow_actions.failed_rate", "breakages.total", "breakages.open_total"),
    *("consumption_templates.versions_total", "overlay_cache.requests", "overlay_cache.hit_rate"),
    "slo_hints.total",
]


async def test_json_is_the_summary_without_operator_indented_by_two(
    database: asyncpg.Connection, serve: Serve
) -> None:
    await insert(database, sample())
    async with serve(NOW) as client:
        summary = (await client.get(f"{PREFIX}/summary")).json()
        response = await client.get(f"{PREFIX}/summary/export", params={"export_format": "json"})
    del summary["operator_id"]
    assert response.headers["content-type"] == "application/json"
    assert json.loads(response.text) == summary
    assert list(json.loads(response.text)) == list(summary)
    assert '\n  "doc_sync": {\n    "total": 3,' in response.text
    assert '"ошибка": 1' in response.text


async def test_csv_is_rfc_4180(ask: Ask) -> None:
    response = await ask("/summary/export", sample(), export_format="csv")
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    lines = response.content.decode("utf-8")
    assert lines.startswith("metric,value\r\nwindow_days,7\r\ndoc_sync.total,3\r\n")
    assert lines.endswith('"workflow_actions.by_result_code.x,y|z\r\nü",1\r\n')
    assert '"doc_sync.by_status.a|""b"",\nc",1\r\n' in lines
    rows = list(csv.reader(io.StringIO(lines, newline=""), strict=True))
    assert [name for name, _ in rows] == [
        "metric",
        *METRICS,
        'doc_sync.by_status.a|"b",\nc',
        "doc_sync.by_status.completed",
        "doc_sync.by_status.ошибка",
        "workflow_actions.by_result_code.OK",
        "workflow_actions.by_result_code.x,y|z\r\nü",
    ]
    values = dict(rows)
    assert values["doc_sync.success_rate"] == repr(1 / 3)
    assert (values["overlay_cache.requests"], values["overlay_cache.hit_rate"]) == ("0", "")
    assert (values["breakages.open_total"], values["consumption_templates.versions_total"]) == ("1", "1")
    assert values["slo_hints.total"] == "1"


async def test_markdown_is_exactly_the_contracts(ask: Ask) -> None:
    response = await ask("/summary/export", sample(), export_format="md", window_days=1)
    assert response.headers["content-type"] == "text/markdown; charset=utf-8"
    assert response.text.rstrip("\n").split("\n") == [
        "# Parallel Ops Summary",
        "",
        "- generated_at: 2026-03-10T09:30:00Z",
        "- window_days: 1",
        "- window_since: 2026-03-09T09:30:00Z",
        "",
        "| Metric | Value |",
        "| --- | --- |",
        "| window_days | 1 |",
        "| doc_sync.total | 3 |",
        "| doc_sync.dead_letter_total | 0 |",
        f"| doc_sync.success_rate | {1 / 3} |",
        "| workflow_actions.total | 2 |",
        "| workflow_actions.failed_rate | 0.0 |",
        "| breakages.total | 1 |",
        "| breakages.open_total | 1 |",
        "| consumption_templates.versions_total | 1 |",
        "| overlay_cache.requests | 0 |",
        "| overlay_cache.hit_rate | n/a |",
        "| slo_hints.total | 1 |",
        '| doc_sync.by_status.a\\|"b",\\nc | 1 |',
        "| doc_sync.by_status.completed | 1 |",
        "| doc_sync.by_status.ошибка | 1 |",
        "| workflow_actions.by_result_code.OK | 1 |",
        "| workflow_actions.by_result_code.x,y\\|z\\nü | 1 |",
    ]


@pytest.mark.parametrize(
    ("given", "extension"),
    [(None, "json"), (" ", "json"), ("", "json"), ("JSON", "json"), (" Csv\t", "csv"), ("\u3000mD", "md")],
)
async def test_the_format_is_trimmed_and_lower_cased_and_names_the_file(
    ask: Ask, given: str | None, extension: str
) -> None:
    asked = {} if given is None else {"export_format": given}
    response = await ask("/summary/export", **asked)
    name = f'attachment; filename="parallel-ops-summary.{extension}"'
    assert response.headers["content-disposition"] == name
    assert "x-operator-id" not in response.headers


async def test_empty_maps_leave_no_rows(ask: Ask) -> None:
    text = (await ask("/summary/export", export_format="csv")).text
    assert [line.partition(",")[0] for line in text.splitlines()] == ["metric", *METRICS]
    assert "doc_sync.success_rate,\r\n" in text


async def test_filters_hold_for_exports(ask: Ask) -> None:
    asked = {"site_id": "nowhere", "target_object": "nothing", "template_key": "none", "export_format": "csv"}
    values = dict(csv.reader((await ask("/summary/export", sample(), **asked)).text.splitlines()))
    assert (values["doc_sync.total"], values["workflow_actions.total"]) == ("0", "0")
    assert (values["consumption_templates.versions_total"], values["breakages.total"]) == ("0", "1")
