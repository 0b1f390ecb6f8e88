"""The page to read and try the API, in a browser: each call is there, and one is made."""

from playwright.async_api import Page, expect

from service.api.table import ENDPOINTS
from tests.support.api import PREFIX


async def test_every_call_is_there_and_can_be_made(page: Page, board: str) -> None:
    await page.goto(f"{board}/schema")
    await expect(page.locator(".opblock")).to_have_count(len(ENDPOINTS))
    await page.click("#operations-figures-alerts .opblock-summary-control")
    await page.click("#operations-figures-alerts .execute")
    shown = page.locator("#operations-figures-alerts .live-responses-table .response-col_description code")
    await expect(shown.first).to_contain_text('"by_code"')
    asked = await page.locator("#operations-figures-alerts .request-url pre").inner_text()
    assert asked.startswith(f"{board}{PREFIX}/alerts?window_days=7")
    assert "site_id" not in asked  # an example is none that is asked for unseen


async def test_all_that_is_on_it_is_allowed_and_ours(page: Page, board: str) -> None:
    """What the browser complains about, and other hosts, fail every test here."""
    await page.goto(f"{board}/schema")
    for summary in await page.locator(".opblock-summary-control").all():
        await summary.click()
    await expect(page.locator(".opblock-body")).to_have_count(await page.locator(".opblock").count())
    for example in await page.locator(".opblock-body .microlight, .opblock-body .highlight-code").all():
        await expect(example).not_to_be_empty()
