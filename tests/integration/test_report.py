"""/report: the same figures as everywhere else, of one tick, and what it says where a list cannot be had."""

from datetime import timedelta

import asyncpg
import httpx
import pytest

from tests.support.api import PREFIX
from tests.support.builders import Database, incident, insert, job, run
from tests.support.clock import NOW, Clock
from tests.support.fixtures import Ask, Serve
from tests.support.waiting import until

REPORT = f"{PREFIX}/report"
ERROR = "Traceback (most recent call last):\n  File\nSiteError: <b>502</b>\n"
ROWS = Database(
    jobs=[
        *(job(id=f"J{n:02}", created_at=NOW - timedelta(hours=n)) for n in range(3)),
        *(
            job(
                id=f"F{n:02}",
                status="failed",
                attempt_count=3,
                last_error=ERROR,
                dedupe_key=f"DOC-{n:02}",
                payload={"site_id": "S|1"},
                created_at=NOW - timedelta(minutes=n),
            )
            for n in range(12)
        ),
    ],
    runs=[run(status="failed", target_object="ECO", result={"result_code": "TIMEOUT"}, created_at=NOW)],
    incidents=[incident(status="open", severity="high", description="Leak\nat the seal", created_at=NOW)],
)


async def test_it_is_a_markdown_text_of_the_zones_day_shown_where_it_is_opened(ask: Ask) -> None:
    there = {"time_zone": "Pacific/Pago_Pago"}  # where it is the day before
    response = await ask("/report", ROWS, settings=there)
    assert response.headers["content-type"] == "text/markdown; charset=utf-8"
    name = 'inline; filename="parallel-ops-report-2026-03-09.md"'
    assert response.headers["content-disposition"] == name
    assert "- Figures as of: 2026-03-09 22:30:00 -11:00\n" in response.text
    assert "- Time zone: Pacific/Pago_Pago\n" in response.text
    assert "x-operator-id" not in response.headers


async def test_its_figures_and_rows_are_those_of_the_other_answers(
    database: asyncpg.Connection, serve: Serve
) -> None:
    await insert(database, ROWS)
    async with serve(NOW) as client:
        text = (await client.get(REPORT)).text
        summary = (await client.get(f"{PREFIX}/summary")).json()
        failures = (await client.get(f"{PREFIX}/doc-sync/failures?page_size=10")).json()
    assert f"{len(summary['slo_hints'])} of 4 rates past their limit." in text
    dead, total = (summary["doc_sync"][name] for name in ("dead_letter_total", "total"))
    assert (dead, total) == (12, 15)
    assert f"({dead / 12 * 100:.1f} %) and 12 failed (100.0 %) of 12 jobs\n" in text
    assert f"**Document sync dead letters** (Warning): {dead / total * 100:.1f} %, limit 5 %;" in text
    assert f"### Failed document syncs ({failures['total']})\n" in text
    rows = [line for line in text.splitlines() if line.endswith("SiteError: &lt;b&gt;502&lt;/b&gt;")]
    assert [row.split(" · ")[2:4] for row in rows] == [
        ["S\\|1", each["dedupe_key"]] for each in failures["jobs"]
    ]
    assert "- 2026-03-10 09:30 UTC · ECO · " in text
    assert "\n- Result code TIMEOUT: 1 of 1 runs (100.0 %)\n" in text
    assert "\n- 2026-03-10 09:30 UTC · high · " in text
    assert text.endswith(" · Leak\n")


async def test_filters_and_language_hold(ask: Ask) -> None:
    response = await ask("/report", ROWS, site_id="elsewhere", window_days=1, lang=" ZH ")
    assert "- 筛选：站点 elsewhere，全部目标对象，全部模板\n" in response.text
    assert "### 失败的文档同步 (0)\n" in response.text
    assert "### 失败的工作流动作 (1)\n" in response.text


async def test_a_list_that_cannot_be_read_leaves_the_rest_standing_and_is_tried_again(
    database: asyncpg.Connection, serve: Serve
) -> None:
    await insert(database, ROWS)
    rename = "ALTER TABLE meta_conversion_jobs RENAME COLUMN {} TO {}"
    column, away = "last_error", "elsewhere"  # of the columns that figures do not need
    async with serve(NOW) as client:
        try:
            await database.execute(rename.format(column, away))
            text = (await client.get(REPORT)).text
        finally:
            await database.execute(rename.format(away, column))
        assert "### Failed document syncs\n\nThe list could not be read just now.\n" in text
        assert "**Document sync dead letters**" in text
        assert "### Failed workflow actions (1)\n" in text

        async def is_there() -> bool:
            return "### Failed document syncs (12)\n" in (await client.get(REPORT)).text

        await until(is_there)


async def test_without_figures_there_is_no_report(serve: Serve, database: asyncpg.Connection) -> None:
    await database.execute("ALTER TABLE meta_breakage_incidents RENAME TO elsewhere")
    try:
        async with serve(NOW) as client:
            response = await client.get(REPORT)
    finally:
        await database.execute("ALTER TABLE elsewhere RENAME TO meta_breakage_incidents")
    assert (response.status_code, response.json()["detail"]["code"]) == (503, "parallel_ops_unavailable")


async def test_all_of_it_is_of_one_tick_when_the_next_one_has_begun(
    database: asyncpg.Connection, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lists that are being read anew are waited for: none says that it is of another time."""
    monkeypatch.setattr("service.report.found.MOMENT_SECONDS", 60.0)  # the machine may be busy
    await insert(database, ROWS)
    clock = Clock(NOW)
    async with serve(clock) as client:
        for _ in range(4):
            await client.get(REPORT)

            async def is_of_now() -> bool:
                report: httpx.Response = await client.get(REPORT)
                assert report.text.count("as of: ") == 1, report.text
                return report.headers["age"] == "0"

            await until(is_of_now)
            clock.now += 15
