"""With authentication on, the board asks for the token that the API takes."""

from collections.abc import Generator
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import Browser, Page, Route, expect

from service.settings import Settings
from tests.support.api import PREFIX
from tests.support.builders import Database
from tests.support.served import served
from tests.support.tokens import SECRET, claims, token

FETCH = """
async (address) => {
    const answer = await fetch(address);
    return [answer.status, (await answer.json()).operator_id ?? null];
}
"""


@pytest.fixture
def patient(settings: Settings, rows: Database) -> Generator[str]:
    """The same, whose answers may be kept for long."""
    with served(settings, auth="required", jwt_secret=SECRET, refresh_seconds="3600") as address:
        yield address


@pytest.fixture
def guarded(settings: Settings, rows: Database) -> Generator[str]:
    """The address of a service that lets nobody in without a token."""
    with served(settings, auth="required", jwt_secret=SECRET, refresh_seconds="2") as address:
        yield address


async def test_a_token_opens_the_view_that_was_asked_for_and_signing_out_closes_it(
    page: Page, guarded: str
) -> None:
    response = await page.goto(f"{guarded}/?window_days=30")
    assert response is not None
    assert response.status == 401
    await page.fill("#token", token())
    await page.click("#sign-in")
    await expect(page.locator("#window-30")).to_have_attribute("aria-current", "true")

    (cookie,) = await page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    async with page.expect_download() as download:
        await page.click("#export-md")
    assert not await (await download.value).failure()

    await page.click("#sign-out")
    await expect(page.locator("#token")).to_be_visible()
    assert await page.context.cookies() == []


async def test_a_bad_token_is_refused_with_a_reason(page: Page, guarded: str) -> None:
    await page.goto(guarded)
    await page.fill("#token", "not a token")
    await page.click("#sign-in")
    await expect(page.locator("#reason")).to_contain_text("the bearer token is not valid")
    await page.fill("#token", token(claims(exp=1)))
    await page.click("#sign-in")
    await expect(page.locator("#reason")).to_contain_text("the bearer token has expired")
    await page.goto(f"{guarded}/sign-in")
    assert page.url == f"{guarded}/"
    assert await page.context.cookies() == []


async def test_no_answer_of_the_api_outlives_who_it_was_for(page: Page, patient: str) -> None:
    """Within one tick, in one browser that keeps answers as long as they say."""
    asked = []
    for operator_id in ("7", None, "8"):
        if operator_id is not None:
            await page.goto(patient)
            await page.fill("#token", token(claims(sub=operator_id)))
            await page.click("#sign-in")
            await expect(page.locator("#figures")).to_be_visible()
        asked += [await page.evaluate(FETCH, f"{PREFIX}/summary") for _ in range(2)]
        if operator_id is not None:
            await page.click("#sign-out")
            await expect(page.locator("#token")).to_be_visible()
    assert asked == [[200, 7], [200, 7], [401, None], [401, None], [200, 8], [200, 8]]


async def test_a_sign_in_that_ends_meanwhile_is_told(page: Page, guarded: str) -> None:
    await page.goto(guarded)
    await page.fill("#token", token())
    await page.click("#sign-in")
    await expect(page.locator("#figures")).to_be_visible()
    await page.context.clear_cookies()
    await expect(page.locator("#problem")).to_contain_text("your sign-in has ended", timeout=20_000)


def test_the_cookie_is_good_for_reading_and_for_nothing_else(guarded: str) -> None:
    cookies = {"cookie": f"parallel_ops_token={token()}"}
    assert httpx.get(f"{guarded}{PREFIX}/summary", headers=cookies).status_code == 200
    assert httpx.post(f"{guarded}{PREFIX}/summary", headers=cookies).status_code == 401
    assert httpx.get(f"{guarded}{PREFIX}/summary").status_code == 401


async def test_over_plain_http_only_the_boards_own_forms_sign_in_and_out(
    chromium: Browser, guarded: str
) -> None:
    """Where browsers send no Sec-Fetch-Site, for they do not trust the wire."""
    board = guarded.replace("127.0.0.1", "board.test")
    context = await chromium.new_context(locale="en-GB")
    page = await context.new_page()
    form = '<form method="post" action="{}"><input name="token" value="{}"><button>Win</button></form>'

    async def evil(route: Route) -> None:
        address = board + urlsplit(route.request.url).path
        await route.fulfill(body=form.format(address, token(claims(sub="8"))), content_type="text/html")

    await context.route("http://evil.test/*", evil)

    async def lure(path: str) -> int:
        await page.goto(f"http://evil.test/{path}")
        async with page.expect_response(f"{board}/{path}") as answer:
            await page.click("button")
        return (await answer.value).status

    assert (await lure("sign-in"), await context.cookies()) == (400, [])
    await page.goto(board)
    await page.fill("#token", token())
    async with page.expect_request(f"{board}/sign-in") as sent:
        await page.click("#sign-in")
    await expect(page.locator("#figures")).to_be_visible()
    headers = await (await sent.value).all_headers()
    assert (headers.get("sec-fetch-site"), headers["origin"]) == (None, board)
    assert await lure("sign-out") == 400
    assert len(await context.cookies()) == 1
    await page.goto(board)
    await page.click("#sign-out")
    await expect(page.locator("#token")).to_be_visible()
    assert await context.cookies() == []
    await context.close()


def test_another_site_cannot_sign_anybody_in_or_send_them_elsewhere(guarded: str) -> None:
    form = {"token": token(), "next": "//evil.example/"}
    foreign = httpx.post(f"{guarded}/sign-in", data=form, headers={"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 400
    assert "set-cookie" not in foreign.headers
    own = httpx.post(f"{guarded}/sign-in", data=form, headers={"x-forwarded-proto": "https"})
    assert (own.status_code, own.headers["location"]) == (303, "/")
    assert "Secure" in own.headers["set-cookie"]
