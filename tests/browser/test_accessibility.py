"""axe-core finds nothing serious, in any dress."""

from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from service.settings import Settings
from tests.support.builders import Database
from tests.support.served import served
from tests.support.tokens import SECRET


async def serious(page: Page) -> list[Any]:
    """What axe-core calls serious or critical: rule and places."""
    found = (await Axe().run(page)).response["violations"]
    return [
        (each["id"], [node["html"][:150] for node in each["nodes"]])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("width", [390, 820, 1440, 2560])
@pytest.mark.parametrize(
    "address", ["/?theme=light", "/?theme=dark&window_days=90", "/?lang=zh&site_id=NONE"]
)
async def test_nothing_serious_on_the_board(page: Page, board: str, address: str, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 900})
    await page.goto(board + address)
    await page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    await page.locator("#breakages-plot").focus()
    await expect(page.locator("#breakages .tip")).to_be_visible()
    assert await serious(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_nothing_serious_in_old_figures(page: Page, board: str) -> None:
    await page.goto(board)
    for theme in ("light", "dark"):
        await page.evaluate(
            "theme => { const root = document.documentElement;"
            " root.dataset.theme = theme; root.dataset.stale = '' }",
            theme,
        )
        assert await serious(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_nothing_serious_in_notices_and_in_the_runbook(page: Page, board: str, theme: str) -> None:
    for path in ("/nothing", "/runbook"):
        await page.goto(f"{board}{path}?theme={theme}&lang=zh")
        assert await serious(page) == []
    await page.goto(f"{board}/?theme={theme}")
    await page.evaluate("document.getElementById('kept').hidden = false")
    assert await serious(page) == []


async def test_nothing_serious_in_the_sign_in_form(page: Page, settings: Settings, rows: Database) -> None:
    with served(settings, auth="required", jwt_secret=SECRET) as address:
        await page.goto(address)
        assert await serious(page) == []


async def test_the_keyboard_reaches_everything_in_order(page: Page, board: str) -> None:
    await page.goto(board)
    await page.keyboard.press("Tab")
    await expect(page.locator(".skip")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await expect(page.locator("#window-1")).to_be_focused()


async def test_the_keyboard_goes_through_all_of_it_as_it_is_read(page: Page, board: str) -> None:
    await page.goto(board, wait_until="networkidle")
    count = await page.evaluate(
        """() => {
            const all = "a[href], button, input:not([type=hidden]), summary, [tabindex='0']";
            window.stops = [...document.querySelectorAll(all)].filter((one) => one.checkVisibility());
            return window.stops.length;
        }"""
    )
    assert count > 30
    reached = []
    for _ in range(count):
        await page.keyboard.press("Tab")
        reached.append(await page.evaluate("window.stops.indexOf(document.activeElement)"))
    assert reached == list(range(count))


async def test_every_chart_says_in_words_what_it_shows(page: Page, board: str) -> None:
    await page.goto(board)
    labels = [await chart.get_attribute("aria-label") for chart in await page.locator("svg[role=img]").all()]
    assert len(labels) == 3
    assert all(label and "highest" in label and "%" in label for label in labels)
    assert await page.locator("table.points").count() == 3
