"""A real Prometheus asks three instances behind nginx, with the demo's data, for two minutes."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from demo.overlay_counters import seed_overlay
from demo.seed import Counts, seed
from demo.servers import Postgres, Valkey
from service.settings import Settings
from tests.deployment.alertmanager import alerting, receiving, told
from tests.deployment.expressions import (
    FILTERS,
    filled_in,
    in_annotations,
    in_legend,
    named,
    rules,
    shown,
    variables,
)
from tests.deployment.prometheus import Prometheus, scraping
from tests.support.addresses import reader_url
from tests.support.api import PREFIX
from tests.support.balancer import balanced
from tests.support.instances import three_instances
from tests.support.tokens import SCRAPE_TOKEN, SECRET, bearer, token
from tests.support.waiting import until

OBJECTIVE = "ParallelOpsObjectiveMissed"
BURNING, SPENT = "ParallelOpsBudgetBurning", "ParallelOpsBudgetSpent"
SECONDS = 120
DEMO_ROWS = 20_000
DEPLOYED_INSTANCES = [f"parallel-ops-{number}:8000" for number in (1, 2, 3)]
# A status that no request may have had yet is a status all the same.
ANY_VALUE = {"status"}
# Labels that are there where a target asks for them.
OPTIONAL = set(FILTERS)
PATHS = (
    *("/summary", "/trends", "/alerts", "/summary/export", "/trends/export", "/report"),
    *("/doc-sync/failures", "/workflow/failures"),
)


@pytest_asyncio.fixture(scope="module")
async def demo(postgres: Postgres, valkey: Valkey, admin: asyncpg.Connection) -> Settings:
    """The settings of an instance that is served the demo's data, with authentication on."""
    now = datetime.now(UTC)
    await seed(admin, Counts.of(DEMO_ROWS), now)
    async with Redis.from_url(valkey.url) as redis:
        await redis.flushall()
        await seed_overlay(redis, now)
    return Settings(
        database_url=reader_url(postgres),
        redis_url=valkey.url,
        jwt_secret=SECRET,
        scrape_token=SCRAPE_TOKEN,
        tenants="*",
    )


@pytest.fixture(scope="module")
def duty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where alerts arrive."""
    return tmp_path_factory.mktemp("duty")


@pytest_asyncio.fixture(scope="module")
async def url(
    demo: Settings, duty: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, str]]:
    """The addresses of Alertmanager, three instances and nginx before them, by those that are deployed."""
    async with three_instances(demo, tmp_path_factory.mktemp("instances")) as instances:
        ports = [instance.port for instance in instances]
        with balanced(ports) as balancer, receiving(duty) as receiver, alerting(duty, receiver) as told_of:
            own = dict(zip(DEPLOYED_INSTANCES, (f"127.0.0.1:{port}" for port in ports), strict=True))
            yield {"nginx:8080": f"127.0.0.1:{balancer.port}", "alertmanager:9093": told_of, **own}


@pytest_asyncio.fixture(scope="module")
async def prometheus(
    url: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Prometheus]:
    """Prometheus with the deployed configuration and rules, while some people look at the service."""
    with scraping(tmp_path_factory.mktemp("prometheus"), url, SCRAPE_TOKEN) as running:
        async with httpx.AsyncClient(
            base_url=f"http://{url['nginx:8080']}", headers=bearer(token())
        ) as client:
            for path in (*PATHS, "/summary?window_days=5"):
                await client.get(PREFIX + path)
        # A rate takes more than one scrape.
        await until(lambda: (running.value("min(count_over_time(up[1m]))") or 0) > 3)
        yield running


@pytest.mark.timeout(2 * SECONDS)
async def test_for_two_minutes_all_targets_are_up_and_the_demos_hints_fire(
    prometheus: Prometheus, url: dict[str, str]
) -> None:
    started = time.monotonic()
    await until(lambda: len(prometheus.up()) == 4 and all(prometheus.up()))
    hints = await _hints(url["nginx:8080"])
    assert len(hints) == 4
    await until(lambda: _codes(prometheus) == hints, 30)
    await asyncio.sleep(SECONDS - (time.monotonic() - started))
    assert _codes(prometheus) == hints
    # Nothing else fires but what is said of budgets, and of every target every scrape of the last minute and
    # a half was good.
    assert {labels["alertname"] for labels in prometheus.firing()} <= {OBJECTIVE, BURNING, SPENT}
    assert prometheus.value("min(min_over_time(up[90s]))") == 1
    scrapes = prometheus.value("min(count_over_time(up[90s]))")
    assert scrapes is not None
    assert scrapes >= 40


async def test_alerts_on_budgets_are_what_the_service_says_of_them(
    prometheus: Prometheus, url: dict[str, str]
) -> None:
    """What burns fast depends on the minute of the hour; what warns does not."""
    found = await _answer(url["nginx:8080"], "/budgets")
    spent = {(each["code"], "warning") for each in found["budgets"] if each["spent"] >= 1}
    burning = {(each["code"], "warning") for each in found["budgets"] if _burns(each["burn_rates"])}
    assert spent | burning
    await until(lambda: _codes(prometheus, SPENT) == spent, 30)
    await until(lambda: _codes(prometheus, BURNING) >= burning, 30)


async def test_who_is_on_duty_is_told_of_each_hint(
    prometheus: Prometheus, url: dict[str, str], duty: Path
) -> None:
    hints = await _hints(url["nginx:8080"])
    await until(lambda: {(each["code"], each["severity"]) for each in _told(duty)} == hints, 30)
    first = _told(duty)[0]
    assert (first["status"], first["window_days"]) == ("firing", "7")
    assert first["runbook_url"] == f"docs/runbook.md#{first['code']}"


async def test_business_figures_are_there_once(prometheus: Prometheus) -> None:
    assert prometheus.value("count(yuantus_parallel_doc_sync_jobs_total)") == 1
    assert prometheus.value('count(up{job="parallel-ops",window_days="7"})') == 1
    assert prometheus.value('count({__name__=~"yuantus_parallel_.*",exported_window_days=~".+"})') is None
    assert prometheus.value("count(parallel_ops_build_info)") == 3


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: f"{rule['alert']}-{rule['labels']['severity']}")
async def test_each_rule_names_what_the_service_exports(prometheus: Prometheus, rule: dict[str, Any]) -> None:
    _check(prometheus, rule["expr"], in_annotations(rule) - OPTIONAL)


@pytest.mark.parametrize(("title", "expression", "legend"), list(shown()), ids=lambda value: value[:40])
async def test_each_query_of_the_dashboard_names_what_the_service_exports(
    prometheus: Prometheus, title: str, expression: str, legend: str
) -> None:
    _check(prometheus, expression, in_legend(legend))
    # What it shows is there: the demo has something of everything.
    assert prometheus.get("/query", query=expression)["result"] or 'outcome="failed"' in expression


async def test_the_dashboards_variables_have_values(prometheus: Prometheus) -> None:
    metric = "yuantus_parallel_generated_timestamp_seconds"
    assert variables() == [(metric, label) for label in ("window_days", *FILTERS)]
    assert "7" in prometheus.get("/label/window_days/values", **{"match[]": metric})


async def test_the_check_finds_what_is_not_there(prometheus: Prometheus) -> None:
    for wrong in (
        "yuantus_parallel_no_such_metric",
        'yuantus_parallel_slo_hint_active{colour="red"}',
        'yuantus_parallel_slo_hint_active{code="no_such_code"}',
        "sum by (colour) (parallel_ops_requests_total)",
        "rate(parallel_ops_requests_total[5m]) / no_such_metric",
        "sum(((",
    ):
        with pytest.raises(AssertionError):
            _check(prometheus, wrong, set())
    with pytest.raises(AssertionError):
        _check(prometheus, "parallel_ops_redis_up", {"colour"})


def _check(prometheus: Prometheus, expression: str, texts: set[str]) -> None:
    """Every metric of the expression is there, with the labels by which it is selected, grouped and shown."""
    found = named(prometheus.get("/format_query", query=filled_in(expression)))
    assert found.selectors
    known: set[str] = {"le"} if "_bucket" in expression else set()
    for selector in found.selectors:
        series = prometheus.get("/series", **{"match[]": selector.metric})
        assert series, f"no such metric: {selector.metric}"
        labels = {label for one in series for label in one}
        assert selector.labels - OPTIONAL <= labels, f"{selector.text}: has only {labels}"
        known |= labels
        if not selector.labels & ANY_VALUE:
            assert prometheus.get("/series", **{"match[]": selector.text}), f"no such series: {selector.text}"
    assert (found.labels - OPTIONAL) | texts <= known, f"{expression}: groups by or shows what is not there"


async def _hints(balancer: str) -> set[tuple[str, str]]:
    hints = (await _answer(balancer, "/alerts"))["hints"]
    return {(hint["code"], "warning" if hint["level"] == "warn" else "critical") for hint in hints}


async def _answer(balancer: str, path: str) -> Any:  # noqa: ANN401
    async with httpx.AsyncClient(base_url=f"http://{balancer}", headers=bearer(token())) as client:
        return (await client.get(PREFIX + path)).json()


def _codes(prometheus: Prometheus, alert: str = OBJECTIVE) -> set[tuple[str, str]]:
    firing = [labels for labels in prometheus.firing() if labels["alertname"] == alert]
    return {(labels["code"], labels["severity"]) for labels in firing}


def _burns(burn_rates: dict[str, float | None]) -> bool:
    """Whether that warns."""
    return all((burn_rates[over] or 0) > 1 for over in ("6h", "3d"))


def _told(folder: Path) -> list[dict[str, Any]]:
    return [each for each in told(folder) if each["alertname"] == OBJECTIVE]
