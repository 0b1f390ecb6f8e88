"""/doc-sync/failures: which jobs, in which order, cut into which pages."""

from datetime import timedelta

import asyncpg
import pytest

from tests.support.api import PREFIX
from tests.support.builders import Database, insert, job, raw, run
from tests.support.clock import NOW
from tests.support.fixtures import Ask, Serve
from tests.support.statement_log import StatementLog

DAY = timedelta(days=1)
PATH = "/doc-sync/failures"


async def test_a_failed_job_is_shown_with_all_its_fields_in_order(ask: Ask) -> None:
    shown = job(
        id="J1",
        status="FAILED",
        payload=raw('{"site_id": " 工場 1\\u00a0"}'),
        attempt_count=3,
        max_attempts=5,
        last_error='Timeout:\n  "x" \\',
        dedupe_key="k",
        created_at=NOW - timedelta(microseconds=1),
    )
    answer = (await ask(PATH, Database(jobs=[shown]))).json()
    assert list(answer) == [
        *("window_days", "window_since", "site_filter", "total", "pagination", "jobs", "operator_id")
    ]
    assert list(answer["pagination"].items()) == [("page", 1), ("page_size", 20), ("pages", 1), ("total", 1)]
    assert list(answer["jobs"][0].items()) == [
        ("id", "J1"),
        ("task_type", "document_sync_push"),
        ("status", "FAILED"),
        ("attempt_count", 3),
        ("max_attempts", 5),
        ("last_error", 'Timeout:\n  "x" \\'),
        ("dedupe_key", "k"),
        ("site_id", "工場 1"),
        ("created_at", "2026-03-10T09:29:59.999999Z"),
        ("direction", "push"),
    ]
    assert (answer["window_days"], answer["window_since"]) == (7, "2026-03-03T09:30:00Z")
    assert (answer["site_filter"], answer["operator_id"]) == (None, None)


async def test_nulls_stay_null(ask: Ask) -> None:
    empty = job(status="failed", payload=[], attempt_count=None, max_attempts=None, created_at=NOW)
    shown = (await ask(PATH, Database(jobs=[empty]))).json()["jobs"][0]
    names = ("attempt_count", "max_attempts", "last_error", "dedupe_key", "site_id")
    assert [shown[name] for name in names] == [None] * 5


async def test_only_failed_document_sync_jobs_of_the_window_are_failures(ask: Ask) -> None:
    failed = [
        job(status="failed", created_at=NOW + DAY),
        job(status="Failed", created_at=NOW),
        job(status="FAILED", created_at=NOW - 7 * DAY),
    ]
    others = [
        job(status="failed", created_at=NOW - 7 * DAY - timedelta(microseconds=1)),
        job(status="failed", created_at=None),
        job(status="failed", task_type="documentXsyncYpush", created_at=NOW),
        job(status="failed", task_type="DOCUMENT_SYNC_push", created_at=NOW),
        *(job(status=status, created_at=NOW) for status in (None, "", "failed ", "completed", "failure")),
    ]
    answer = (await ask(PATH, Database(jobs=others + failed))).json()
    assert [shown["id"] for shown in answer["jobs"]] == [row["id"] for row in failed]
    assert answer["total"] == 3


async def test_the_newest_come_first_and_ties_go_by_descending_id(
    database: asyncpg.Connection, serve: Serve
) -> None:
    ids = ["10", "9", "a", "B", "é", "_", "a1"]
    jobs = [job(id=number, status="failed", created_at=NOW) for number in ids]
    jobs += [job(id="zz", status="failed", created_at=NOW - DAY)]
    await insert(database, Database(jobs=[*jobs, job(id="0", status="failed", created_at=NOW + DAY)]))
    async with serve(NOW) as client:
        pages = [await client.get(f"{PREFIX}{PATH}?page_size=2&page={page}") for page in range(1, 6)]
    shown = [row["id"] for page in pages for row in page.json()["jobs"]]
    assert shown == ["0", *sorted(ids, reverse=True), "zz"]


@pytest.mark.parametrize(
    ("page", "page_size", "pages", "shown"),
    [(1, 2, 3, 2), (3, 2, 3, 1), (4, 2, 3, 0), (1, 5, 1, 5), (2, 5, 1, 0), (1, 200, 1, 5), (10**30, 1, 5, 0)],
)
async def test_pages_are_cut_and_those_past_the_end_are_empty(
    ask: Ask, page: int, page_size: int, pages: int, shown: int
) -> None:
    rows = Database(jobs=[job(status="failed", created_at=NOW) for _ in range(5)])
    answer = (await ask(PATH, rows, page=page, page_size=page_size)).json()
    assert answer["pagination"] == {"page": page, "page_size": page_size, "pages": pages, "total": 5}
    assert (answer["total"], len(answer["jobs"])) == (5, shown)


async def test_nothing_failed_is_no_page_at_all(ask: Ask) -> None:
    answer = (await ask(PATH, Database(jobs=[job(created_at=NOW)]))).json()
    assert answer["pagination"] == {"page": 1, "page_size": 20, "pages": 0, "total": 0}
    assert (answer["total"], answer["jobs"]) == (0, [])


async def test_a_site_filter_keeps_the_failures_of_one_site(
    database: asyncpg.Connection, serve: Serve
) -> None:
    payloads = ['{"site_id": "7"}', '{"site_id": 7}', '{"site_id": " 7 "}', '{"site_id": 7.0}', '["7"]', "7"]
    jobs = [job(payload=raw(text), status="failed", created_at=NOW) for text in payloads]
    await insert(database, Database(jobs=jobs))
    async with serve(NOW) as client:
        seven = (await client.get(f"{PREFIX}{PATH}?site_id=%C2%A07%20")).json()
        everything = (await client.get(f"{PREFIX}{PATH}?site_id=%20")).json()
    assert (seven["site_filter"], seven["total"]) == ("7", 3)
    assert [row["site_id"] for row in seven["jobs"]] == ["7"] * 3
    assert (everything["site_filter"], everything["total"]) == (None, 6)


async def test_window_and_page_size_default_to_seven_days_and_twenty_rows(ask: Ask) -> None:
    rows = Database(jobs=[job(status="failed", created_at=NOW - 6 * DAY) for _ in range(21)])
    answer = (await ask(PATH, rows)).json()
    assert len(answer["jobs"]) == 20
    assert answer["pagination"] == {"page": 1, "page_size": 20, "pages": 2, "total": 21}


async def test_a_target_object_is_no_parameter_of_this_endpoint(ask: Ask) -> None:
    rows = Database(jobs=[job(status="failed", created_at=NOW)])
    asked = {"target_object": "x" * 201, "bucket_days": "x", "export_format": "pdf"}
    assert (await ask(PATH, rows, **asked)).json()["total"] == 1


async def test_pages_are_ordered_by_code_points_whatever_the_collation_of_the_database_is(
    ask: Ask, statements: StatementLog
) -> None:
    """The server of these tests has no other collation, so it is asked what it was told."""
    await ask(PATH)
    await ask("/workflow/failures")
    for table in ("meta_conversion_jobs", "meta_workflow_custom_action_runs"):
        order = f'ORDER BY {table}.created_at DESC, {table}.id COLLATE "C" DESC'
        assert statements.count(order) == 1


async def test_the_last_moment_that_has_a_date_is_shown_and_a_later_one_is_null(
    database: asyncpg.Connection, serve: Serve
) -> None:
    moments = ("9999-12-31 23:59:59", "10000-01-01 00:00:00", "infinity")
    rows = Database(
        jobs=[job(id=f"J{number}", status="failed") for number, _ in enumerate(moments)],
        runs=[run(id=f"R{number}", status="failed") for number, _ in enumerate(moments)],
    )
    await insert(database, rows)
    for table, letter in (("meta_conversion_jobs", "J"), ("meta_workflow_custom_action_runs", "R")):
        for number, moment in enumerate(moments):
            update = f"UPDATE {table} SET created_at = '{moment}' WHERE id = '{letter}{number}'"
            await database.execute(update)
    async with serve(NOW) as client:
        jobs = (await client.get(PREFIX + PATH)).json()["jobs"]
        runs = (await client.get(f"{PREFIX}/workflow/failures")).json()["runs"]
    for shown in (jobs, runs):
        assert [row["created_at"] for row in shown] == [None, None, "9999-12-31T23:59:59Z"]
