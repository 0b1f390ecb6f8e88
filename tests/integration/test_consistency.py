"""One snapshot, many answers: their sums agree, whatever the rows and filters are."""

import csv
import json
import math
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from demo.seed import Counts, seed
from tests.support.api import PREFIX
from tests.support.builders import clear
from tests.support.clock import Clock
from tests.support.fixtures import Serve
from tests.support.summary_figures import GAUGES, figures

INSTANT = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
FILTERS: list[dict[str, str]] = [{}, {"site_id": "SH-01", "target_object": "Part"}, {"site_id": "nowhere"}]


@pytest.fixture(scope="module")
async def seeded(admin: asyncpg.Connection) -> asyncpg.Connection:
    """The demo's own rows, ugly ones included."""
    await clear(admin)
    await seed(admin, Counts.of(2_000), INSTANT)
    return admin


@pytest.fixture(params=FILTERS, ids=str)
def filters(request: pytest.FixtureRequest) -> dict[str, str]:
    """No filter, filters that keep some rows, and one that keeps none."""
    chosen: dict[str, str] = request.param
    return chosen


@pytest.mark.parametrize("window_days", [1, 7, 90])
async def test_all_answers_of_a_snapshot_agree(
    seeded: asyncpg.Connection, serve: Serve, filters: dict[str, str], window_days: int
) -> None:
    asked = {"window_days": str(window_days), **filters}
    async with serve(Clock(INSTANT)) as client:
        summary = await answer(client, "/summary", asked)
        assert "nowhere" in filters.values() or summary["doc_sync"]["total"] > 0
        for bucket_days in (1, 7, 14, 30):
            if bucket_days <= window_days:
                trends = await answer(client, "/trends", asked | {"bucket_days": str(bucket_days)})
                check_trends(trends, summary)
        check_failures(await answer(client, "/doc-sync/failures", asked), summary["doc_sync"])
        check_failures(await answer(client, "/workflow/failures", asked), summary["workflow_actions"])
        assert (await answer(client, "/alerts", asked))["hints"] == summary["slo_hints"]
        export = await client.get(f"{PREFIX}/summary/export", params=asked | {"export_format": "csv"})
        check_csv(export.text, summary)
        export = await client.get(f"{PREFIX}/summary/export", params=asked)
        assert {**json.loads(export.text), "operator_id": None} == summary
        check_metrics((await client.get(f"{PREFIX}/metrics", params=asked)).text, summary)


async def answer(client: httpx.AsyncClient, path: str, asked: dict[str, str]) -> Any:  # noqa: ANN401
    """The JSON of a 200."""
    response = await client.get(PREFIX + path, params=asked)
    assert response.status_code == 200
    return response.json()


def check_trends(trends: dict[str, Any], summary: dict[str, Any]) -> None:
    """The sums over all points are the summary's totals."""
    doc_sync, workflow, breakages = (summary[name] for name in ("doc_sync", "workflow_actions", "breakages"))
    assert trends["aggregates"] == {
        "doc_sync_total": doc_sync["total"],
        "doc_sync_failed_total": doc_sync["by_status"].get("failed", 0),
        "doc_sync_dead_letter_total": doc_sync["dead_letter_total"],
        "workflow_total": workflow["total"],
        "workflow_failed_total": workflow["by_status"].get("failed", 0),
        "breakages_total": breakages["total"],
        "breakages_open_total": breakages["open_total"],
    }
    for name in ("generated_at", "window_since", "consumption_templates", "overlay_cache", "degraded"):
        assert trends[name] == summary[name]


def check_failures(failures: dict[str, Any], section: dict[str, Any]) -> None:
    """As many failures are listed as the map of statuses counts."""
    assert failures["total"] == failures["pagination"]["total"] == section["by_status"].get("failed", 0)


def check_csv(text: str, summary: dict[str, Any]) -> None:
    """Every row of the file is a figure of the summary."""
    known = figures(summary)
    for metric, value in list(csv.reader(text.splitlines()))[1:]:
        assert value == ("" if known[metric] is None else str(known[metric])), metric


def check_metrics(text: str, summary: dict[str, Any]) -> None:
    """Every gauge is a figure of the summary, and the maps add up to the totals."""
    families = {family.name: family.samples for family in text_string_to_metric_families(text)}
    known = figures(summary)
    for gauge, metric in GAUGES.items():
        (sample,) = families[f"yuantus_parallel_{gauge}"]
        same = math.isnan(sample.value) if known[metric] is None else sample.value == known[metric]
        assert same, (gauge, sample.value, known[metric])
    statuses = families["yuantus_parallel_doc_sync_by_status"]
    assert sum(sample.value for sample in statuses) == known["doc_sync.total"]
    codes = families["yuantus_parallel_workflow_by_result_code"]
    assert sum(sample.value for sample in codes) <= known["workflow_actions.total"]
    hints = families["yuantus_parallel_slo_hint_active"]
    assert sum(sample.value for sample in hints) == known["slo_hints.total"]
