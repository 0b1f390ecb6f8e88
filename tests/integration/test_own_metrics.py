"""The service's own metrics: what happened is what they say, whichever worker is asked."""

import asyncio
import resource
import socket
import time

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from service.overview.slo import OBJECTIVES
from service.settings import Settings
from tests.support.addresses import nowhere
from tests.support.api import PREFIX
from tests.support.children import run_program
from tests.support.clock import NOW, Clock
from tests.support.fixtures import Serve
from tests.support.programs import program
from tests.support.served import served
from tests.support.waiting import until

FIVE = ("doc_sync", "workflow_actions", "breakages", "consumption_templates", "overlay_cache")
FAMILIES = {
    "parallel_ops_requests": ("counter", {"route", "status"}),
    "parallel_ops_request_duration_seconds": ("histogram", {"route"}),
    "parallel_ops_snapshot_lookups": ("counter", {"state"}),
    "parallel_ops_section_computations": ("counter", {"section", "outcome"}),
    "parallel_ops_section_computation_seconds": ("histogram", {"section"}),
    "parallel_ops_section_last_success_timestamp_seconds": ("gauge", {"section"}),
    "parallel_ops_lease_waits": ("counter", {"section"}),
    "parallel_ops_database_connections": ("gauge", {"state"}),
    "parallel_ops_statement_seconds": ("counter", {"table"}),
    "parallel_ops_database_share_cores": ("gauge", {"kind"}),
    "parallel_ops_database_reads": ("counter", {"server"}),
    "parallel_ops_replica_lag_seconds": ("gauge", set()),
    "parallel_ops_oldest_reading_timestamp_seconds": ("gauge", set()),
    "parallel_ops_readings_made": ("gauge", {"table"}),
    "parallel_ops_slo_limit": ("gauge", {"code", "level"}),
    "parallel_ops_redis_up": ("gauge", set()),
    "parallel_ops_asyncio_tasks": ("gauge", set()),
    "parallel_ops_build_info": ("gauge", {"version"}),
    "process_cpu_seconds": ("counter", set()),
    "process_resident_memory_bytes": ("gauge", set()),
    "process_virtual_memory_bytes": ("gauge", set()),
    "process_open_fds": ("gauge", set()),
    "process_max_fds": ("gauge", set()),
    "process_start_time_seconds": ("gauge", set()),
}


class Scrape:
    """The samples of one scrape."""

    def __init__(self, text: str) -> None:
        self.families = {family.name: family for family in text_string_to_metric_families(text)}
        self._samples: list[Sample] = [
            sample for family in self.families.values() for sample in family.samples
        ]

    def value(self, name: str, prefix: str = "parallel_ops", **labels: str) -> float:
        """The sum of the samples of that name with these labels."""
        return sum(
            sample.value
            for sample in self._samples
            if sample.name == f"{prefix}_{name}" and labels.items() <= sample.labels.items()
        )


async def scrape(client: httpx.AsyncClient) -> Scrape:
    response = await client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return Scrape(response.text)


async def test_every_family_is_there_with_its_labels(serve: Serve, database: object) -> None:
    async with serve(NOW) as client:
        await client.get(f"{PREFIX}/summary")
        families = (await scrape(client)).families
    found = {
        name: (family.type, {label for sample in family.samples for label in sample.labels} - {"le"})
        for name, family in families.items()
    }
    assert found == FAMILIES


async def test_promtool_finds_nothing_to_mind(serve: Serve, database: object) -> None:
    async with serve(NOW) as client:
        for path in (f"{PREFIX}/summary", "/", "/nothing"):
            await client.get(path)
        text = (await client.get("/metrics")).text
    words = [program("promtool", "prometheus"), "check", "metrics"]
    lint = await asyncio.to_thread(
        run_program, words, check=False, input=text, capture_output=True, timeout=30
    )
    assert (lint.returncode, lint.stdout + lint.stderr) == (0, "")


async def test_limits_are_those_that_are_set(serve: Serve, database: object) -> None:
    async with serve(NOW, slo_workflow_failed_rate_critical=0.1) as client:
        shown = (await scrape(client)).families["parallel_ops_slo_limit"].samples
    workflow = {
        sample.labels["level"]: sample.value for sample in shown if "workflow" in sample.labels["code"]
    }
    assert workflow == {"warn": 0.02, "critical": 0.1}
    assert len(shown) == len(OBJECTIVES) + 1


async def test_requests_are_counted_by_route_and_status(serve: Serve, database: object) -> None:
    async with serve(NOW) as client:
        for path in ("/summary", "/summary?window_days=30", "/summary?window_days=5", "/trends", "/no-route"):
            await client.get(PREFIX + path)
        await client.get("/made/up/by/a/caller")
        metrics = await scrape(client)
    route = f"{PREFIX}/summary"
    assert metrics.value("requests_total", route=route, status="200") == 2
    assert metrics.value("requests_total", route=route, status="400") == 1
    assert metrics.value("requests_total", route="unknown", status="404") == 2
    assert metrics.value("request_duration_seconds_count", route=route) == 3
    assert metrics.value("request_duration_seconds_bucket", route=route, le="+Inf") == 3
    assert metrics.value("request_duration_seconds_sum", route=route) > 0


async def computed(client: httpx.AsyncClient, times: int) -> Scrape:
    """The metrics, once all has been computed so many times, some of it behind the answers."""
    metrics = await scrape(client)

    async def are_counted() -> bool:
        nonlocal metrics
        metrics = await scrape(client)
        counted = [metrics.value("section_computations_total", section=name) for name in (*FIVE, "readings")]
        return min(counted) == times

    await until(are_counted)
    return metrics


async def test_lookups_and_computations_are_counted(serve: Serve, database: object) -> None:
    clock = Clock(NOW)
    async with serve(clock) as client:
        await client.get(f"{PREFIX}/summary?window_days=90")
        await client.get(f"{PREFIX}/alerts?window_days=90")
        first = await computed(client, 1)
        clock.now += 15
        await client.get(f"{PREFIX}/summary?window_days=90")
        metrics = await computed(client, 2)
    lookups = [metrics.value("snapshot_lookups_total", state=state) for state in ("hit", "stale", "miss")]
    assert lookups == [1, 1, 1]
    for scraped, times in ((first, 1), (metrics, 2)):
        for section in (*FIVE, "readings"):
            assert scraped.value("section_computations_total", section=section, outcome="ok") == times
            assert scraped.value("section_computation_seconds_count", section=section) == times
            assert scraped.value("section_last_success_timestamp_seconds", section=section) > 1.7e9
        assert scraped.value("section_computations_total", outcome="failed") == 0
        assert scraped.value("section_computations_total") == times * (len(FIVE) + 1)


async def test_failures_are_counted_and_leave_no_success(serve: Serve) -> None:
    async with serve(NOW, database_url=nowhere("postgresql")) as client:
        assert (await client.get(f"{PREFIX}/doc-sync/failures")).status_code == 503
        metrics = await scrape(client)
    failed = metrics.value("section_computations_total", section="doc_sync_failures", outcome="failed")
    assert failed == 1
    assert metrics.value("section_last_success_timestamp_seconds") == 0


async def test_the_pool_and_redis_are_shown(serve: Serve, database: object) -> None:
    async with serve(NOW, max_database_queries=3) as client:
        await client.get(f"{PREFIX}/doc-sync/failures")
        metrics = await scrape(client)
    # All are opened before a process says that it is ready, as it must before it is scraped.
    for state, connections in (("in_use", 0), ("idle", 3), ("limit", 3)):
        assert metrics.value("database_connections", state=state) == connections
    assert metrics.value("redis_up") == 1
    async with serve(NOW, redis_url=nowhere("redis")) as client:
        assert (await scrape(client)).value("redis_up") == 0


async def test_tasks_are_counted_each(serve: Serve, database: object) -> None:
    async with serve(NOW) as client:
        before = await scrape(client)
        over = asyncio.Event()
        tasks = [asyncio.create_task(over.wait()) for _ in range(7)]
        during = await scrape(client)
        over.set()
        await asyncio.gather(*tasks)
        after = await scrape(client)
    counts = [metrics.value("asyncio_tasks") for metrics in (before, during, after)]
    assert counts == [counts[0], counts[0] + 7, counts[0]]


async def test_any_worker_tells_of_all(settings: Settings, database: object) -> None:
    # A connection each, so that either worker may answer.
    apart = httpx.Limits(max_keepalive_connections=0)
    with served(settings, workers=2) as url:
        async with httpx.AsyncClient(base_url=url, limits=apart) as client:
            deadline = time.monotonic() + 30
            workers: set[str] = set()
            asked = 0
            while len(workers) < 2:
                assert time.monotonic() < deadline
                response = await client.get(f"{PREFIX}/alerts")
                workers.add(response.headers["x-request-id"].partition("-")[0])
                asked += 1
            route = f"{PREFIX}/alerts"
            while (metrics := await scrape(client)).value("requests_total", route=route) < asked:
                assert time.monotonic() < deadline
    assert metrics.value("requests_total", route=route) == asked
    assert metrics.value("request_duration_seconds_count", route=route) == asked
    assert metrics.value("build_info") == 1
    assert metrics.value("database_connections", state="limit") == 2 * settings.max_database_queries
    most_files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert metrics.value("max_fds", "process") == 2 * most_files


async def test_the_process_is_shown_as_it_is(serve: Serve, database: object) -> None:
    ours = psutil.Process()
    async with serve(NOW) as client:
        used = sum(ours.cpu_times()[:2])
        first = await scrape(client)
        more = [socket.socket() for _ in range(50)]
        second = await scrape(client)
    for each in more:
        each.close()
    shown = [scraped.value("cpu_seconds_total", "process") for scraped in (first, second)]
    assert used - 0.1 <= shown[0] <= shown[1] <= sum(ours.cpu_times()[:2]) + 0.1
    assert first.value("start_time_seconds", "process") == pytest.approx(ours.create_time(), abs=2)
    assert first.value("resident_memory_bytes", "process") == pytest.approx(ours.memory_info().rss, rel=0.5)
    open_files = [scraped.value("open_fds", "process") for scraped in (first, second)]
    assert 0 < open_files[0] < open_files[1] - len(more) / 2
