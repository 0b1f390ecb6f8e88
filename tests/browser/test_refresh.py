"""The board on a wall: it follows the data, and never shows old figures as new."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from msgspec.structs import replace
from playwright.async_api import Page, Route, expect

from demo.process import free_port
from demo.run import reader_role_script
from demo.schema import create_schema
from demo.servers import Postgres, Valkey
from service.settings import Settings
from tests.browser.chromium import figures
from tests.support.addresses import reader_url
from tests.support.builders import Database, incident, insert, job, run
from tests.support.served import launched, served

PATIENCE = 30_000
TOP = "(element) => element.getBoundingClientRect().top"
FIRST_IN_SIGHT = """[...document.querySelectorAll("[data-part]")].find((part) => {
  return part.getBoundingClientRect().bottom > 0;
}).id"""
ALERTS = '<section id="alerts" data-part aria-labelledby="alerts-h">'


async def test_new_rows_appear_and_nothing_that_the_reader_did_is_lost(
    page: Page, lively: str, admin: asyncpg.Connection
) -> None:
    await page.goto(lively)
    await page.locator("#doc_sync-table-s").click()
    await page.locator("#failed-jobs summary").first.click()
    await page.fill("#site_id", "half typ")
    await page.mouse.move(0, 0)
    await page.evaluate("scrollTo(0, 700)")
    in_sight = page.locator(f"#{await page.evaluate(FIRST_IN_SIGHT)}")
    top = await in_sight.evaluate(TOP)
    before = await figures(page)

    await insert(admin, Database(jobs=[job(created_at=datetime.now(UTC)) for _ in range(5)]))
    total = page.locator('[data-figure="doc_sync.total"]')
    await expect(total).to_have_attribute(
        "value", str(int((before["doc_sync.total"] or 0) + 5)), timeout=PATIENCE
    )

    assert await in_sight.evaluate(TOP) == pytest.approx(top, abs=1)
    await expect(page.locator("#site_id")).to_be_focused()
    await expect(page.locator("#site_id")).to_have_value("half typ")
    assert await page.locator("#doc_sync-table").get_attribute("open") is not None
    assert await page.locator("#failed-jobs details").first.get_attribute("open") is not None


async def test_the_points_that_somebody_looks_at_stay(
    page: Page, lively: str, admin: asyncpg.Connection
) -> None:
    await page.goto(lively, wait_until="networkidle")  # what a former test has left is gone
    focused, pointed_at = page.locator("#breakages-plot"), page.locator("#workflow_actions-plot")
    await focused.focus()
    await page.keyboard.press("ArrowLeft")
    await pointed_at.hover()
    for plot in (focused, pointed_at):
        await expect(plot.locator(".tip")).to_be_visible()
        await plot.evaluate("(plot) => plot.dataset.before = ''")
    places = [await plot.get_attribute("aria-valuenow") or "" for plot in (focused, pointed_at)]
    assert len({*places, await focused.get_attribute("aria-valuemax")}) == 3
    now = datetime.now(UTC)
    await insert(admin, Database(runs=[run(created_at=now)], incidents=[incident(created_at=now)]))
    await expect(page.locator("#breakages-plot:not([data-before])")).to_be_focused(timeout=PATIENCE)
    await expect(focused).to_have_attribute("aria-valuenow", places[0])
    await expect(page.locator("#workflow_actions-plot:not([data-before])")).to_be_attached(timeout=PATIENCE)
    await expect(pointed_at).to_have_attribute("aria-valuenow", places[1])
    for plot in (focused, pointed_at):
        await expect(plot.locator(".tip")).to_be_visible()


async def test_a_chart_that_is_pointed_at_stays_under_the_pointer_when_the_page_above_it_grows(
    page: Page, board: str
) -> None:
    async def grow(route: Route) -> None:
        response = await route.fetch()
        page_with_more = (await response.text()).replace(ALERTS, ALERTS + 5 * '<p class="more">more</p>')
        await route.fulfill(response=response, body=page_with_more)

    await page.goto(board, wait_until="networkidle")
    plot = page.locator("#workflow_actions-plot")
    await plot.hover()
    top = await plot.evaluate(TOP)
    await page.route(board, grow)
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(page.locator("#alerts .more")).to_have_count(5)
    assert await plot.evaluate(TOP) == pytest.approx(top, abs=1)
    await expect(plot.locator(".tip")).to_be_visible()


async def test_it_stays_there_when_the_figures_get_old_and_are_fresh_again(page: Page, board: str) -> None:
    await page.clock.install()
    await page.goto(board, wait_until="networkidle")
    plot = page.locator("#workflow_actions-plot")
    await plot.hover()
    top = await plot.evaluate(TOP)
    await page.route(board, lambda route: route.abort())
    await page.clock.fast_forward("24:00:00")
    await expect(page.locator("#problem")).to_be_visible()
    await expect(page.locator(".badge.stale")).to_be_visible()
    assert await plot.evaluate(TOP) == pytest.approx(top, abs=1)
    await page.unroute(board)
    await page.clock.fast_forward("01:00:00")
    await expect(page.locator("#problem")).to_be_hidden()
    await expect(page.locator(".badge.stale")).to_be_hidden()
    assert await plot.evaluate(TOP) == pytest.approx(top, abs=1)
    await expect(plot.locator(".tip")).to_be_visible()


async def test_a_page_that_does_not_move_is_not_scrolled(page: Page, board: str) -> None:
    """That would stop whoever scrolls it just then."""
    await page.clock.install()
    await page.goto(board, wait_until="networkidle")
    await page.evaluate("() => { window.scrolls = []; window.scrollBy = (...by) => scrolls.push(by); }")
    age = await page.locator("#age").text_content()
    await page.clock.run_for("03:00")
    await expect(page.locator("#age")).not_to_have_text(age or "")
    assert await page.evaluate("scrolls") == []


async def with_one_job(postgres: Postgres) -> str:
    """Give a server the PLM's tables with one job of now; its address for the service."""
    connection = await asyncpg.connect(postgres.url)
    await create_schema(connection)
    await connection.execute(reader_role_script())
    await insert(connection, Database(jobs=[job(created_at=datetime.now(UTC))]))
    await connection.close()
    return reader_url(postgres)


async def test_postgresql_stopped_and_started_again(page: Page, own_folder: Path, settings: Settings) -> None:
    postgres = Postgres(own_folder / "postgres")
    postgres.start()
    try:
        own = replace(settings, database_url=await with_one_job(postgres))
        with served(own, refresh_seconds="1") as address:
            await page.goto(address)
            await expect(page.locator("html")).not_to_have_attribute("data-stale", "")
            # The Valkey may hold a former test's figures, which are shown until the first refresh.
            await expect(page.locator('[data-figure="doc_sync.total"]')).to_have_attribute("value", "1")
            postgres.stop()
            await expect(page.locator(".badge.stale")).to_be_visible(timeout=PATIENCE)
            await expect(page).to_have_title("Stale · Duty board")
            # Both at once: an answer made just before the stop may follow one that was old already.
            as_of, note = await page.evaluate(
                "['#as-of', '.stale-note'].map((part) => document.querySelector(part).innerText)"
            )
            assert as_of.split()[1] in note
            await expect(page.locator('[data-figure="doc_sync.total"]')).to_have_attribute("value", "1")
            postgres.start()
            await expect(page.locator(".badge.stale")).to_be_hidden(timeout=PATIENCE)
            await expect(page.locator("#as-of")).not_to_have_text(as_of)
            await expect(page.locator("#problem")).to_be_hidden()
    finally:
        postgres.kill()


async def test_a_filter_that_cannot_be_had_leaves_the_board_standing_with_a_note(
    page: Page, own_postgres: Postgres, settings: Settings
) -> None:
    own = replace(settings, database_url=await with_one_job(own_postgres))
    # With all of a core it is due again a second later, however long a busy machine took: what was read last
    # may do for any filter until then.
    with served(own, refresh_seconds="1", statement_timeout_seconds="1", database_share="1") as address:
        # The Valkey may hold a former test's figures, which look the same and are old.
        begun = 1000 * time.time()
        await page.goto(address)
        await page.wait_for_function(
            "begun => Date.parse(document.querySelector('#as-of').dateTime) >= begun", arg=begun
        )
        total, kept = page.locator('[data-figure="doc_sync.total"]'), page.locator("#kept")
        await expect(total).to_have_attribute("value", "1")
        own_postgres.pause()
        await expect(page.locator(".stale-note")).to_be_visible(timeout=PATIENCE)
        await asyncio.sleep(3)  # what was read since may do for any filter, until it is due again
        await page.fill("#site_id", "S1")
        await page.press("#site_id", "Enter")
        await expect(kept).to_be_visible(timeout=PATIENCE)
        await expect(kept).to_contain_text("the database has not answered in time")
        await expect(total).to_have_attribute("value", "1")
        await expect(page.locator("#site_id")).to_have_value("")
        assert page.url == f"{address}/"
        await expect(page.locator(".stale-note")).to_be_visible()
        await expect(page.locator("#problem")).to_be_hidden()
        async with page.expect_response(f"{address}/"):  # the old view, which does not take the note away
            pass
        await expect(kept).to_be_visible()
        await expect(page.locator("#runbook")).to_have_attribute("href", "/runbook#parallelopsfiguresstale")
        own_postgres.resume()
        await expect(page.locator(".stale-note")).to_be_hidden(timeout=PATIENCE)
        await page.click("#again")
        await page.wait_for_url("**site_id=S1", timeout=PATIENCE)
        await expect(kept).to_be_hidden()


async def test_without_figures_the_page_says_so_and_tries_again(page: Page, settings: Settings) -> None:
    nowhere = replace(
        settings,
        database_url=f"postgresql://nobody@127.0.0.1:{free_port()}/nothing",
        redis_url=f"redis://127.0.0.1:{free_port()}/0",
    )
    with served(nowhere, statement_timeout_seconds="1", refresh_seconds="1") as address:
        response = await page.goto(address)
        assert response is not None
        assert response.status == 503
        await expect(page.locator("h1")).to_have_text("No figures just now")


async def test_a_service_that_is_gone_is_told_with_the_time_and_found_again(
    page: Page, settings: Settings, rows: Database
) -> None:
    port = free_port()
    with launched(settings, port, refresh_seconds="1", drain_seconds="0") as process:
        await page.goto(f"http://127.0.0.1:{port}/")
        process.terminate()
        await asyncio.to_thread(process.wait)
        shown = await figures(page)
    problem = page.locator("#problem")
    await expect(page.locator(".badge.stale")).to_be_visible(timeout=PATIENCE)
    as_of = (await page.locator("#as-of").inner_text()).partition(" ")[2]
    await expect(problem).to_contain_text(f"has not been refreshed since {as_of}", timeout=PATIENCE)
    # Since when is said once, and the database is not to blame.
    await expect(page.locator(".stale-note .cause")).to_be_hidden()
    assert await figures(page) == shown
    with launched(settings, port, refresh_seconds="1"):
        await expect(problem).to_be_hidden(timeout=PATIENCE)
        await expect(page.locator(".badge.stale")).to_be_hidden(timeout=PATIENCE)


async def test_without_redis_the_overlay_cache_has_no_figures_instead_of_zeros(
    page: Page, own_folder: Path, settings: Settings, rows: Database
) -> None:
    valkey = Valkey(own_folder / "valkey")
    valkey.start()
    try:
        with served(replace(settings, redis_url=valkey.url), refresh_seconds="1") as address:
            await page.goto(address)
            await expect(page.locator("#overlay_cache dl")).to_be_visible()
            valkey.stop()
            await expect(page.locator("#state-h")).to_contain_text("Degraded", timeout=PATIENCE)
            await expect(page.locator("#overlay_cache .note")).to_contain_text("cannot be read from Redis")
            assert not [
                name
                for name, value in (await figures(page)).items()
                if name.startswith("overlay") and value is not None
            ]
            valkey.start()
            await expect(page.locator("#state-h")).not_to_contain_text("Degraded", timeout=PATIENCE)
    finally:
        valkey.kill()
