"""How many statements an answer costs, counted by the database itself."""

from collections import Counter

import pytest

from tests.support.api import PREFIX
from tests.support.clock import NOW, Clock
from tests.support.fixtures import Serve
from tests.support.reads import FIRST_READING, ONE_READING
from tests.support.statement_log import StatementLog
from tests.support.waiting import until

SECTIONS = ("/summary", "/trends", "/alerts", "/metrics", "/summary/export?export_format=csv")
PAGES = [
    ("/doc-sync/failures", {"meta_conversion_jobs": 2}),
    ("/doc-sync/failures?site_id=S1&page=3", {"meta_conversion_jobs": 2}),
    ("/workflow/failures", {"meta_workflow_custom_action_runs": 2}),
]
FILTERS = {"site_id": "S1", "target_object": "Part", "template_key": "pump"}


@pytest.mark.parametrize("path", SECTIONS)
async def test_the_first_answer_reads_the_days_of_its_window_and_the_others_follow(
    serve: Serve, statements: StatementLog, path: str
) -> None:
    async with serve(NOW) as client:
        assert (await client.get(PREFIX + path)).headers["x-cache"] == "miss"
        await until(lambda: statements.tables() == FIRST_READING)


@pytest.mark.parametrize("path", ["/summary", "/trends"])
async def test_an_answer_of_the_largest_window_reads_all_days_by_a_statement_a_table(
    serve: Serve, statements: StatementLog, path: str
) -> None:
    async with serve(NOW) as client:
        asked: dict[str, str | int] = {"window_days": 90, **FILTERS}
        assert (await client.get(PREFIX + path, params=asked)).headers["x-cache"] == "miss"
        assert statements.tables() == ONE_READING


@pytest.mark.parametrize(("path", "cost"), PAGES)
async def test_a_page_of_failures_costs_two_statements(
    serve: Serve, statements: StatementLog, path: str, cost: dict[str, int]
) -> None:
    async with serve(NOW) as client:
        assert (await client.get(PREFIX + path)).headers["x-cache"] == "miss"
    assert statements.tables() == cost


async def test_every_window_and_filter_is_answered_from_one_reading(
    serve: Serve, statements: StatementLog
) -> None:
    async with serve(NOW) as client:
        for window_days in (90, 30, 14, 7, 1):
            for site_id in ("S1", "S2", "S3"):
                for path in SECTIONS:
                    asked = {"window_days": window_days, **FILTERS, "site_id": site_id}
                    (await client.get(PREFIX + path, params=asked)).raise_for_status()
    assert statements.tables() == ONE_READING


async def test_a_tick_costs_one_reading_whatever_is_asked(serve: Serve, statements: StatementLog) -> None:
    clock = Clock(NOW)
    async with serve(clock, stale_seconds=0.001) as client:
        for tick in range(1, 4):
            for window_days in (90, 7, 1):
                for site_id in ("S1", "S2"):
                    asked = {"window_days": window_days, "site_id": site_id}
                    answer = await client.get(f"{PREFIX}/summary", params=asked)
                    assert answer.headers["age"] == "0"
            assert statements.tables() == Counter(
                {table: tick * count for table, count in ONE_READING.items()}
            )
            clock.now += 15


async def test_a_refused_request_costs_no_statement(serve: Serve, statements: StatementLog) -> None:
    async with serve(NOW) as client:
        for path in ("/summary?window_days=2", "/doc-sync/failures?page=0", "/nothing"):
            assert (await client.get(PREFIX + path)).is_client_error
    assert statements.tables() == {}
