"""What the board says where it shows no figures: in the language, the theme and the look of the address."""

import httpx
import pytest

from service.wording.words import words_in
from tests.support.api import PREFIX
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.html import Element, page_of
from tests.support.tokens import SECRET, claims, token

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
GUARDED = {"auth": "required", "jwt_secret": SECRET}
NOWHERE = ("/nothing", f"{PREFIX}/nothing", "/static/none.css")


def dress(page: Element) -> tuple[str, str]:
    """The language and the theme of a page."""
    html = page.one("html")
    return html["lang"], html.attributes.get("data-theme") or ""


@pytest.mark.parametrize("path", NOWHERE)
async def test_a_browser_that_finds_nothing_gets_a_page(serve: Serve, path: str) -> None:
    async with serve(NOW) as client:
        response = await client.get(f"{path}?lang=zh&theme=dark", headers=BROWSER)
    assert (response.status_code, response.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert response.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    assert response.headers["cache-control"] == "no-store"
    page = page_of(response.text)
    assert dress(page) == ("zh-CN", "dark")
    assert page.one("h1").text == "此处没有内容"
    assert f"没有此路径：{path}" in page.one("main").text
    assert page.one("a")["href"] == "/?lang=zh&theme=dark"


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, text/plain, */*", ""])
async def test_a_client_of_the_api_that_finds_nothing_gets_json(serve: Serve, accept: str) -> None:
    async with serve(NOW) as client:
        for path in NOWHERE:
            response = await client.get(path, headers={"accept": accept})
            assert (response.status_code, response.headers["content-type"]) == (404, "application/json")
            assert response.json()["detail"]["code"] == "parallel_ops_not_found"


async def test_what_else_is_refused_is_json_for_browsers_too(serve: Serve) -> None:
    async with serve(NOW) as client:
        for method, path, status in (("POST", "/", 405), ("GET", f"{PREFIX}/summary?window_days=2", 400)):
            response = await client.request(method, path, headers=BROWSER)
            assert (response.status_code, response.headers["content-type"]) == (status, "application/json")


async def test_a_path_is_only_text(serve: Serve) -> None:
    async with serve(NOW) as client:
        page = page_of((await client.get("/<b>%22%ff%0A", headers=BROWSER)).text)
    assert not list(page.all("b"))
    assert "no such path: /<b>" in page.one("main").text


async def test_a_browser_that_nobody_knows_is_asked_to_sign_in_anywhere(serve: Serve) -> None:
    async with serve(NOW, **GUARDED) as client:
        for path in ("/nothing", "/runbook"):
            response = await client.get(f"{path}?lang=zh", headers=BROWSER)
            assert (response.status_code, dress(page_of(response.text))[0]) == (401, "zh-CN")
            assert page_of(response.text).one("form")["action"] == "/sign-in"
        assert (await client.get("/nothing")).json()["detail"]["code"] == "parallel_ops_unauthorized"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("lang=zh&theme=dark&window_days=2", ("zh-CN", "dark")),
        ("lang=ZH&theme=x&window_days=2", ("zh-CN", "")),
        ("lang=xx&theme=light", ("en", "light")),
        ("lang=%ff&theme=dark", ("en", "dark")),
    ],
)
async def test_a_notice_keeps_the_dress_of_the_address(
    serve: Serve, query: str, expected: tuple[str, str]
) -> None:
    async with serve(NOW) as client:
        response = await client.get(f"/?{query}", headers={"accept-language": "en"})
    assert response.status_code == 400
    assert dress(page_of(response.text)) == expected


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("window_days=2", "window_days 只能是：1, 7, 14, 30, 90"),
        ("bucket_days=3", "bucket_days 只能是：1, 7, 14, 30"),
        ("bucket_days=14", "bucket_days 不能大于 window_days"),
        ("jobs_page=0", "page 不能小于 1"),
        ("site_id=" + "x" * 201, "site_id 最多 200 个字符"),
        ("site_id=%00", "site_id 不能包含 NUL 字符"),
        ("theme=blue", "theme 只能是：light, dark"),
        ("breakage_open_rate_warn=nan", "breakage_open_rate_warn 必须在 0 与 1 之间"),
        ("overlay_cache_min_requests_warn=-1", "overlay_cache_min_requests_warn 不能小于 0"),
    ],
)
async def test_a_notice_gives_its_reason_in_the_pages_language(serve: Serve, query: str, told: str) -> None:
    async with serve(NOW) as client:
        response = await client.get(f"/?{query}&lang=zh")
    assert response.status_code == 400
    assert told in page_of(response.text).one("main").text


def test_a_message_that_a_language_has_no_words_for_is_told_as_it_is() -> None:
    for language in ("en", "zh"):
        assert words_in(language)["said"]("{something} else") == "{something} else"


async def test_without_figures_the_notice_keeps_the_dress_too(serve: Serve) -> None:
    away = {"database_url": "postgresql://nobody@127.0.0.1:9/nothing", "statement_timeout_seconds": 0.2}
    async with serve(NOW, **away) as client:
        response = await client.get("/?lang=zh&theme=light&site_id=S1")
    assert response.status_code == 503
    page = page_of(response.text)
    assert dress(page) == ("zh-CN", "light")
    assert page.one("a")["href"] == "/?lang=zh&theme=light"


async def test_signing_in_keeps_the_dress_and_tells_its_reason_in_the_pages_language(serve: Serve) -> None:
    view = "/?window_days=30&lang=zh&theme=dark"
    async with serve(NOW, **GUARDED) as client:
        asked = page_of((await client.get(view)).text)
        pages = [asked]
        for text, reason in (
            ("x", "访问令牌无效"),
            (token(claims(exp=1)), "访问令牌已过期"),
            (token(claims(note="x" * 4000)), "令牌过长，浏览器无法保存"),
        ):
            refused = await client.post("/sign-in", data={"token": text, "next": view})
            pages.append(page_of(refused.text))
            assert pages[-1].one(id="reason").text == f"该令牌未被接受：{reason}。"
        assert all(dress(page) == ("zh-CN", "dark") for page in pages)
        await client.post("/sign-in", data={"token": token(), "next": view})
        form = page_of((await client.get(view)).text).one("form", action="/sign-out")
        ended = await client.post("/sign-out", data={"next": form.one("input")["value"]})
    assert ended.headers["location"] == "/?lang=zh&theme=dark"


@pytest.mark.parametrize("target", ["//evil.example/", "https://evil.example/?x=1", "/\\evil.example"])
async def test_signing_out_leads_to_the_board_and_nowhere_else(serve: Serve, target: str) -> None:
    async with serve(NOW, **GUARDED) as client:
        assert (await client.post("/sign-out", data={"next": target})).headers["location"] == "/"


async def test_the_form_says_where_a_token_comes_from(serve: Serve) -> None:
    async def hint(text: str) -> Element:
        async with serve(NOW, **GUARDED, sign_in_hint=text) as client:
            response: httpx.Response = await client.get("/?lang=en")
        return page_of(response.text).one("main")

    address = "https://plm.example.com/token?a=1&b=2"
    assert (await hint(address)).one("a")["href"] == address
    for text in ("Ask <b>Ms. Li</b>", "javascript:alert(1)"):
        told = await hint(text)
        assert text in told.one(id="hint").text
        assert not list(told.all("a")) + list(told.all("b"))
    assert "Whoever administers the PLM can say where to get one." in (await hint("")).text
