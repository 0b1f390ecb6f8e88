"""The trends answer to the mouse, to fingers and to keys, and show a failing stretch to every eye."""

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.chromium import answer
from tests.support.api import PREFIX

FORTNIGHT = "/?window_days=14"
LIMIT = 0.02
# A strip's pixels as numbers, little-endian ABGR, of a copy: Chromium warns of reading the canvas itself.
COPY = """
    const canvas = document.querySelector(`${selector} canvas`);
    const { width, height } = canvas;
    const copy = Object.assign(document.createElement("canvas"), { width, height });
    const pen = copy.getContext("2d", { willReadFrequently: true });
    pen.drawImage(canvas, 0, 0);
    const pixels = new Uint32Array(pen.getImageData(0, 0, width, height).data.buffer);
    const wanted = (name) => {
        const probe = canvas.parentElement.appendChild(document.createElement("i"));
        probe.style.color = `var(${name})`;
        const [r, g, b] = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
        probe.remove();
        return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
    };
"""
# Whether some pixels of a strip have exactly the colours that variables of the stylesheet stand for.
DRAWN = f"""([selector, names]) => {{ {COPY}
    const drawn = (colour) => pixels.filter((pixel) => pixel === colour).length > 20;
    return names.map(wanted).every(drawn);
}}"""
# Whether each column has a roof: its colour just under the top of the plotting area.
ROOFS = f"""([selector, count]) => {{ {COPY}
    const over = document.querySelector(`${{selector}} .u-over`);
    const ratio = width / canvas.clientWidth;
    const line = Math.round((over.offsetTop + 1) * ratio) * width;
    return Array.from({{ length: count }}, (_, n) => {{
        const x = Math.round((over.offsetLeft + (over.clientWidth * (n + 0.5)) / count) * ratio);
        return pixels[line + x] === wanted("--past");
    }});
}}"""
UPPER = "#workflow_actions .strip"


async def middle(plot: Locator, place: int) -> tuple[float, float]:
    """Where on the screen the column of a point is."""
    box = await plot.locator(".u-over").first.bounding_box()
    assert box is not None
    return box["x"] + box["width"] * (place + 0.5) / (await last(plot) + 1), box["y"] + box["height"] / 2


async def last(plot: Locator) -> int:
    """The place of the newest point."""
    return int(await plot.get_attribute("aria-valuemax") or 0)


async def row(page: Page, panel: str, place: int) -> dict[str, str]:
    """What the table says of a point."""
    table = page.locator(f"#{panel} .points")
    names = await table.locator("thead th").all_text_contents()
    texts = await table.locator("tbody tr").nth(place).locator("th, td").all_text_contents()
    return dict(zip(names, texts, strict=True))


async def tip(page: Page, panel: str) -> dict[str, str]:
    """What stands beside the point that is shown."""
    shown = page.locator(f"#{panel} .tip")
    await expect(shown).to_be_visible()
    pairs = [await shown.locator(tag).all_text_contents() for tag in ("dt", "dd")]
    return dict(zip(*pairs, strict=True))


async def past(page: Page, board: str) -> list[bool]:
    """Which points of the runs are past their limit, by the API."""
    trends = await answer(page, f"{board}{PREFIX}/trends?window_days=14&align=clock")
    rates = [point["workflow_actions"]["failed_rate"] for point in trends["points"]]
    return [rate is not None and rate > LIMIT for rate in rates]


@pytest.mark.parametrize("width", [1440, 820, 390])
@pytest.mark.parametrize("dress", ["&lang=en&theme=light", "&lang=zh&theme=dark"])
async def test_pointing_at_a_chart_shows_the_figures_of_that_point(
    page: Page, board: str, dress: str, width: int
) -> None:
    await page.set_viewport_size({"width": width, "height": 900})
    await page.goto(f"{board}{FORTNIGHT}{dress}")
    plot = page.locator("#doc_sync-plot")
    await plot.scroll_into_view_if_needed()
    for place in (0, 6, 7, await last(plot)):
        await page.mouse.move(*await middle(plot, place))
        assert await tip(page, "doc_sync") == await row(page, "doc_sync", place)
        box = await page.locator("#doc_sync .tip").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.mouse.move(0, 0)
    await expect(page.locator("#doc_sync .tip")).to_be_hidden()


@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_arrow_keys_go_from_point_to_point_and_say_each(page: Page, board: str, lang: str) -> None:
    await page.emulate_media(reduced_motion="reduce")
    await page.goto(f"{board}{FORTNIGHT}&lang={lang}")
    words = {"en": "past its limit", "zh": "超过上限"}[lang]
    failing = await past(page, board)
    plot = page.locator("#workflow_actions-plot")
    await plot.focus()
    end = await last(plot)
    keys = {"": end, "ArrowRight": end, "ArrowLeft": end - 1, "ArrowDown": end - 2}
    keys |= {"Home": 0, "ArrowUp": 1, "End": end}
    for key, place in keys.items():
        if key:
            await page.keyboard.press(key)
        await expect(plot).to_have_attribute("aria-valuenow", str(place))
        shown = await row(page, "workflow_actions", place)
        assert await tip(page, "workflow_actions") == shown
        said = [f"{name} {text}" for name, text in shown.items()] + [words] * failing[place]
        await expect(plot).to_have_attribute("aria-valuetext", "; ".join(said))
        await expect(page.locator("#workflow_actions .tip p")).to_have_count(int(failing[place]))
    assert await page.evaluate("document.getAnimations().length") == 0
    await page.keyboard.press("Escape")
    await expect(page.locator("#workflow_actions .tip")).to_be_hidden()
    await expect(plot).to_be_focused()


async def test_a_finger_shows_a_point_and_leaves_it_until_it_touches_elsewhere(
    chromium: Browser, board: str
) -> None:
    context = await chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = await context.new_page()
    await page.goto(f"{board}{FORTNIGHT}")
    plot = page.locator("#breakages-plot")
    await plot.scroll_into_view_if_needed()
    session = await context.new_cdp_session(page)
    for kind, place in (("touchStart", 4), ("touchMove", 6), ("touchMove", 9), ("touchEnd", None)):
        points = [] if place is None else [dict(zip("xy", await middle(plot, place), strict=True))]
        await session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    assert await tip(page, "breakages") == await row(page, "breakages", 9)

    await page.touchscreen.tap(5, 5)
    await expect(page.locator("#breakages .tip")).to_be_hidden()
    await page.touchscreen.tap(*await middle(plot, 3))
    assert await tip(page, "breakages") == await row(page, "breakages", 3)
    await context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_a_failing_stretch_has_a_roof_and_is_counted_in_words(
    page: Page, board: str, theme: str
) -> None:
    await page.goto(f"{board}{FORTNIGHT}&theme={theme}")
    failing = await past(page, board)
    assert 0 < sum(failing) < len(failing)
    await expect(page.locator("#workflow_actions .live")).to_be_visible()
    assert await page.evaluate(ROOFS, [UPPER, len(failing)]) == failing
    key = page.locator("#workflow_actions .k-past")
    await expect(key).to_have_text(f"past its limit in {sum(failing)} of {len(failing)}")
    await expect(key).to_be_visible()


async def test_it_is_drawn_in_the_colours_of_the_theme_and_follows_them(page: Page, board: str) -> None:
    await page.goto(f"{board}{FORTNIGHT}")
    seen = set()
    for scheme in ("light", "dark", "light"):
        await page.emulate_media(color_scheme=scheme)
        for strip, names in ((UPPER, ["--accent", "--past"]), (f"{UPPER} ~ .strip", ["--bar", "--critical"])):
            await page.wait_for_function(DRAWN, arg=[strip, names], polling=200)
        seen.add(await page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--bar')"))
    assert len(seen) == 2


async def test_it_is_drawn_in_the_colours_that_a_reader_forces_on_all_pages(page: Page, board: str) -> None:
    await page.emulate_media(forced_colors="active", color_scheme="dark")
    await page.goto(f"{board}{FORTNIGHT}&theme=light")
    await page.wait_for_function(DRAWN, arg=[UPPER, ["--accent", "--past"]], polling=200)
    ground = await page.evaluate(
        "getComputedStyle(document.querySelector('#workflow_actions')).backgroundColor"
    )
    assert ground == "rgb(0, 0, 0)"
    await expect(page.locator("#workflow_actions-plot")).to_have_css("--past", "CanvasText")


async def test_another_width_is_another_drawing(page: Page, board: str) -> None:
    await page.goto(f"{board}{FORTNIGHT}")
    fits = """() => [...document.querySelectorAll(".plot")].every((plot) =>
        [...plot.querySelectorAll(".strip")].every((strip) => strip.clientWidth === plot.clientWidth))"""
    for width in (1440, 390, 820):
        await page.set_viewport_size({"width": width, "height": 900})
        await page.wait_for_function(fits)


async def test_without_scripts_it_is_the_picture_and_the_table(chromium: Browser, board: str) -> None:
    context = await chromium.new_context(java_script_enabled=False, locale="en-GB")
    page = await context.new_page()
    await page.goto(f"{board}{FORTNIGHT}")
    panel = page.locator("#workflow_actions")
    for part in (".plot svg", ".axis.top", ".dates", ".k-line"):
        await expect(panel.locator(part)).to_be_visible()
    await expect(panel.locator(".k-past")).to_be_hidden()
    await expect(panel.locator(".strip, .tip, [role=slider], .plot[tabindex]")).to_have_count(0)
    await panel.locator("#workflow_actions-table-s").click()
    await expect(panel.locator(".points tbody tr")).to_have_count(len(await past(page, board)))
    await context.close()


async def test_without_the_library_it_is_the_picture(chromium: Browser, board: str) -> None:
    context = await chromium.new_context()
    page = await context.new_page()
    await page.route("**/uPlot.*.js", lambda route: route.abort())
    async with page.expect_event("pageerror"):
        await page.goto(f"{board}{FORTNIGHT}")
    for part in (".plot svg", ".axis.top", ".dates"):
        await expect(page.locator(f"#breakages {part}")).to_be_visible()
    await expect(page.locator(".live, .tip")).to_have_count(0)
    await context.close()


async def test_on_paper_it_is_the_picture_that_the_server_drew(page: Page, board: str) -> None:
    await page.goto(f"{board}{FORTNIGHT}&theme=dark")
    panel = page.locator("#workflow_actions")
    await page.locator("#workflow_actions-plot").focus()
    await expect(panel.locator(".tip")).to_be_visible()
    await expect(panel.locator(".plot svg")).to_be_hidden()
    await page.emulate_media(media="print")
    for part in (".plot svg", ".axis.top", ".dates"):
        await expect(panel.locator(part)).to_be_visible()
    for part in (".strip >> nth=0", ".strip >> nth=1", ".tip", ".k-past"):
        await expect(panel.locator(part)).to_be_hidden()


async def test_nothing_that_a_chart_does_is_against_the_policy(chromium: Browser, board: str) -> None:
    context = await chromium.new_context()
    page = await context.new_page()
    await page.add_init_script(
        "window.found = [];"
        " addEventListener('securitypolicyviolation', (one) => found.push(one.effectiveDirective))"
    )
    await page.goto(f"{board}{FORTNIGHT}")
    await page.locator("#doc_sync-plot").focus()
    await page.keyboard.press("ArrowLeft")
    await page.mouse.move(*await middle(page.locator("#breakages-plot"), 3))
    await page.click("#window-30")
    await page.wait_for_url("**window_days=30")
    await page.locator("#doc_sync-plot").focus()
    await expect(page.locator("#doc_sync .tip")).to_be_visible()
    # That one made on purpose is the only one shows that they are seen.
    await page.evaluate("document.body.setAttribute('style', 'color: red')")
    await page.wait_for_function("found.length > 0")
    assert await page.evaluate("found") == ["style-src-attr"]
    await context.close()
