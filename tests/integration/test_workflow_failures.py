"""/workflow/failures: which runs, in which order, with which result codes."""

import json
from datetime import timedelta

import asyncpg
import pytest

from tests.support.api import PREFIX
from tests.support.builders import SQL_NULL, Database, insert, raw, run
from tests.support.clock import NOW
from tests.support.fixtures import Ask, Serve

DAY = timedelta(days=1)
PATH = "/workflow/failures"


async def test_a_failed_run_is_shown_with_all_its_fields_in_order(ask: Ask) -> None:
    shown = run(
        id="R1",
        status="Failed",
        from_state="Draft",
        to_state="Released",
        attempts=2,
        result={"result_code": "RETRY_EXHAUSTED", "more": 1},
        last_error="böse",
        created_at=NOW - 7 * DAY,
    )
    answer = (await ask(PATH, Database(runs=[shown]))).json()
    assert list(answer) == [
        *("window_days", "window_since", "target_object_filter", "total", "pagination", "runs"),
        "operator_id",
    ]
    assert list(answer["pagination"].items()) == [("page", 1), ("page_size", 20), ("pages", 1), ("total", 1)]
    assert list(answer["runs"][0].items()) == [
        ("id", "R1"),
        ("rule_id", "rule-1"),
        ("object_id", "object-1"),
        ("target_object", "Part"),
        ("from_state", "Draft"),
        ("to_state", "Released"),
        ("trigger_phase", "after"),
        ("status", "Failed"),
        ("attempts", 2),
        ("result_code", "RETRY_EXHAUSTED"),
        ("last_error", "böse"),
        ("created_at", "2026-03-03T09:30:00Z"),
    ]


# As PostgreSQL keeps them: jsonb tells 1.50 from 1.5, so an answer does, too.
CODES = ["7", "1.50", "0", "-0.0", "1e-7", "true", "false", "null", '""', '"é \\"x\\""', "[1, null]", "{}"]


async def test_result_codes_are_shown_as_the_json_that_they_are(ask: Ask) -> None:
    results = [raw(f'{{"result_code": {code}}}') for code in CODES]
    nothing = ["{}", "null", "[]", '["result_code"]', '"result_code"', "7"]
    results += map(raw, nothing)
    rows = [
        run(id=f"{number:03}", status="failed", result=result, created_at=NOW)
        for number, result in enumerate([*results, SQL_NULL])
    ]
    response = await ask(PATH, Database(runs=rows))
    shown = json.loads(response.text, parse_float=str)["runs"]
    codes = [run["result_code"] for run in reversed(shown)]
    stored = [json.loads(code, parse_float=str) for code in CODES]
    stored[CODES.index("-0.0")], stored[CODES.index("1e-7")] = "0.0", "0.0000001"
    assert codes == stored + [None] * (len(nothing) + 1)


async def test_only_failed_runs_of_the_window_are_failures(ask: Ask) -> None:
    failed = [run(status=status, created_at=NOW + DAY) for status in ("failed", "FAILED", "Failed")]
    others = [
        run(status="failed", created_at=NOW - 7 * DAY - timedelta(microseconds=1)),
        *(run(status=status, created_at=NOW) for status in ("", "failed ", "warning", "completed")),
    ]
    answer = (await ask(PATH, Database(runs=failed + others))).json()
    assert answer["total"] == 3
    assert {row["status"] for row in answer["runs"]} == {"failed", "FAILED", "Failed"}


async def test_the_newest_come_first_and_ties_go_by_descending_id(ask: Ask) -> None:
    rows = [run(id=f"r{number}", status="failed", created_at=NOW - DAY * (number % 3)) for number in range(9)]
    answer = (await ask(PATH, Database(runs=rows))).json()
    shown = [row["id"] for row in answer["runs"]]
    assert shown == ["r6", "r3", "r0", "r7", "r4", "r1", "r8", "r5", "r2"]


@pytest.mark.parametrize(
    ("page", "page_size", "pages", "shown"), [(1, 1, 3, 1), (2, 2, 2, 1), (3, 2, 2, 0), (10**30, 200, 1, 0)]
)
async def test_pages_are_cut_and_those_past_the_end_are_empty(
    ask: Ask, page: int, page_size: int, pages: int, shown: int
) -> None:
    rows = Database(runs=[run(status="failed", created_at=NOW) for _ in range(3)])
    answer = (await ask(PATH, rows, page=page, page_size=page_size)).json()
    assert answer["pagination"] == {"page": page, "page_size": page_size, "pages": pages, "total": 3}
    assert len(answer["runs"]) == shown


async def test_nothing_failed_is_no_page_at_all(ask: Ask) -> None:
    answer = (await ask(PATH, Database(runs=[run(created_at=NOW)]))).json()
    assert answer["pagination"] == {"page": 1, "page_size": 20, "pages": 0, "total": 0}
    assert answer["runs"] == []


async def test_a_target_object_compares_exactly(database: asyncpg.Connection, serve: Serve) -> None:
    targets = ["Part", "part", " Part", "P%"]
    runs = [run(target_object=target, status="failed", created_at=NOW) for target in targets]
    await insert(database, Database(runs=runs))
    async with serve(NOW) as client:
        part = (await client.get(f"{PREFIX}{PATH}?target_object=+Part+&site_id=elsewhere")).json()
        everything = (await client.get(f"{PREFIX}{PATH}?target_object=")).json()
    assert (part["target_object_filter"], part["total"]) == ("Part", 1)
    assert (everything["target_object_filter"], everything["total"]) == (None, 4)
