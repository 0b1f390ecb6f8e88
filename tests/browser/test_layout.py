"""The board fits any screen, with no word broken and no slot empty; on paper it is light and complete."""

import pytest
from playwright.async_api import Page, expect

WIDTHS = (390, 740, 820, 1024, 1100, 1312, 1440, 2560)
# Rectangles of each text's characters: a word that is on two lines has more than one top.
BROKEN = """() => {
    const found = [];
    const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        if (!node.parentElement.checkVisibility() || node.parentElement.closest(".sr, .wide, svg")) continue;
        for (const word of node.data.matchAll(/[A-Za-z0-9_]+/g)) {
            const range = document.createRange();
            range.setStart(node, word.index);
            range.setEnd(node, word.index + word[0].length);
            const tops = new Set([...range.getClientRects()].map((each) => Math.round(each.top)));
            if (tops.size > 1) found.push(word[0]);
        }
    }
    return found;
}"""
LINES = """(selector) => [...document.querySelectorAll(selector)].map((one) => {
    const range = document.createRange();
    range.selectNodeContents(one);
    return new Set([...range.getClientRects()].map((each) => Math.round(each.top))).size;
})"""
BOXES = """() => [...document.querySelectorAll(".panel")].map((one) => {
    const box = one.getBoundingClientRect();
    return [box.left, box.top, box.right, box.bottom].map(Math.round);
})"""


async def resized(page: Page, width: int) -> None:
    """The page in a window of that width."""
    await page.set_viewport_size({"width": width, "height": 900})


@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_no_word_is_broken_and_an_id_has_one_line(page: Page, board: str, lang: str) -> None:
    await page.goto(f"{board}/?window_days=14&lang={lang}")
    for width in WIDTHS:
        await resized(page, width)
        assert await page.evaluate(BROKEN) == [], width
        for selector in (".rows .id code", ".axis"):
            assert set(await page.evaluate(LINES, selector)) == {1}, width
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width


async def test_the_panels_leave_no_slot_empty(page: Page, board: str) -> None:
    """What they cover is all of their rectangle but the gaps between them."""
    await page.goto(board)
    for width in WIDTHS:
        await resized(page, width)
        boxes = await page.evaluate(BOXES)
        left, top = (min(box[n] for box in boxes) for n in (0, 1))
        right, bottom = (max(box[n] for box in boxes) for n in (2, 3))
        covered = sum((box[2] - box[0]) * (box[3] - box[1]) for box in boxes)
        assert covered > 0.9 * (right - left) * (bottom - top), width


async def test_the_board_is_not_longer_than_it_must_be(page: Page, board: str) -> None:
    await page.goto(f"{board}/?window_days=14")
    assert await page.locator(".rows tbody tr").count() == 30
    for width, most in ((390, 7250), (740, 4900), (820, 4700), (1024, 4100)):
        await resized(page, width)
        assert await page.evaluate("document.documentElement.scrollHeight") < most, width


async def test_on_paper_it_is_light_and_says_which_window_and_filters(page: Page, board: str) -> None:
    await page.emulate_media(media="print", color_scheme="dark")
    for theme in ("", "&theme=dark"):
        await page.goto(f"{board}/?window_days=30&site_id=S2{theme}")
        await expect(page.locator("html")).to_have_css("background-color", "rgb(255, 255, 255)")
        printed = page.locator("#printed")
        await expect(printed).to_be_visible()
        await expect(printed).to_contain_text("Window: 30 d")
        await expect(printed).to_contain_text("Site: S2")
        await expect(page.locator("#controls")).to_be_hidden()
        assert all([await error.is_visible() for error in await page.locator(".rows .error").all()])
    await page.emulate_media(media="screen", color_scheme="dark")
    await expect(page.locator("html")).to_have_css("background-color", "rgb(13, 16, 21)")
    await expect(page.locator("#printed")).to_be_hidden()
