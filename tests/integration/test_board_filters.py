"""What the board says of its filters: whom they concern, and whether there is anything of that name."""

from datetime import timedelta

import asyncpg
import httpx

from tests.support.builders import Database, insert, job, run
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.html import Element, page_of
from tests.support.reads import know_all_days

SECTIONS = ("doc_sync", "workflow_actions", "breakages", "consumption_templates", "overlay_cache")


async def board(client: httpx.AsyncClient, **view: str) -> Element:
    response = await client.get("/", params={"lang": "en", **view})
    assert response.status_code == 200
    return page_of(response.text)


def why_empty(page: Element, name: str = "failed-jobs") -> str:
    """What a list says that has no rows."""
    return " ".join(page.one(id=name).one(class_="empty").text.split())


async def test_a_panel_says_whom_it_counts_and_the_banner_what_all_of_it_counts(
    database: asyncpg.Connection, serve: Serve
) -> None:
    await insert(database, Database(jobs=[job(created_at=NOW)], runs=[run(created_at=NOW)]))
    async with serve(NOW) as client:
        whole, one = await board(client), await board(client, site_id="S1")
    assert whole.one(id="scope").text == "Counted over the last 7 d: all sites, target objects and templates."
    assert not list(whole.all(class_="scope"))
    said = [one.one(id=name).one(class_="scope").text for name in SECTIONS]
    assert said == ["Site S1 ← all sites", "all sites", "all sites", "all sites", "all sites"]
    lists = [one.one(id=name).one(class_="scope").text for name in ("failed-jobs", "failed-runs")]
    assert lists == ["Site S1", "all sites"]
    assert " ".join(one.one(id="scope").text.split()) == (
        "Counted over the last 7 d – Document sync: Site S1; Workflow actions: all sites;"
        " Breakages: all sites; 3D overlay cache: all sites."
    )


async def test_a_site_that_is_not_there_is_no_site_where_nothing_failed(
    database: asyncpg.Connection, serve: Serve
) -> None:
    long_ago = job(payload={"site_id": "OLD-1"}, created_at=NOW - timedelta(days=60))
    rows = Database(jobs=[job(payload={"site_id": "SH-01"}, created_at=NOW), long_ago])
    await insert(database, rows)
    async with serve(NOW) as client:
        await know_all_days(client)
        fine, old = await board(client, site_id="SH-01"), await board(client, site_id="OLD-1")
        missing = await board(client, site_id="sh-1", window_days="30", jobs_page="3")
    assert why_empty(fine) == "Nothing failed in this window."
    assert why_empty(old) == "There are no rows in this window, failed or not."
    assert not [each for page in (fine, old) for each in page.all(class_="unknown-name")]
    told = "Site “sh-1” is not in the data: it is none of the 2 names there. Nearest: SH-01"
    assert why_empty(missing) == told
    banner = missing.one(id="state").one(class_="unknown-name")
    assert " ".join(banner.text.split()) == told
    assert banner.one("a")["href"] == "/?window_days=30&site_id=SH-01&lang=en"
