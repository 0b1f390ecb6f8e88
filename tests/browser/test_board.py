"""The board as somebody on duty sees and uses it."""

import re

import httpx
import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.chromium import answer, figures, of_the_api
from tests.browser.texts import ERROR, HOSTILE
from tests.support.api import PREFIX

# What a browser receives for the page and all its files, packed.
MOST_BYTES = 120_000


async def test_every_figure_is_the_apis(page: Page, board: str) -> None:
    await page.goto(board)
    shown = await figures(page)
    assert len(shown) >= 20
    assert shown == await of_the_api(page)


async def test_shares_of_a_distribution_are_the_apis(page: Page, board: str) -> None:
    await page.goto(board)
    summary = await answer(page, f"{board}{PREFIX}/summary")
    for name, key in (("doc_sync", "by_status"), ("breakages", "by_severity")):
        for value, count in summary[name][key].items():
            shown = page.locator(f'[data-share="{name}.{key}.{value}"]')
            assert await shown.get_attribute("value") == str(count)


async def test_the_state_and_each_alert_with_its_limit_and_what_is_behind_it(page: Page, board: str) -> None:
    await page.goto(board)
    alerts = await answer(page, f"{board}{PREFIX}/alerts")
    assert alerts["status"] == "warning"
    await expect(page.locator("#state-h")).to_contain_text("Warning")
    await expect(page).to_have_title("Warning · Duty board")
    for hint in alerts["hints"]:
        await expect(page.locator(f"#alert-{hint['code']}")).to_contain_text("limit")
    await page.click("#alert-doc_sync_dead_letter_rate_high")
    await expect(page.locator("#failed-jobs")).to_be_in_viewport()


async def test_another_window_and_a_filter_are_in_the_address(page: Page, board: str) -> None:
    await page.goto(board)
    await page.click("#window-30")
    await page.wait_for_url("**/?window_days=30")
    assert await figures(page) == await of_the_api(page, window_days=30)

    await page.fill("#site_id", "S2")
    await page.press("#site_id", "Enter")
    await page.wait_for_url("**site_id=S2**")
    filtered = await of_the_api(page, window_days=30, site_id="S2")
    assert await figures(page) == filtered

    await page.reload()
    await expect(page.locator("#site_id")).to_have_value("S2")
    assert await figures(page) == filtered

    await page.go_back()
    await expect(page.locator("#site_id")).to_have_value("")
    assert await figures(page) == await of_the_api(page, window_days=30)


async def test_filters_suggest_what_the_data_holds(page: Page, board: str) -> None:
    await page.goto(board)
    await page.wait_for_function("document.querySelectorAll('#template_key-choices option').length > 0")
    for name, values in (
        ("site_id", [HOSTILE, "S1", "S2"]),
        ("target_object", ["ChangeRequest", "Part"]),
        ("template_key", [HOSTILE, "T-1", "T-2"]),
    ):
        options = page.locator(f"#{name}-choices option")
        assert [await option.get_attribute("value") for option in await options.all()] == values


async def test_failures_are_paged_with_the_whole_error_at_hand(page: Page, board: str) -> None:
    await page.goto(f"{board}/?window_days=90")
    listed = await answer(page, f"{board}{PREFIX}/doc-sync/failures?window_days=90&page_size=200")
    seen: list[str] = []
    while True:
        seen += await page.locator("#failed-jobs tbody .id").all_inner_texts()
        older = page.locator("#jobs_page-older")
        if not await older.count():
            break
        position = await page.evaluate("scrollY")
        first = await page.locator("#failed-jobs tbody .id").first.inner_text()
        await older.focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("#failed-jobs tbody .id").first).not_to_have_text(first)
        assert position <= await page.evaluate("scrollY")
    assert [text.strip() for text in seen] == [row["id"] for row in listed["jobs"]]

    await page.locator("#failed-jobs summary").first.click()
    assert await page.locator("#failed-jobs pre").first.inner_text() == ERROR


async def test_an_equal_error_leads_to_its_rows_and_back(page: Page, board: str) -> None:
    await page.goto(board)
    headline = ERROR.partition("\n")[0]
    await expect(page.locator("#jobs-error-1")).to_have_text(headline)
    await page.click("#jobs-error-1")
    await page.wait_for_url("**/?error=**")
    await expect(page.locator("#error")).to_have_value(headline)
    await expect(page.locator("#failed-runs .empty")).to_have_text(re.compile("Nothing that failed"))
    await page.click("#clear")
    await page.wait_for_url(f"{board}/")
    await expect(page.locator("#failed-runs .empty")).to_have_count(0)


async def test_the_trend_marks_its_partial_bucket_and_draws_no_zero_in_a_gap(page: Page, board: str) -> None:
    await page.goto(f"{board}/?window_days=30&bucket_days=7")
    weeks = await answer(page, f"{board}{PREFIX}/trends?window_days=30&bucket_days=7&align=clock")
    partial = [point["partial"] for point in weeks["points"]]
    await expect(page.locator("#doc_sync .plot .partial")).to_have_count(sum(partial))
    await expect(page.locator("#doc_sync .key")).to_contain_text(f"partial: {sum(partial)} of {len(partial)}")

    await page.goto(f"{board}/?window_days=14")
    trends = await answer(page, f"{board}{PREFIX}/trends?window_days=14&align=clock")
    rates = [point["doc_sync"]["dead_letter_rate"] for point in trends["points"]]
    assert None in rates
    await expect(page.locator("#doc_sync .plot .gap")).to_have_count(rates.count(None))
    line = await page.locator("#doc_sync .plot .line").get_attribute("d") or ""
    dots = (
        await page.locator("#doc_sync .plot .dot").get_attribute("d")
        if await page.locator("#doc_sync .plot .dot").count()
        else ""
    )
    assert line.count("M") + line.count("L") + (dots or "").count("M") == len(rates) - rates.count(None)
    cells = await page.locator("#doc_sync .points td:last-child").all_text_contents()
    assert [cell == "no data" for cell in cells] == [rate is None for rate in rates]


@pytest.mark.parametrize(
    ("link", "asked"),
    [
        *((f"#export-{kind}", f"summary/export?export_format={kind}") for kind in ("json", "csv", "md")),
        ("#export-trends-csv", "trends/export?export_format=csv&bucket_days=7&align=clock"),
    ],
)
async def test_exports_are_downloaded_with_the_same_filters(
    page: Page, board: str, link: str, asked: str
) -> None:
    await page.goto(f"{board}/?window_days=30&bucket_days=7&site_id=S2")
    async with page.expect_download() as download:
        await page.click(link)
    content = (await (await download.value).path()).read_bytes()
    address = f"{board}{PREFIX}/{asked}&window_days=30&site_id=S2"
    assert content == await (await page.request.get(address)).body()


async def test_limits_of_the_address_stay_until_one_goes_back(page: Page, board: str) -> None:
    await page.goto(f"{board}/?breakage_open_rate_warn=1")
    await expect(page.locator("#own-limits")).to_contain_text("100 % in place of 50 %")
    await expect(page.locator("#alert-breakage_open_rate_high")).to_have_count(0)
    await page.click("#window-30")
    await page.wait_for_url("**window_days=30**")
    await page.fill("#site_id", "S2")
    await page.press("#site_id", "Enter")
    await page.wait_for_url("**site_id=S2**")
    await expect(page.locator("#own-limits")).to_be_visible()
    await page.click("#configured-limits")
    await page.wait_for_url(f"{board}/?window_days=30&site_id=S2")
    await expect(page.locator("#own-limits")).to_have_count(0)
    await expect(page.locator("#alert-breakage_open_rate_high")).to_have_count(1)


async def test_a_week_by_the_hour_is_a_click_away(page: Page, board: str) -> None:
    await page.goto(board)
    await page.click("#bucket-1h")
    await page.wait_for_url("**/?bucket_hours=1")
    await expect(page.locator("#bucket-1h")).to_have_attribute("aria-current", "true")
    hours = await answer(page, f"{board}{PREFIX}/trends?bucket_hours=1")
    rows = page.locator("#doc_sync .points tbody tr")
    await expect(rows).to_have_count(len(hours["points"]))
    await page.locator("#doc_sync-plot").focus()
    await expect(page.locator("#doc_sync .tip")).to_contain_text(
        await rows.last.locator("th").text_content() or ""
    )
    await page.click("#window-30")
    await page.wait_for_url("**/?window_days=30")


async def test_a_worst_site_leads_to_its_own_board_and_one_comes_back(page: Page, board: str) -> None:
    await page.goto(board)
    link = page.locator("#doc_sync .places a").first
    name = await link.inner_text()
    await link.focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/?site_id=**")
    await expect(page.locator("#site_id")).to_have_value(name)
    assert await figures(page) == await of_the_api(page, site_id=name)
    await expect(page.locator("#doc_sync .places")).to_have_count(0)
    await expect(page.locator("#clear")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{board}/")
    await expect(page.locator("#doc_sync .places")).to_have_count(1)
    await expect(page.locator("#figures")).to_be_focused()


async def test_a_hostile_site_is_only_text(page: Page, board: str) -> None:
    await page.goto(board)
    await page.fill("#site_id", HOSTILE)
    await page.press("#site_id", "Enter")
    await page.wait_for_url("**site_id=**")
    await expect(page.locator("#site_id")).to_have_value(HOSTILE)
    assert await figures(page) == await of_the_api(page, site_id=HOSTILE)
    await expect(page.locator("#failed-jobs td", has_text=HOSTILE).first).to_be_visible()


async def test_it_speaks_the_readers_language_or_the_one_they_pick(chromium: Browser, board: str) -> None:
    context = await chromium.new_context(locale="zh-CN")
    page = await context.new_page()
    await page.goto(board)
    await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    await expect(page.locator("#state-h")).to_contain_text("警告")
    await expect(page.locator("#age")).to_contain_text("前")
    assert await figures(page) == await of_the_api(page)
    await page.click("#lang-en")
    await expect(page.locator("#state-h")).to_contain_text("Warning")
    await page.click("#window-30")
    await page.wait_for_url("**lang=en**")
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await context.close()


async def test_it_works_without_scripts(chromium: Browser, board: str) -> None:
    context = await chromium.new_context(java_script_enabled=False)
    plain = await context.new_page()
    await plain.goto(board)
    await plain.click("#window-30")
    await expect(plain.locator("#window-30")).to_have_attribute("aria-current", "true")
    await plain.locator("#failed-jobs summary").first.click()
    assert await plain.locator("#failed-jobs pre").first.inner_text() == ERROR
    await context.close()


async def test_an_address_that_makes_no_sense_says_so(page: Page, board: str) -> None:
    response = await page.goto(f"{board}/?window_days=8")
    assert response is not None
    assert response.status == 400
    await expect(page.locator("main")).to_contain_text("window_days must be one of: 1, 7, 14, 30, 90")
    await page.click("main a")
    await expect(page.locator("#figures")).to_be_visible()


@pytest.mark.parametrize("view", ["bucket_hours=1", "window_days=30", "window_days=90"])
def test_the_page_is_light(board: str, view: str) -> None:
    with httpx.Client(base_url=board) as client:
        page = client.get(f"/?{view}")
        files = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text))
        assert len(files) == 7
        answers = [page, *map(client.get, files)]
    assert sum(answer.num_bytes_downloaded for answer in answers) < MOST_BYTES


def test_the_policy_allows_nothing_inline(board: str) -> None:
    response = httpx.get(board)
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert " style=" not in response.text
    assert "<style" not in response.text


def test_a_page_that_has_not_changed_is_not_sent_again(board: str) -> None:
    first = httpx.get(board)
    again = httpx.get(board, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
