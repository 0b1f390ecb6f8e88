"""Limits in the board's address: it judges by them, says so, and keeps them until somebody goes back."""

from urllib.parse import parse_qsl, urlsplit

import asyncpg
import httpx
import pytest

from tests.support.builders import Database, incident, insert, job, run
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.html import Element, page_of

OVERRIDES = {"doc_sync_dead_letter_rate_warn": "0.6", "overlay_cache_min_requests_warn": "20"}
TOLD = (
    "Limits are overridden in this view. 3D overlay cache: judged from 20 on (Lookups) in place of 10."
    " Document sync, dead-letter rate: 60 % in place of 5 %. Back to the configured limits"
)
TOLD_IN_CHINESE = (
    "此视图使用临时限值。 三维叠加缓存：查询次数达到 20 才判定，配置值为 10。"
    " 文档同步（死信率）：60 %，配置值为 5 %。 恢复配置的限值"
)


@pytest.fixture
async def failing(database: asyncpg.Connection) -> asyncpg.Connection:
    """Rows enough for every list to have pages and equal errors."""
    failed = {"status": "failed", "last_error": "it failed", "created_at": NOW}
    await insert(
        database,
        Database(
            jobs=[
                *(job(**failed, attempt_count=3) for _ in range(12)),
                *(job(created_at=NOW) for _ in range(12)),
            ],
            runs=[run(**failed, result={"result_code": "E1"}) for _ in range(12)],
            incidents=[incident(status="open", created_at=NOW) for _ in range(12)],
        ),
    )
    return database


async def board(client: httpx.AsyncClient, **view: str) -> Element:
    response = await client.get("/", params={"lang": "en", **view})
    assert response.status_code == 200
    return page_of(response.text)


def said(element: Element) -> str:
    return " ".join(element.text.split())


@pytest.mark.usefixtures("failing")
async def test_the_board_judges_by_its_own_limits_and_says_so(serve: Serve) -> None:
    async with serve(NOW) as client:
        for _ in range(2):  # made, and found again
            plain, own = await board(client), await board(client, **OVERRIDES)
            assert not list(plain.all(id="own-limits"))
            assert list(plain.all(id="alert-doc_sync_dead_letter_rate_high"))
            assert said(own.one(id="own-limits")) == TOLD
            assert not list(own.all(id="alert-doc_sync_dead_letter_rate_high"))
            assert "limit 60 %" in said(own.one(id="doc_sync"))
        chinese = await board(client, lang="zh", **OVERRIDES)
    assert said(chinese.one(id="own-limits")) == TOLD_IN_CHINESE
    assert own.one(id="configured-limits")["href"] == "/?lang=en"


@pytest.mark.usefixtures("failing")
async def test_every_link_and_form_carries_the_limits(serve: Serve) -> None:
    view = {"window_days": "30", "site_id": "S1", "theme": "dark", **OVERRIDES}
    async with serve(NOW) as client:
        page = await board(client, **view)
    hrefs = {link["href"] for link in page.all("a") if link.attributes.get("id") != "configured-limits"}
    ours = {href for href in hrefs if href.startswith(("/?", "/api")) and "/trends/export" not in href}
    assert len(ours) > 20
    for href in ours:
        assert dict(parse_qsl(urlsplit(href).query)).items() >= OVERRIDES.items(), href
    # The rest is another page, a place on this one, or figures that have no limits.
    others = {href.partition("?")[0].partition("#")[0] for href in hrefs - ours}
    assert others == {"", "/runbook", "/api/v1/parallel-ops/trends/export"}
    (form,) = (each for each in page.all("form") if each["action"] == "/")
    sent = {field["name"]: field["value"] for field in form.all("input")}
    assert sent.items() >= OVERRIDES.items()


@pytest.mark.usefixtures("failing")
async def test_the_trends_are_downloaded_as_they_are_drawn(serve: Serve) -> None:
    async with serve(NOW) as client:
        page = await board(client, window_days="90", site_id="S1")
        href = page.one(id="export-trends-csv")["href"]
        file = await client.get(href)
        points = list(page.one(id="doc_sync-table").one("tbody").all("tr"))
    assert dict(parse_qsl(urlsplit(href).query)) == {
        "window_days": "90",
        "site_id": "S1",
        "bucket_days": "7",
        "align": "clock",
        "export_format": "csv",
    }
    assert len(file.text.splitlines()) == 1 + len(points) == 15
