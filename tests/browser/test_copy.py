"""The report and the link of a view on the clipboard."""

from playwright.async_api import Browser, Page, expect

from tests.support.api import PREFIX

READ = "navigator.clipboard.readText()"


async def test_the_report_and_the_link_of_the_view_are_copied_by_keyboard_and_it_is_said(
    page: Page, board: str
) -> None:
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.goto(f"{board}/?lang=zh")
    await page.click("#window-30")
    await page.wait_for_url("**/?window_days=30&lang=zh")
    report = await page.request.get(f"{board}{PREFIX}/report?window_days=30&lang=zh")
    for what, said, copied in (
        ("report", "报告已复制到剪贴板。", await report.text()),
        ("link", "链接已复制到剪贴板。", page.url),
    ):
        await page.focus(f"#copy-{what}")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status").filter(has_text=said)).to_be_visible()
        assert await page.evaluate(READ) == copied
        await expect(page.locator(f"#copy-{what}")).to_be_focused()

    await page.route(f"**{PREFIX}/report**", lambda route: route.abort())
    await page.click("#copy-report")
    await expect(page.locator("#copied")).to_have_text("报告未能复制；可用按钮旁的链接打开。")


async def test_over_plain_http_and_without_scripts_the_report_is_at_hand(
    page: Page, chromium: Browser, board: str
) -> None:
    """Browsers have no clipboard for pages that are not secure, but for what is selected."""
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.add_init_script("delete globalThis.ClipboardItem")
    await page.goto(board)
    await page.click("#copy-report")
    await expect(page.locator("#copied")).to_have_text("The report is on the clipboard.")
    assert (await page.evaluate(READ)).startswith("# Parallel operations: report of ")

    context = await chromium.new_context(java_script_enabled=False)
    plain = await context.new_page()
    await plain.goto(f"{board}/?window_days=30")
    await expect(plain.locator("#copy-report")).to_be_hidden()
    await expect(plain.locator("#copy-link")).to_be_hidden()
    await plain.click("#report")
    await expect(plain.locator("body")).to_contain_text("# Parallel operations: report of ")
    assert plain.url == f"{board}{PREFIX}/report?window_days=30&lang=en"
    await context.close()
