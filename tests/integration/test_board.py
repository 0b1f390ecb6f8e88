"""The duty board as any client gets it: what it costs the database, and what it says without figures."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import jinja2
import pytest

from service.dashboard import charts, panels
from tests.support.api import PREFIX
from tests.support.builders import Database, insert, job, run, template
from tests.support.clock import NOW, Clock
from tests.support.fixtures import Serve
from tests.support.html import page_of
from tests.support.reads import ONE_READING, know_all_days
from tests.support.statement_log import StatementLog
from tests.support.tokens import SECRET, claims, token
from tests.support.waiting import until

# A count and a page of each list, and the errors that failing rows have in common.
LISTS = Counter(
    {"meta_conversion_jobs": 3, "meta_workflow_custom_action_runs": 3, "meta_breakage_incidents": 2}
)
MINUTE = timedelta(minutes=1).total_seconds()


async def test_a_view_costs_a_reading_and_its_lists_and_its_suggestions_nothing(
    database: asyncpg.Connection, serve: Serve, statements: StatementLog
) -> None:
    failed: dict[str, Any] = {"status": "failed", "created_at": NOW}
    await insert(database, Database(jobs=[job(**failed), job(**failed)], runs=[run(**failed), run(**failed)]))
    clock = Clock(NOW)
    async with serve(clock) as client:
        await know_all_days(client)
        expected = statements.tables()
        for _ in range(3):
            clock.now += 2 * MINUTE
            for _ in range(3):
                assert (await client.get("/?window_days=90")).status_code == 200
            expected += ONE_READING + LISTS
            assert statements.tables() == expected


async def test_a_browser_that_has_a_page_is_not_sent_it_again(database: object, serve: Serve) -> None:
    async with serve(NOW) as client:
        page = await client.get("/")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        etag = page.headers["etag"]
        for tags, status in ((etag, 304), (f'"another", {etag}', 304), ("*", 304), ('W/"another"', 200)):
            answer = await client.get("/", headers={"If-None-Match": tags})
            assert (answer.status_code, answer.headers["etag"]) == (status, etag), tags


async def test_a_snapshot_is_drawn_once_for_all_readers_and_a_page_written_once(
    database: asyncpg.Connection, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: Counter[str] = Counter()
    # By the library that writes, and at the one place that asks for a drawing, whoever of ours asks them to.
    monkeypatch.setattr(jinja2.Template, "render", _counted(made, "written", jinja2.Template.render))
    monkeypatch.setattr(panels, "trend_chart", _counted(made, "drawn", charts.trend_chart))
    clock = Clock(NOW)
    await insert(database, Database(jobs=[job(created_at=NOW)]))
    async with serve(clock) as client:

        async def choices_are_known() -> bool:
            return "S1" in _choices((await client.get("/?window_days=90")).text, "site_id")

        await until(choices_are_known)  # a page without them would be written once more
        made.clear()
        await client.get("/?lang=en")
        drawn = made["drawn"]
        assert (made["written"], drawn > 0) == (1, True)
        for _ in range(3):
            for view in ("/?lang=en", "/?lang=zh", "/?theme=dark", "/?jobs_page=2"):
                await client.get(view)
        assert made == {"written": 4, "drawn": drawn}
        await client.get("/?window_days=30")
        assert made == {"written": 5, "drawn": 2 * drawn}
        clock.now += 2 * MINUTE

        async def is_drawn_anew() -> bool:
            await client.get("/?lang=en")
            return made["drawn"] > 2 * drawn

        await until(is_drawn_anew)


def _counted(made: Counter[str], name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def counting(*arguments: object, **named: object) -> object:
        made[name] += 1
        return function(*arguments, **named)

    return counting


async def test_choices_are_what_a_filter_finds_the_trimmed_and_the_bounded(
    database: asyncpg.Connection, serve: Serve
) -> None:
    await insert(
        database,
        Database(
            jobs=[
                job(payload={"site_id": " S9 "}, created_at=NOW),
                job(payload={"site_id": 7}, created_at=NOW),
                job(payload={"site_id": ""}, created_at=NOW),
                job(payload={"site_id": "x" * 201}, created_at=NOW),
                job(payload={"site_id": "other"}, task_type="cad_preview", created_at=NOW),
                *(job(payload={"site_id": f"many-{n:03}"}, created_at=NOW) for n in range(300)),
            ],
            runs=[run(target_object=" padded", created_at=NOW), run(target_object="Part", created_at=NOW)],
            plans=[template("T-1"), template("  "), template("T-2", version=False)],
        ),
    )
    async with serve(NOW) as client:
        await know_all_days(client)
        text = (await client.get("/")).text
    assert _choices(text, "target_object") == ["Part"]
    assert _choices(text, "template_key") == ["T-1"]
    sites = _choices(text, "site_id")
    assert len(sites) == 200
    assert "7" in sites
    assert "other" not in sites


async def test_rates_without_data_are_not_called_fine(database: asyncpg.Connection, serve: Serve) -> None:
    async with serve(NOW) as client:
        nothing = (await client.get("/")).text
    await insert(database, Database(jobs=[job(created_at=NOW)], runs=[run(created_at=NOW)]))
    async with serve(NOW) as client:
        something = (await client.get("/?window_days=1")).text
    for text, count in ((nothing, 4), (something, 2)):
        assert f"{count} of 4 rates have no data." in text
        assert f"No alerts among the rates that have data: {count} of 4 have none." in text


async def test_a_token_that_no_browser_would_keep_is_refused_with_that_reason(serve: Serve) -> None:
    async with serve(NOW, auth="required", jwt_secret=SECRET) as client:
        for length, status in ((100, 303), (4000, 400)):
            form = {"token": token(claims(note="x" * length)), "next": "/"}
            response = await client.post("/sign-in", data=form)
            assert response.status_code == status
            assert ("set-cookie" in response.headers) is (status == 303)
            assert ("too long for a browser" in response.text) is (status == 400)


async def test_a_list_that_cannot_be_read_leaves_the_figures_standing(
    spare: asyncpg.Connection, spare_url: str, serve: Serve
) -> None:
    await insert(spare, Database(jobs=[job(status="failed", created_at=NOW)]))
    await spare.execute("REVOKE SELECT (last_error) ON meta_conversion_jobs FROM parallel_ops_reader")
    async with serve(NOW, database_url=spare_url) as client:
        text = (await client.get("/")).text
    assert '<data value="1" data-figure="doc_sync.total">' in text
    lists = [part.partition("</section>")[0] for part in text.split('class="card list"')[1:]]
    assert ["The list could not be read just now." in part for part in lists] == [True, False, False]


async def test_without_a_database_it_is_a_page_that_says_so_and_comes_back(serve: Serve) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:9/nothing"
    async with serve(NOW, database_url=nowhere, statement_timeout_seconds=0.2) as client:
        response: httpx.Response = await client.get("/", headers={"accept-language": "zh"})
    assert response.status_code == 503
    assert response.headers["refresh"] == "5"
    assert response.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    assert "暂无数据" in response.text


async def test_a_trend_gives_its_script_the_figures_of_the_api_and_its_words(
    database: asyncpg.Connection, serve: Serve
) -> None:
    jobs = [job(created_at=NOW - timedelta(days=days)) for days in (0, 0, 2, 2)]
    dead = [
        job(status="failed", attempt_count=3, max_attempts=3, created_at=NOW - timedelta(days=days))
        for days in (2, 4)
    ]
    await insert(database, Database(jobs=[*jobs, *dead]))
    async with serve(NOW) as client:
        points = (await client.get(f"{PREFIX}/trends?align=clock")).json()["points"]
        pages = {lang: page_of((await client.get(f"/?lang={lang}")).text) for lang in ("en", "zh")}
    syncs = [point["doc_sync"] for point in points]
    rates = [sync["dead_letter_rate"] for sync in syncs]
    past = [n for n, rate in enumerate(rates) if rate is not None and rate > 0.05]
    assert (len(past), rates.count(None), len(points)) == (2, 5, 8)
    for page in pages.values():
        figure = page.one(id="doc_sync").one("figure")
        given = json.loads(figure["data-trend"])
        assert given["totals"] == [sync["total"] for sync in syncs]
        assert given["parts"] == [sync["dead_letter_total"] for sync in syncs]
        assert given["rates"] == [None if rate is None else round(rate, 6) for rate in rates]
        assert (given["past"], given["partial"], given["limit"]) == (past, [0, 7], 0.05)
        assert len(given["labels"]) == len(points)
        assert len(list(figure.one(class_="points").all("th", scope="row"))) == len(points)
    said = {lang: page.one(id="doc_sync").one(class_="k-past").text for lang, page in pages.items()}
    assert said == {"en": "past its limit in 2 of 8", "zh": "8 点中有 2 点超过上限"}
    assert [page.one(id="doc_sync-plot")["data-past"] for page in pages.values()] == [
        "past its limit",
        "超过上限",
    ]


def _choices(text: str, name: str) -> list[str]:
    """The values of a datalist."""
    options = text.partition(f'<datalist id="{name}-choices">')[2].partition("</datalist>")[0]
    return [part.partition('"')[0] for part in options.split('value="')[1:]]
