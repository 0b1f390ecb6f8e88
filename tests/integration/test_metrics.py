"""/metrics: gauges that Prometheus reads, and what they say."""

import math

import asyncpg
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.api import PREFIX
from tests.support.builders import Database, incident, insert, job, run, template
from tests.support.children import run_program
from tests.support.clock import NOW
from tests.support.fixtures import Ask, Serve
from tests.support.programs import program

GAUGES = [
    *("doc_sync_jobs_total", "doc_sync_dead_letter_total", "doc_sync_success_rate", "workflow_runs_total"),
    *("workflow_failed_rate", "breakage_total", "breakage_open_total"),
    *("consumption_template_versions_total", "overlay_cache_requests", "overlay_cache_hit_rate"),
    *("slo_hints_total", "doc_sync_by_status", "workflow_by_result_code", "slo_hint_active"),
    "generated_timestamp_seconds",
    *("oldest_reading_timestamp_seconds", "slo_budget_spent_ratio", "slo_burn_rate"),
]
# These names are older than the linter's rule that only counters end so; dashboards rely on them.
COMPLAINTS = {
    f'yuantus_parallel_{name} non-counter metrics should not have "_total" suffix'
    for name in GAUGES
    if name.endswith("_total")
}
UGLY = 'a"b\\c\n|é{}'

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(response: httpx.Response) -> Samples:
    """Every sample by its name, without the prefix, and its labels."""
    found: Samples = {}
    for family in text_string_to_metric_families(response.text):
        for sample in family.samples:
            key = sample.name.removeprefix("yuantus_parallel_"), frozenset(sample.labels.items())
            assert key not in found
            found[key] = sample.value
    return found


def value(found: Samples, name: str, **labels: str) -> float:
    """The one sample with exactly these labels and the default window."""
    return found[name, frozenset(({"window_days": "7"} | labels).items())]


def trouble() -> Database:
    """Something in every section, statuses and result codes that need escaping included."""
    at = {"created_at": NOW}
    dead = {"status": "FAILED", "attempt_count": 3, "max_attempts": 3}
    return Database(
        jobs=[job(**at), job(**dead, **at), job(status=UGLY, **at), job(status=None, **at)],
        runs=[run(**at), run(status="failed", result={"result_code": UGLY}, **at)],
        incidents=[incident(status="open", **at), incident(**at), incident(status="Open", **at)],
        plans=[template("pump"), template("pump")],
    )


async def test_every_gauge_has_help_and_type_and_the_contracts_name(ask: Ask) -> None:
    response = await ask("/metrics", trouble())
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = list(text_string_to_metric_families(response.text))
    assert sorted(family.name for family in families) == sorted(f"yuantus_parallel_{name}" for name in GAUGES)
    for name in GAUGES:
        assert response.text.count(f"# TYPE yuantus_parallel_{name} gauge\n") == 1
        assert response.text.count(f"# HELP yuantus_parallel_{name} ") == 1
    assert all(family.type == "gauge" and family.documentation for family in families)


async def test_gauges_hold_the_summarys_figures(ask: Ask) -> None:
    found = samples(await ask("/metrics", trouble()))
    assert value(found, "doc_sync_jobs_total") == 4
    assert value(found, "doc_sync_dead_letter_total") == 1
    assert value(found, "doc_sync_success_rate") == 0.25
    assert value(found, "workflow_runs_total") == 2
    assert value(found, "workflow_failed_rate") == 0.5
    assert value(found, "breakage_total") == 3
    assert value(found, "breakage_open_total") == 2
    assert value(found, "consumption_template_versions_total") == 2
    assert value(found, "overlay_cache_requests") == 0
    assert value(found, "slo_hints_total") == 3
    assert value(found, "generated_timestamp_seconds") == NOW.timestamp()
    assert value(found, "oldest_reading_timestamp_seconds") == NOW.timestamp()


async def test_maps_are_samples_with_a_label_that_any_text_fits_in(ask: Ask) -> None:
    found = samples(await ask("/metrics", trouble()))
    for status in ("completed", "failed", "unknown", UGLY):
        assert value(found, "doc_sync_by_status", status=status) == 1
    for code in ("OK", UGLY):
        assert value(found, "workflow_by_result_code", result_code=code) == 1


async def test_every_known_code_and_level_has_a_sample_of_0_or_1(ask: Ask) -> None:
    changes = {"slo_workflow_failed_rate_critical": 0.4}
    found = samples(await ask("/metrics", trouble(), settings=changes))
    hints = {
        tuple(dict(labels)[name] for name in ("code", "level")): active
        for (name, labels), active in found.items()
        if name == "slo_hint_active"
    }
    assert hints == {
        ("overlay_cache_hit_rate_low", "warn"): 0,
        ("overlay_cache_hit_rate_low", "critical"): 0,
        ("doc_sync_dead_letter_rate_high", "warn"): 1,
        ("doc_sync_dead_letter_rate_high", "critical"): 0,
        ("workflow_action_failed_rate_high", "warn"): 0,
        ("workflow_action_failed_rate_high", "critical"): 1,
        ("breakage_open_rate_high", "warn"): 1,
        ("breakage_open_rate_high", "critical"): 0,
    }


async def test_a_rate_without_data_is_nan(ask: Ask) -> None:
    response = await ask("/metrics")
    found = samples(response)
    for name in ("doc_sync_success_rate", "workflow_failed_rate", "overlay_cache_hit_rate"):
        assert math.isnan(value(found, name))
        assert f'yuantus_parallel_{name}{{window_days="7"}} NaN\n' in response.text
    assert value(found, "doc_sync_jobs_total") == 0


async def test_every_sample_carries_the_window_and_the_filters_that_were_given(
    database: asyncpg.Connection, serve: Serve
) -> None:
    await insert(database, trouble())
    asked = {"window_days": "30", "site_id": " S1 ", "target_object": UGLY, "template_key": " "}
    async with serve(NOW) as client:
        found = samples(await client.get(f"{PREFIX}/metrics", params=asked))
    for _, labels in found:
        given = {
            name: text
            for name, text in labels
            if name not in ("status", "result_code", "code", "level", "over")
        }
        assert given == {"window_days": "30", "site_id": "S1", "target_object": UGLY}


@pytest.mark.parametrize("rows", [Database(), trouble()], ids=["empty", "trouble"])
async def test_promtool_reads_the_text_and_minds_only_the_names_that_are_fixed(
    ask: Ask, rows: Database
) -> None:
    text = (await ask("/metrics", rows, site_id="S1")).text
    returncode, complaints = _promtool(text)
    assert complaints == COMPLAINTS
    assert returncode == 3  # 1 would be text that it cannot read


def _promtool(text: str) -> tuple[int, set[str]]:
    words = [program("promtool", "prometheus"), "check", "metrics"]
    lint = run_program(words, input=text, capture_output=True, timeout=30, check=False)
    return lint.returncode, set((lint.stdout + lint.stderr).splitlines())
