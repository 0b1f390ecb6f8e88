"""Signing in and out of the board: a form that puts the PLM's token into a cookie."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.types import HTTPScope

from service.api.authentication import MAX_TOKEN_BYTES, Door, Unauthorized
from service.api.cookie import bearer_of, set_cookie
from service.api.gate import Entrance
from service.api.headers import header
from service.api.reply import Reply
from service.dashboard import assets
from service.dashboard.html import HEADERS, HTML, language_of
from service.dashboard.pages import render
from service.dashboard.query import View

SIGN_IN, SIGN_OUT = "/sign-in", "/sign-out"
MAX_FORM_BYTES = 4 * MAX_TOKEN_BYTES
# Browsers drop a longer cookie without a word.
MAX_COOKIE_BYTES = 4096
AnyRequest = Request[Any, Any, Any]


def sign_in_routes(door: Door) -> list[HTTPRouteHandler]:
    """The routes of the two forms; `door` knows good tokens from bad ones."""

    @post(SIGN_IN, request_max_body_size=MAX_FORM_BYTES)
    async def sign_in(request: AnyRequest) -> Response[bytes]:
        """Keep a good token in a cookie and go on to the board; say what is wrong with a bad one."""
        form = parse_qs((await request.body()).decode(errors="replace"))
        token = _one(form, "token").strip().removeprefix("Bearer ").strip()
        target = _local(_one(form, "next"))
        if _is_foreign(request.scope):
            return _form(request.scope, target, None, 400)
        try:
            door.admit(b"Bearer " + token.encode(), scraping=False)
        except Unauthorized as reason:
            return _form(request.scope, target, str(reason), 401)
        if len(set_cookie(token, secure=True)) > MAX_COOKIE_BYTES:
            return _form(request.scope, target, "it is too long for a browser to keep", 400)
        return _go(request.scope, target, token)

    @get(SIGN_IN, sync_to_thread=False)
    def form() -> Response[bytes]:
        """Whoever loads the form's own address again is asked at the board's."""
        return Response(b"", status_code=303, media_type=HTML, headers={"location": "/"})

    @post(SIGN_OUT, request_max_body_size=MAX_FORM_BYTES)
    async def sign_out(request: AnyRequest) -> Response[bytes]:
        """Forget the token."""
        return _go(request.scope, "/", "")

    return [form, sign_in, sign_out]


def ask(scope: HTTPScope, reason: str) -> Reply:
    """The form in place of the board, at the board's own address; `reason` counts if there was a token."""
    query = scope["query_string"].decode("latin-1")
    given = bearer_of(header(scope, b"cookie"))
    page = _form(scope, f"/?{query}" if query else "/", reason if given else None, 401)
    headers = [(name.encode(), value.encode("latin-1", "replace")) for name, value in page.headers.items()]
    headers.append((b"content-type", HTML.encode()))
    return Reply(401, [*headers, (b"content-length", b"%d" % len(page.content))], page.content)


def entrance(door: Door) -> Entrance:
    """Whoever has no token is asked for one at the board's address."""
    return Entrance(door, frozenset({SIGN_IN, SIGN_OUT, *assets.by_address()}), "/", ask)


def _form(scope: HTTPScope, target: str, reason: str | None, status: int) -> Response[bytes]:
    body = render("sign_in.html", language_of(scope), View(), target=target, reason=reason)
    headers = HEADERS | {"cache-control": "no-store"}
    return Response(body, status_code=status, media_type=HTML, headers=headers)


def _go(scope: HTTPScope, target: str, token: str) -> Response[bytes]:
    secure = scope["scheme"] == "https" or header(scope, b"x-forwarded-proto") == b"https"
    headers = {
        "location": target,
        "set-cookie": set_cookie(token, secure=secure),
        "cache-control": "no-store",
    }
    return Response(b"", status_code=303, media_type=HTML, headers=headers)


def _is_foreign(scope: HTTPScope) -> bool:
    """Whether another site sent the form, as far as the browser says: it may not sign anybody in."""
    return header(scope, b"sec-fetch-site") in (b"cross-site", b"same-site")


def _local(target: str) -> str:
    """The board at an address of its own, whatever the form says."""
    query = urlsplit(target).query if target.startswith("/?") else ""
    clean = query.encode("ascii", "ignore").decode()
    return f"/?{clean}" if clean.isprintable() and clean else "/"


def _one(form: dict[str, list[str]], name: str) -> str:
    return form.get(name, [""])[-1]
