"""How many statements an answer costs, counted by the database itself."""

import pytest

from tests.support.api import PREFIX
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.statement_log import StatementLog

SECTIONS = {
    "meta_conversion_jobs": 1,
    "meta_workflow_custom_action_runs": 1,
    "meta_breakage_incidents": 1,
    "meta_consumption_plans": 1,
}
COSTS = [
    *((path, SECTIONS) for path in ("/summary", "/trends", "/alerts", "/metrics")),
    *((f"/summary/export?export_format={name}", SECTIONS) for name in ("json", "csv", "md")),
    ("/summary?window_days=90&site_id=S1&target_object=Part&template_key=pump", SECTIONS),
    ("/trends?window_days=90&bucket_days=1", SECTIONS),
    ("/doc-sync/failures", {"meta_conversion_jobs": 2}),
    ("/doc-sync/failures?site_id=S1&page=3", {"meta_conversion_jobs": 2}),
    ("/workflow/failures", {"meta_workflow_custom_action_runs": 2}),
]


@pytest.mark.parametrize(("path", "cost"), COSTS)
async def test_a_cold_answer_costs_one_statement_a_section_and_two_a_page(
    serve: Serve, statements: StatementLog, path: str, cost: dict[str, int]
) -> None:
    async with serve(NOW) as client:
        assert (await client.get(PREFIX + path)).headers["x-cache"] == "miss"
    assert statements.tables() == cost


async def test_all_answers_of_one_snapshot_cost_no_more_than_one_of_them(
    serve: Serve, statements: StatementLog
) -> None:
    async with serve(NOW) as client:
        for path in ("/summary", "/trends", "/trends?bucket_days=7", "/alerts?level=warn", "/metrics"):
            await client.get(PREFIX + path)
        for name in ("json", "csv", "md"):
            await client.get(f"{PREFIX}/summary/export?export_format={name}")
    assert statements.tables() == SECTIONS


async def test_a_refused_request_costs_no_statement(serve: Serve, statements: StatementLog) -> None:
    async with serve(NOW) as client:
        for path in ("/summary?window_days=2", "/doc-sync/failures?page=0", "/nothing"):
            assert (await client.get(PREFIX + path)).is_client_error
    assert statements.tables() == {}


async def test_filters_cost_one_statement_more_each_and_not_one_for_every_combination(
    serve: Serve, statements: StatementLog
) -> None:
    async with serve(NOW) as client:
        for site_id in ("S1", "S2", "S3"):
            for target_object in ("Part", "ECO"):
                asked = {"site_id": site_id, "target_object": target_object}
                await client.get(f"{PREFIX}/summary", params=asked)
    assert statements.tables() == SECTIONS | {
        "meta_conversion_jobs": 3,
        "meta_workflow_custom_action_runs": 2,
    }
