"""Signing in and out of the board: a form that puts the PLM's token into a cookie."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from litestar import Request, Response, post
from litestar.handlers import HTTPRouteHandler

from service.api.access.admission import OPEN, cookies_of
from service.api.access.authentication import MAX_TOKEN_BYTES, Authenticator
from service.api.access.cookie import set_cookie
from service.api.context import RequestContext, context_of
from service.api.dependencies import Context
from service.api.reading import readable
from service.api.responses.errors import InvalidRequest, Unauthorized
from service.dashboard.html import HEADERS, HTML, language_of
from service.dashboard.pages import render
from service.dashboard.view import View

SIGN_IN, SIGN_OUT = "/sign-in", "/sign-out"
MAX_FORM_BYTES = 4 * MAX_TOKEN_BYTES
# Browsers drop a longer cookie without a word.
MAX_COOKIE_BYTES = 4096
AnyRequest = Request[Any, Any, Any]


def sign_in_routes(authenticator: Authenticator) -> list[HTTPRouteHandler]:
    """The routes of the two forms; the authenticator knows good tokens from bad ones."""

    @post(SIGN_IN, opt=OPEN, request_max_body_size=MAX_FORM_BYTES)
    async def sign_in(request: AnyRequest, context: Context) -> Response[bytes]:
        """Keep a good token in a cookie and go on to the board; say what is wrong with a bad one."""
        form = parse_qs((await request.body()).decode(errors="replace"))
        token = _one(form, "token").strip().removeprefix("Bearer ").strip()
        target = _local(_one(form, "next"))
        if not context.is_of_our_page:
            return _form(context, target, None, 400)
        try:
            authenticator.operator_of(b"Bearer " + token.encode(), scraping=False)
        except Unauthorized as reason:
            return _form(context, target, reason.message, 401)
        if len(set_cookie(token, secure=True)) > MAX_COOKIE_BYTES:
            return _form(context, target, "it is too long for a browser to keep", 400)
        return _go(context, target, token)

    @readable(SIGN_IN, opt=OPEN, sync_to_thread=False)
    def form() -> Response[bytes]:
        """Whoever loads the form's own address again is asked at the board's."""
        return Response(b"", status_code=303, media_type=HTML, headers={"location": "/"})

    @post(SIGN_OUT, opt=OPEN, request_max_body_size=MAX_FORM_BYTES)
    async def sign_out(context: Context) -> Response[bytes]:
        """Forget the token."""
        if not context.is_of_our_page:
            raise InvalidRequest("another site may not sign anybody out", {})
        return _go(context, "/", "")

    return [form, sign_in, sign_out]


def ask(request: AnyRequest, error: Unauthorized) -> Response[bytes]:
    """The form in place of the board, at the board's own address; the reason counts if there was a token."""
    context = context_of(request.scope)
    query = context.query_string.decode("latin-1")
    given = cookies_of(context)
    return _form(context, f"/?{query}" if query else "/", error.message if given else None, 401)


def _form(context: RequestContext, target: str, reason: str | None, status: int) -> Response[bytes]:
    body = render("sign_in.html", language_of(context), View(), target=target, reason=reason)
    headers = HEADERS | {"cache-control": "no-store"}
    return Response(body, status_code=status, media_type=HTML, headers=headers)


def _go(context: RequestContext, target: str, token: str) -> Response[bytes]:
    headers = {
        "location": target,
        "set-cookie": set_cookie(token, secure=context.is_secure),
        "cache-control": "no-store",
    }
    return Response(b"", status_code=303, media_type=HTML, headers=headers)


def _local(target: str) -> str:
    """The board at an address of its own, whatever the form says."""
    query = urlsplit(target).query if target.startswith("/?") else ""
    clean = query.encode("ascii", "ignore").decode()
    return f"/?{clean}" if clean.isprintable() and clean else "/"


def _one(form: dict[str, list[str]], name: str) -> str:
    return form.get(name, [""])[-1]
