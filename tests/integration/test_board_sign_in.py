"""Signing in to the duty board: which cookie a browser is given, by whose form, and where it goes then."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from http.cookies import Morsel, SimpleCookie

import httpx
import pytest

from service.api.access.cookie import MAX_TRIED
from tests.support.api import PREFIX
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.html import page_of
from tests.support.tokens import SECRET, claims, token

NAME = "parallel_ops_token"
# Where it is for HTTPS alone: browsers take a cookie of that beginning from this very host alone.
SECURE_NAME = "__Host-parallel_ops_token"
HTTPS = {"x-forwarded-proto": "https"}


Guarded = Callable[[], AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def guarded(serve: Serve, database: object) -> Guarded:
    """Starts a service that lets nobody in without a token: `async with guarded() as browser`."""
    return lambda: serve(NOW, auth="required", jwt_secret=SECRET)


async def sign_in(client: httpx.AsyncClient, text: str, target: str = "/", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.post("/sign-in", data={"token": text, "next": target}, headers=named)


def cookie(response: httpx.Response) -> Morsel[str]:
    """The one cookie that a response sets."""
    ((_, kept),) = SimpleCookie(response.headers["set-cookie"]).items()
    return kept


async def test_the_cookie_is_for_no_script_and_no_other_site_and_ends_with_the_browser(
    guarded: Guarded,
) -> None:
    signed = token()  # once: a second later it would be another
    async with guarded() as client:
        response = await sign_in(client, signed)
        assert (response.status_code, response.headers["location"]) == (303, "/")
        assert response.headers["cache-control"] == "no-store"
        kept = cookie(response)
        assert (kept.value, kept["path"], kept["httponly"], kept["samesite"]) == (signed, "/", True, "Strict")
        assert (kept["max-age"], kept["expires"], kept["domain"], kept["secure"]) == ("", "", "", "")


async def test_behind_https_the_cookie_is_for_https_and_this_host_alone(guarded: Guarded) -> None:
    async with guarded() as client:
        behind = cookie(await sign_in(client, token(), x_forwarded_proto="https"))
        plain = cookie(await sign_in(client, token(), x_forwarded_proto="http"))
        form = {"token": token(), "next": "/"}
        direct = cookie(await client.post("https://test/sign-in", data=form))
        ended = cookie(await client.post("/sign-out", headers=HTTPS))
    assert (plain.key, plain["secure"]) == (NAME, "")
    for kept in (behind, direct, ended):
        assert (kept.key, kept["secure"], kept["path"], kept["domain"]) == (SECURE_NAME, True, "/", "")
    assert ended["max-age"] == "0"


async def test_no_cookie_that_another_host_has_set_hides_ones_own(guarded: Guarded) -> None:
    """A sibling host may set many, and with a longer path they come first."""
    own, tossed = token(), "; ".join(f"{NAME}=tossed.{n}.x" for n in range(MAX_TRIED - 2))
    async with guarded() as client:
        for name, headers in ((NAME, {}), (SECURE_NAME, HTTPS)):
            for cookies in (f"{tossed}; {name}={own}", f"{name}={own}; {tossed}", f"{name}=; {name}={own}"):
                for path in (f"{PREFIX}/summary", "/"):
                    response = await client.get(path, headers={"Cookie": cookies, **headers})
                    assert response.status_code == 200
            refused = await client.get("/", headers={"Cookie": tossed, **headers})
            assert refused.status_code == 401


async def test_behind_https_a_cookie_without_the_prefix_is_anybodys(guarded: Guarded) -> None:
    cookies = {"Cookie": f"{NAME}={token(claims(sub='8'))}; {SECURE_NAME}={token()}"}
    async with guarded() as client:
        answer = await client.get(f"{PREFIX}/summary", headers=cookies | HTTPS)
        assert answer.json()["operator_id"] == 7
        tossed = {"Cookie": f"{NAME}={token(claims(sub='8'))}"}
        assert (await client.get(f"{PREFIX}/summary", headers=tossed | HTTPS)).status_code == 401


async def test_cookies_without_end_are_not_all_looked_at(guarded: Guarded) -> None:
    cookies = "; ".join([f"{NAME}=a.b.c"] * MAX_TRIED)
    async with guarded() as client:
        for many, status in ((cookies, 401), (f"{NAME}=x; {cookies}; {NAME}={token()}", 401)):
            answer = await client.get(f"{PREFIX}/summary", headers={"Cookie": many})
            assert answer.status_code == status


async def test_the_cookie_opens_the_board_and_signing_out_ends_it(guarded: Guarded) -> None:
    async with guarded() as client:
        asked = await client.get("/")
        assert (asked.status_code, asked.headers["cache-control"]) == (401, "no-store")
        await sign_in(client, token())
        page = page_of((await client.get("/")).text)
        assert page.one(id="sign-out").text == "Sign out"
        ended = await client.post("/sign-out")
        assert (ended.status_code, ended.headers["location"]) == (303, "/")
        assert (cookie(ended).value, cookie(ended)["max-age"], cookie(ended)["path"]) == ("", "0", "/")
        assert (await client.get("/")).status_code == 401


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_another_sites_form_signs_nobody_in(guarded: Guarded, site: str) -> None:
    async with guarded() as client:
        response = await sign_in(client, token(), sec_fetch_site=site)
        assert response.status_code == 400
        assert "set-cookie" not in response.headers


FOREIGN = (
    *("http://evil.example", "https://test.evil.example", "http://test:8080", "http://eviltest", "null", ""),
    *("http://test@evil.example", "test", "http://test/", "http://"),
)


@pytest.mark.parametrize("origin", FOREIGN)
async def test_where_browsers_do_not_say_whose_form_it_is_its_origin_does(
    guarded: Guarded, origin: str
) -> None:
    """Over plain HTTP there is no Sec-Fetch-Site."""
    async with guarded() as client:
        response = await sign_in(client, token(), origin=origin)
        assert response.status_code == 400
        assert "set-cookie" not in response.headers


@pytest.mark.parametrize(
    "headers", [*({"origin": each} for each in FOREIGN), {"sec-fetch-site": "cross-site"}], ids=str
)
async def test_another_sites_form_signs_nobody_out(guarded: Guarded, headers: dict[str, str]) -> None:
    async with guarded() as client:
        await sign_in(client, token())
        response = await client.post("/sign-out", headers=headers)
        assert (response.status_code, response.json()["detail"]["code"]) == (
            400,
            "parallel_ops_invalid_request",
        )
        assert "set-cookie" not in response.headers
        assert (await client.get("/")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://test"},
        {"origin": "https://TEST"},
        {"origin": "http://test:81", "host": "Test:81"},
        {"origin": "http://before.the.proxy", "sec-fetch-site": "same-origin"},
        {},
    ],
    ids=str,
)
async def test_the_boards_own_forms_sign_in_and_out(guarded: Guarded, headers: dict[str, str]) -> None:
    async with guarded() as client:
        form = {"token": token(), "next": "/"}
        for path in ("/sign-in", "/sign-out"):
            response = await client.post(path, data=form, headers=headers)
            assert (response.status_code, "set-cookie" in response.headers) == (303, True)


async def test_pages_let_browsers_say_to_us_alone_where_a_form_is_from(guarded: Guarded) -> None:
    async with guarded() as client:
        asked = await client.get("/")
        await sign_in(client, token())
        for response in (asked, await client.get("/"), await client.get("/?window_days=2")):
            assert response.headers.get_list("referrer-policy") == ["same-origin"]
        answer = await client.get(f"{PREFIX}/summary")
        assert answer.headers.get_list("referrer-policy") == ["no-referrer"]


@pytest.mark.parametrize("site", ["same-origin", "none"])
async def test_the_boards_own_form_signs_in(guarded: Guarded, site: str) -> None:
    async with guarded() as client:
        assert (await sign_in(client, token(), sec_fetch_site=site)).status_code == 303


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "This token was not accepted: the bearer token is not valid."),
        ("<b>no token</b>", "This token was not accepted: the bearer token is not valid."),
        (token(claims(exp=1)), "This token was not accepted: the bearer token has expired."),
        (
            token(key="another secret of the PLM, and long enough"),
            "This token was not accepted: the bearer token is not valid.",
        ),
    ],
    ids=["none", "html", "expired", "forged"],
)
async def test_a_bad_token_is_refused_with_a_reason_and_no_cookie(
    guarded: Guarded, text: str, reason: str
) -> None:
    async with guarded() as client:
        response = await sign_in(client, text)
        assert response.status_code == 401
        assert "set-cookie" not in response.headers
        page = page_of(response.text)
        assert page.one(id="reason").text == reason
        assert page.one("textarea").text == ""


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/?window_days=30&site_id=a+b", "/?window_days=30&site_id=a+b"),
        ("", "/"),
        ("//evil.example/", "/"),
        ("https://evil.example/?x=1", "/"),
        ("/\\evil.example", "/"),
        ("/?a=1\r\nSet-Cookie: b=2", "/?a=1Set-Cookie: b=2"),
        ("javascript:alert(1)", "/"),
    ],
)
async def test_from_the_form_one_goes_to_the_board_and_nowhere_else(
    guarded: Guarded, target: str, location: str
) -> None:
    async with guarded() as client:
        response = await sign_in(client, token(), target)
        assert response.status_code == 303
        assert response.headers["location"] == location
        assert list(SimpleCookie(response.headers["set-cookie"])) == [NAME]


async def test_the_form_keeps_the_address_that_was_asked_for_as_text(guarded: Guarded) -> None:
    async with guarded() as client:
        asked = await client.get('/?site_id="><b>x</b>&window_days=30')
        form = page_of(asked.text).one("form")
        assert form["action"] == "/sign-in"
        assert form.one("input", name="next")["value"] == "/?site_id=%22%3E%3Cb%3Ex%3C/b%3E&window_days=30"
        raw = page_of((await sign_in(client, "no token", '/?site_id="><b>x</b>')).text)
        assert raw.one("input", name="next")["value"] == '/?site_id="><b>x</b>'


async def test_the_cookie_writes_nothing(guarded: Guarded) -> None:
    async with guarded() as client:
        await sign_in(client, token())
        assert (await client.get(f"{PREFIX}/summary")).json()["operator_id"] == 7
        assert (await client.post(f"{PREFIX}/summary")).status_code == 401
