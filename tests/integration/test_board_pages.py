"""What the board's page says, read without a browser: figures, dashes, states; and data is only text."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx
import pytest
from redis.asyncio import Redis

from tests.support.addresses import nowhere
from tests.support.api import PREFIX
from tests.support.board_figures import CACHE_SETTINGS, shown_figure
from tests.support.builders import Database, incident, insert, job, run, template
from tests.support.clock import NOW, Clock
from tests.support.fixtures import Serve
from tests.support.held import held_jobs
from tests.support.html import Element, page_of

HOSTILE = """"><img src=x onerror=alert(1)><b>&lt;'{{7*7}}"""
LONG = f"{HOSTILE}\n  File <stdin>, line 1\n{HOSTILE * 5}"
SECTIONS = ("doc_sync", "workflow_actions", "breakages", "consumption_templates", "overlay_cache")


async def board(client: httpx.AsyncClient, **view: str) -> Element:
    response = await client.get("/", params={"lang": "en", **view})
    assert response.status_code == 200
    return page_of(response.text)


async def summary(client: httpx.AsyncClient, **query: str) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.get(f"{PREFIX}/summary", params=query)).json()
    return answer


def chips(page: Element) -> dict[str, str]:
    """What each panel says of its rate; templates have none."""
    panels = {name: page.one("section", id=name) for name in SECTIONS}
    return {name: "".join(chip.text for chip in panel.all(class_="chip")) for name, panel in panels.items()}


def small() -> Database:
    """Two jobs of which one is a dead letter, one run, and nothing else."""
    dead = job(status="failed", attempt_count=3, max_attempts=3, created_at=NOW)
    return Database(jobs=[job(created_at=NOW), dead], runs=[run(created_at=NOW)])


@pytest.mark.parametrize("rows", [Database(), small()], ids=["nothing", "something"])
async def test_every_figure_is_the_apis_and_a_dash_where_nothing_is_known(
    database: asyncpg.Connection, serve: Serve, rows: Database
) -> None:
    await insert(database, rows)
    async with serve(NOW) as client:
        page, figures = await board(client), await summary(client)
    shown = [each for each in page.all(data_figure="") if not each["data-figure"].startswith("failures.")]
    assert {each["data-figure"].partition(".")[0] for each in shown} == set(SECTIONS)
    for each in shown:
        section, name = each["data-figure"].split(".")
        value = shown_figure(figures, section, name)
        if value is None:
            assert (each.tag, each.text) == ("span", "– (no data)")
        else:
            assert (each.tag, each["value"]) == ("data", str(value))
            assert (
                float(each.text.rstrip(" %").replace(",", ""))
                == (100 if name.endswith("_rate") else 1) * value
            )


async def test_a_trend_has_words_and_no_zero_for_a_day_without_data(
    database: asyncpg.Connection, serve: Serve
) -> None:
    await insert(database, small())
    async with serve(NOW) as client:
        page = await board(client)
    shares = [
        list(row.all("td"))[-1].text for row in page.one(id="doc_sync-table").all("tr") if any(row.all("td"))
    ]
    assert shares == [*["no data"] * 7, "50.0 %"]


async def test_a_failed_job_without_attempts_or_date_shows_dashes(
    database: asyncpg.Connection, serve: Serve
) -> None:
    nulls: dict[str, Any] = {"attempt_count": None, "max_attempts": None, "last_error": None, "payload": {}}
    await insert(database, Database(jobs=[job(status="failed", **nulls, created_at=NOW)]))
    await database.execute("UPDATE meta_conversion_jobs SET created_at = 'infinity'")
    async with serve(NOW) as client:
        page = await board(client)
    (row,) = page.one(id="failed-jobs").one("tbody").all("tr")
    created_at, site, _, document, attempts, error, _ = (cell.text.strip() for cell in row.all("td"))
    assert (created_at, site, document, attempts, error) == ("–", "–", "–", "–/–", "–")


async def test_a_chip_says_of_each_rate_whether_it_is_fine_past_its_limit_or_not_known(
    database: asyncpg.Connection, serve: Serve
) -> None:
    async with serve(NOW) as client:
        nothing = chips(await board(client))
    await insert(database, small())
    limits = {"slo_workflow_failed_rate_critical": 0.5, "slo_doc_sync_dead_letter_rate_critical": 0.4}
    async with serve(NOW) as client:
        warned = chips(await board(client))
    async with serve(NOW, **limits) as client:
        critical = chips(await board(client))
    async with serve(NOW, redis_url=nowhere("redis")) as client:
        away = chips(await board(client))
    assert list(nothing.values()) == ["No data", "No data", "No data", "", "No data"]
    assert list(warned.values()) == ["Warning", "Within its limit", "No data", "", "No data"]
    assert list(critical.values()) == ["Critical", "Within its limit", "No data", "", "No data"]
    assert list(away.values()) == ["Warning", "Within its limit", "No data", "", "Not available"]


async def test_a_rate_of_few_rows_is_too_few_to_judge_and_never_green(
    database: asyncpg.Connection, serve: Serve
) -> None:
    await insert(database, small())
    least = {"slo_doc_sync_min_jobs": 3, "slo_workflow_min_runs": 2, "slo_breakage_min_incidents": 1}
    async with serve(NOW, **least) as client:
        few = await board(client)
    async with serve(NOW, **{**least, "slo_workflow_min_runs": 1}) as client:
        some = await board(client)
    too_few = "Too few to judge"
    assert list(chips(few).values()) == [too_few, too_few, "No data", "", "No data"]
    assert list(chips(some).values()) == [too_few, "Within its limit", "No data", "", "No data"]
    assert [page.one("html")["data-state"] for page in (few, some)] == ["none", "ok"]
    assert not [each for each in few.all() if "ok" in each.classes or "icon-ok" in each.classes]
    assert "2 of 4 rates have too few rows to judge." in few.one(id="state").text
    assert "1 of 4 have too few rows." in some.one(id="alerts").text


async def test_a_mean_of_nothing_and_a_cache_that_nobody_reports_are_dashes(
    database: asyncpg.Connection, serve: Serve
) -> None:
    async with serve(NOW) as client:
        page = await board(client)
    for name in ("doc_sync.avg_attempt_count", *(f"overlay_cache.{each}" for each in CACHE_SETTINGS)):
        assert page.one(data_figure=name).text == "– (no data)"
    assert page.one(data_figure="overlay_cache.requests").text == "0"
    for name in ("consumption_templates", "overlay_cache"):
        assert [cell.text for cell in page.one(id=name).one("tbody").all("td")] == ["no data"]


async def test_a_panel_shows_the_limit_that_it_is_past(database: asyncpg.Connection, serve: Serve) -> None:
    await insert(database, small())
    limits = {"slo_doc_sync_dead_letter_rate_warn": 0.1, "slo_doc_sync_dead_letter_rate_critical": 0.4}
    async with serve(NOW, **limits) as client:
        critical = await board(client)
    async with serve(NOW, **limits | {"slo_doc_sync_dead_letter_rate_critical": 0.6}) as client:
        warned = await board(client)
    for page, limit in ((critical, "limit 40 %"), (warned, "limit 10 %")):
        panel, alert = page.one("section", id="doc_sync"), page.one(id="alert-doc_sync_dead_letter_rate_high")
        assert panel.one(class_="main").one(class_="limit").text == alert.one(class_="limit").text == limit
        assert panel.one(class_="k-limit").text == limit


async def test_alerts_are_in_the_order_of_the_panels_the_critical_ones_first(
    database: asyncpg.Connection, serve: Serve, redis: Redis
) -> None:
    open_ones = [incident(status="open", created_at=NOW)]
    failed = [run(status="failed", created_at=NOW)]
    await insert(database, Database(jobs=small().jobs, runs=failed, incidents=open_ones))

    async def alerts(**limits: float) -> list[str]:
        async with serve(NOW, **limits) as client:
            await redis.hset(f"parallel-ops:{{-}}:overlay:counts:{NOW:%Y-%m-%d}", "00:misses", "20")
            page = await board(client)
        return [link["href"] for link in page.one(class_="alerts").all("a")]

    order = ["#failed-jobs", "#failed-runs", "#open-incidents", "#overlay_cache"]
    assert await alerts() == order
    critical = {"slo_overlay_cache_hit_rate_critical": 0.5, "slo_workflow_failed_rate_critical": 0.5}
    assert await alerts(**critical) == ["#failed-runs", "#overlay_cache", "#failed-jobs", "#open-incidents"]


async def test_counters_that_cannot_be_had_are_no_zeros(database: asyncpg.Connection, serve: Serve) -> None:
    async with serve(NOW, redis_url=nowhere("redis")) as client:
        page = await board(client)
    overlay = page.one("section", id="overlay_cache")
    (figure,) = overlay.all(data_figure="")
    assert (figure.tag, figure.text) == ("span", "–")
    assert not list(overlay.all("data"))
    assert "The counters cannot be read from Redis." in overlay.text
    assert [badge.text for badge in page.one(id="state-h").all(class_="badge")] == ["Stale", "Degraded"]


@pytest.mark.parametrize(("age", "is_stale"), [(0, False), (45, False), (46, True), (59, True)], ids=str)
async def test_figures_older_than_three_refreshes_are_called_stale(
    database: asyncpg.Connection, serve: Serve, age: int, is_stale: bool
) -> None:
    clock = Clock(NOW)
    async with serve(clock, statement_timeout_seconds=100) as client:
        await board(client)
        async with held_jobs(database):
            clock.now += age
            page = await board(client)
    html = page.one("html")
    assert ("data-stale" in html.attributes, html["data-state"] == "stale") == (is_stale, is_stale)
    assert page.one("title").text.startswith("Stale · ") is is_stale
    assert ("icon-stale." in page.one(id="icon")["href"]) is is_stale


async def test_stale_figures_lead_to_their_section_of_the_runbook(
    database: asyncpg.Connection, serve: Serve
) -> None:
    async with serve(NOW) as client:
        page = await board(client, lang="zh", theme="dark")
        address, _, section = page.one(id="runbook")["href"].partition("#")
        response = await client.get(address)
    assert response.status_code == 200
    assert response.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    manual = page_of(response.text)
    assert (manual.one("html")["lang"], manual.one("html")["data-theme"]) == ("zh-CN", "dark")
    assert manual.one("h2", id=section).text == "ParallelOpsFiguresStale"
    targets = {heading["id"] for tag in ("h1", "h2", "h3") for heading in manual.all(tag)}
    links = [link["href"] for link in manual.one("main").all("a")]
    assert len(links) > 2
    assert {link.removeprefix("#") for link in links} <= targets


@pytest.mark.parametrize("error", [HOSTILE, LONG, "x" * 5000 + HOSTILE], ids=["short", "lines", "long"])
async def test_html_in_an_error_is_text(database: asyncpg.Connection, serve: Serve, error: str) -> None:
    failed = {"status": "failed", "last_error": error, "created_at": NOW}
    await insert(database, Database(jobs=[job(**failed)], runs=[run(**failed)]))
    async with serve(NOW) as client:
        page = await board(client)
    assert not list(page.all("img")) + list(page.all("b"))
    for name in ("failed-jobs", "failed-runs"):
        listed = page.one(id=name)
        first = error.partition("\n")[0]
        shown = listed.one(class_="error").text
        assert shown == (error if error == HOSTILE else first[:200] + " …")
        assert [pre.text for pre in listed.all("pre")] == ([] if error == HOSTILE else [error])


async def test_html_anywhere_in_the_data_is_text(
    database: asyncpg.Connection, serve: Serve, redis: Redis
) -> None:
    short = HOSTILE[:30]
    at = {"created_at": NOW}
    rows = Database(
        jobs=[
            job(
                id=HOSTILE,
                payload={"site_id": HOSTILE},
                task_type=f"document_sync_{short}",
                status="failed",
                **at,
            ),
            job(status=short[:20], **at),
        ],
        runs=[
            run(
                **{"id": HOSTILE, "rule_id": HOSTILE, "target_object": HOSTILE, "status": "failed"},
                **{"from_state": HOSTILE, "to_state": HOSTILE, "trigger_phase": short},
                **{"result": {"result_code": HOSTILE}},
                **at,
            ),
            run(status=short, **at),
        ],
        incidents=[
            incident(severity=short, responsibility=HOSTILE, status=short, **at),
            incident(description=HOSTILE, responsibility=HOSTILE, severity=short, status="open", **at),
        ],
        plans=[template(HOSTILE)],
    )
    await insert(database, rows)
    async with serve(NOW) as client:
        page = await board(client)
        filtered = await board(client, site_id=HOSTILE, target_object=HOSTILE, template_key=HOSTILE)
    for each in (page, filtered):
        assert not list(each.all("img")) + list(each.all("b"))
        assert not [found for found in each.all() for name in found.attributes if name.startswith("on")]
        assert HOSTILE in each.one(id="failed-jobs").text
        assert each.one(id="failed-runs").one("tbody").text.count(HOSTILE) == 6
        assert HOSTILE in each.one(id="open-incidents").text
        assert HOSTILE in each.one(id="consumption_templates").text
        assert HOSTILE in each.one(id="breakages").text


async def test_html_in_the_address_is_text(database: asyncpg.Connection, serve: Serve) -> None:
    filters = {"site_id": HOSTILE, "target_object": HOSTILE, "template_key": HOSTILE}
    async with serve(NOW) as client:
        page = await board(client, **filters)
        refused = await client.get("/", params={"window_days": HOSTILE})
    assert not list(page.all("img")) + list(page.all("b"))
    assert [page.one(id=name)["value"] for name in filters] == [HOSTILE] * 3
    for link in ("window-30", "lang-zh", "theme-dark", "export-csv"):
        query = parse_qs(urlsplit(page.one(id=link)["href"]).query)
        assert [query[name] for name in filters] == [[HOSTILE]] * 3
    assert refused.status_code == 400
    assert not list(page_of(refused.text).all("img"))


async def test_a_language_far_behind_in_a_long_header_is_not_looked_for(
    database: asyncpg.Connection, serve: Serve
) -> None:
    async with serve(NOW) as client:
        for header, language in (("zh," + "x," * 50_000, "zh-CN"), ("x," * 50_000 + "zh", "en")):
            page = await client.get("/", headers={"accept-language": header})
            assert f'<html lang="{language}"' in page.text
