"""Rows that somebody made to be many and long: answers stay small, and are the contract's to the letter."""

import json
from datetime import timedelta
from itertools import chain

import asyncpg
import pytest

from service.settings import Settings
from tests import oracle
from tests.support.api import PREFIX
from tests.support.builders import Database, incident, insert, job, raw, run
from tests.support.clock import NOW
from tests.support.fixtures import Ask, Serve
from tests.support.wire import RowCounter

DAY = timedelta(days=1)
CODES = """
INSERT INTO meta_workflow_custom_action_runs
    (id, rule_id, object_id, target_object, trigger_phase, status, attempts, result, created_at)
SELECT 'run-' || n, 'rule', 'object', 'Part', 'after', 'failed',
       1, jsonb_build_object('result_code', 'code-' || n || repeat('x', 150)),
       $1::timestamp - n % 6 * interval '1 day'
FROM generate_series(1, 50_000) AS n
"""
ERRORS = """
INSERT INTO meta_conversion_jobs (id, task_type, payload, status, last_error, created_at)
SELECT 'job-' || n, 'document_sync_push', '{}', 'failed', repeat('x', 5_000_000), $1
FROM generate_series(1, 20) AS n
"""


@pytest.mark.parametrize("kinds", [500, 501, 1200])
async def test_a_map_tells_five_hundred_and_sums_up_the_rest(
    database: asyncpg.Connection, serve: Serve, kinds: int
) -> None:
    """What is frequent is so over the whole window: no day alone shows it."""
    times = [(n, NOW - day * DAY) for n in range(kinds) for day in range(1 + n * 7 % 5)]
    rows = Database(
        jobs=[job(status=f"Status {n}", created_at=at) for n, at in times],
        runs=[run(result={"result_code": f"Code {n}"}, status=f"é{n}", created_at=at) for n, at in times],
        incidents=[
            incident(status=f"S{n}", severity=f"V{n}", responsibility=f"R{n}", created_at=at)
            for n, at in times
        ],
    )
    # Rarer than all others, and figures are made of them.
    rows.jobs += [job(status="zz", created_at=NOW), job(status="Completed", created_at=NOW)]
    rows.runs += [run(status="warning", created_at=NOW), run(status="failed", created_at=NOW)]
    rows.incidents.append(incident(status="open", created_at=NOW))
    await insert(database, rows)
    async with serve(NOW) as client:
        answer = (await client.get(f"{PREFIX}/summary")).json()
    expected = oracle.summary(rows, NOW, oracle.NO_OVERLAY, oracle.Query())
    assert json.dumps(answer) == json.dumps(expected)
    sizes = [len(counts) for section in answer.values() for counts in maps_of(section)]
    assert max(sizes) == 500


def maps_of(section: object) -> list[dict[str, int]]:
    """The maps of a section of an answer."""
    found = section.values() if isinstance(section, dict) else ()
    return [value for value in found if isinstance(value, dict)]


async def test_fifty_thousand_codes_make_no_large_answer(database: asyncpg.Connection, serve: Serve) -> None:
    await database.execute(CODES, NOW.replace(tzinfo=None))
    async with serve(NOW) as client:
        summary = await client.get(f"{PREFIX}/summary")
        metrics = await client.get(f"{PREFIX}/metrics")
    codes = summary.json()["workflow_actions"]["by_result_code"]
    assert (len(codes), sum(codes.values())) == (500, 50_000)
    assert len(summary.content) < 100_000
    assert len(metrics.content) < 200_000


async def test_long_errors_stay_in_the_database(
    database: asyncpg.Connection, serve: Serve, settings: Settings
) -> None:
    await database.execute(ERRORS, NOW.replace(tzinfo=None))
    server, _, rest = settings.database_url.rpartition(":")
    port, _, name = rest.partition("/")
    async with RowCounter(int(port)) as wire:
        url = f"{server}:{wire.port}/{name}?ssl=disable"
        async with serve(NOW, database_url=url) as client:
            answer = await client.get(f"{PREFIX}/doc-sync/failures")
    assert wire.rows > 20
    assert wire.bytes < 200_000
    told = {job["last_error"] for job in answer.json()["jobs"]}
    assert told == {"x" * 8_000 + "… (5000000 characters)"}


def code_rows() -> Database:
    """Failed runs whose result codes are on the bounds and past them."""
    texts = ["é" * 200, "é" * 201, "🙂" * 5000]
    numbers = ["9" * 100, "9" * 101, "-" + "9" * 100, "0." + "9" * 99, "0." + "9" * 100, "1" + "0" * 5000]
    nested = [f'["{"x" * 196}"]', f'["{"x" * 197}"]', f'{{"a": {"7" * 5000}}}', f"[{'7' * 120}]"]
    codes = chain(map(json.dumps, texts), numbers, nested)
    return Database(
        runs=[
            run(id=f"{n:02}", status="failed", result=raw(f'{{"result_code": {code}}}'), created_at=NOW)
            for n, code in enumerate(codes)
        ]
    )


async def test_a_long_code_is_cut_and_no_number_is_too_long_to_be_read(ask: Ask) -> None:
    rows = code_rows()
    failures = (await ask("/workflow/failures", rows)).json()
    assert failures == oracle.workflow_failures(rows, NOW, oracle.Query())
    codes = {run["id"]: run["result_code"] for run in failures["runs"]}
    assert (codes["02"], codes["03"], codes["04"]) == ("🙂" * 200, int("9" * 100), "9" * 101)
    assert (codes["08"], codes["11"]) == ("1" + "0" * 199, f'{{"a": {"7" * 194}')


async def test_a_long_code_is_cut_in_maps(ask: Ask) -> None:
    rows = code_rows()
    answer = (await ask("/summary", rows)).json()
    assert answer == oracle.summary(rows, NOW, oracle.NO_OVERLAY, oracle.Query())
    assert max(map(len, answer["workflow_actions"]["by_result_code"])) == 200
