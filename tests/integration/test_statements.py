"""How many statements an answer costs, counted by the database itself."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from service.readings.tables import DayTable
from tests.support.api import PREFIX
from tests.support.clock import NOW, Clock
from tests.support.fixtures import Serve
from tests.support.reads import ONE_READING, is_first_reading, know_all_days
from tests.support.statement_log import StatementLog
from tests.support.waiting import until

SECTIONS = (
    "/summary",
    "/trends",
    "/alerts",
    "/metrics",
    "/summary/export?export_format=csv",
    "/trends/export",
)
PAGES = [
    ("/doc-sync/failures", {"meta_conversion_jobs": 2}),
    ("/doc-sync/failures?site_id=S1&page=3", {"meta_conversion_jobs": 2}),
    ("/workflow/failures", {"meta_workflow_custom_action_runs": 2}),
]
FILTERS = {"site_id": "S1", "target_object": "Part", "template_key": "pump"}


@pytest.mark.parametrize("asked", [{}, {"window_days": "90", **FILTERS}], ids=["7 days", "90 days, filtered"])
@pytest.mark.parametrize("path", SECTIONS)
async def test_the_first_answer_is_of_statements_for_it_alone_and_all_days_follow(
    serve: Serve, statements: StatementLog, path: str, asked: dict[str, str]
) -> None:
    async with serve(NOW) as client:
        assert (await client.get(PREFIX + path, params=asked)).headers["x-cache"] == "miss"
        await until(lambda: is_first_reading(statements.tables()))


async def test_who_else_asks_meanwhile_waits_for_all_days(serve: Serve, statements: StatementLog) -> None:
    async with serve(NOW) as client:
        asked = [client.get(f"{PREFIX}/summary", params={"site_id": f"S{site}"}) for site in range(20)]
        assert {answer.status_code for answer in await asyncio.gather(*asked)} == {200}
        await until(lambda: is_first_reading(statements.tables()))


async def test_large_tables_are_read_by_all_days_at_once(
    serve: Serve, statements: StatementLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.readings.catalogue.MOST_ROWS_LOOKED_AT", -1)
    async with serve(NOW) as client:
        assert (await client.get(f"{PREFIX}/summary")).status_code == 200
        assert statements.tables() == ONE_READING


async def test_others_have_their_turn_between_the_sums_that_waited_for_the_same_readings(
    serve: Serve, statements: StatementLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn, summed_in = 0, list[int]()
    make = DayTable.section_of

    async def count_turns() -> None:
        nonlocal turn
        while True:
            turn += 1
            await asyncio.sleep(0)

    def section_of(*arguments: Any) -> Any:  # noqa: ANN401
        summed_in.append(turn)
        return make(*arguments)

    monkeypatch.setattr("service.readings.catalogue.MOST_ROWS_LOOKED_AT", -1)
    monkeypatch.setattr(DayTable, "section_of", section_of)
    async with serve(NOW) as client:
        counting = asyncio.create_task(count_turns())
        asked = [client.get(f"{PREFIX}/summary", params={"site_id": f"S{site}"}) for site in range(20)]
        assert {answer.status_code for answer in await asyncio.gather(*asked)} == {200}
        counting.cancel()
    assert statements.tables() == ONE_READING
    assert len(summed_in) == len(set(summed_in)) == 20 + 2  # of each site, of all runs, of all incidents


async def test_what_counts_many_rows_hashes_them_and_a_page_is_sorted(
    serve: Serve, statements: StatementLog
) -> None:
    """Of a page the first rows in order are wanted, which no hash gives."""
    async with serve(NOW) as client:
        (await client.get(f"{PREFIX}/doc-sync/failures")).raise_for_status()
        assert statements.values("enable_sort") == 0
        (await client.get(f"{PREFIX}/summary")).raise_for_status()
    # Templates, three tables, and with all days or without a first look.
    assert statements.values("enable_sort") >= len(ONE_READING)


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
    assert is_first_reading(statements.tables())


async def test_a_tick_costs_one_reading_whatever_is_asked(serve: Serve, statements: StatementLog) -> None:
    clock = Clock(NOW)
    async with serve(clock, stale_seconds=0.001) as client:
        await know_all_days(client)
        for tick in range(2, 5):
            clock.now += 15
            for window_days in (90, 7, 1):
                for site_id in ("S1", "S2"):
                    asked = {"window_days": window_days, "site_id": site_id}
                    answer = await client.get(f"{PREFIX}/summary", params=asked)
                    assert answer.headers["age"] == "0"
            assert statements.tables() == Counter(
                {table: (tick + 1) * count for table, count in ONE_READING.items()}
            )


async def test_a_refused_request_costs_no_statement(serve: Serve, statements: StatementLog) -> None:
    async with serve(NOW) as client:
        for path in ("/summary?window_days=2", "/doc-sync/failures?page=0", "/nothing"):
            assert (await client.get(PREFIX + path)).is_client_error
    assert statements.tables() == {}
