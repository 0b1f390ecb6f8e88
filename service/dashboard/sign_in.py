"""Signing in and out of the board: a form that puts the PLM's token into a cookie."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from litestar import Request, post
from litestar.handlers import HTTPRouteHandler

from service.api.access.admission import OPEN, cookies_of
from service.api.access.authentication import MAX_TOKEN_BYTES, Authenticator
from service.api.access.cookie import set_cookie
from service.api.context import RequestContext, context_of
from service.api.dependencies import Context
from service.api.reading import readable
from service.api.responses.errors import InvalidRequest, Unauthorized
from service.api.responses.raw import Header, RawResponse
from service.dashboard.notices import small_page
from service.tenants.tenant import Forbidden

SIGN_IN, SIGN_OUT = "/sign-in", "/sign-out"
MAX_FORM_BYTES = 4 * MAX_TOKEN_BYTES
# Browsers drop a longer cookie without a word.
MAX_COOKIE_BYTES = 4096
TOO_LONG = "it is too long for a browser to keep"
AnyRequest = Request[Any, Any, Any]


class SignIn:
    """The form and where it leads; `hint` says where a token comes from, as a text or an address."""

    def __init__(self, authenticator: Authenticator, hint: str) -> None:
        self._authenticator = authenticator
        self._hint = hint

    def routes(self) -> list[HTTPRouteHandler]:
        """The routes of the two forms."""

        @post(SIGN_IN, opt=OPEN, request_max_body_size=MAX_FORM_BYTES)
        async def sign_in(request: AnyRequest, context: Context) -> RawResponse:
            """Keep a good token in a cookie and go on to the board; say what is wrong with a bad one."""
            form = parse_qs((await request.body()).decode(errors="replace"))
            token = _one(form, "token").strip().removeprefix("Bearer ").strip()
            return self._signed_in(context, token, _local(_one(form, "next")))

        @readable(SIGN_IN, opt=OPEN, sync_to_thread=False)
        def form() -> RawResponse:
            """Whoever loads the form's own address again is asked at the board's."""
            return _see("/")

        @post(SIGN_OUT, opt=OPEN, request_max_body_size=MAX_FORM_BYTES)
        async def sign_out(request: AnyRequest, context: Context) -> RawResponse:
            """Forget the token."""
            if not context.is_of_our_page:
                raise InvalidRequest("another site may not sign anybody out", {})
            form = parse_qs((await request.body()).decode(errors="replace"))
            return _go(context, _local(_one(form, "next")), "")

        return [form, sign_in, sign_out]

    def ask(self, context: RequestContext, error: Unauthorized, target: str) -> RawResponse:
        """The form in place of a page; the error is told if there was a token."""
        return self._form(context, target, error.message if cookies_of(context) else None, 401)

    def ask_for_board(self, request: AnyRequest, error: Unauthorized) -> Any:  # noqa: ANN401 - as Litestar types it
        """The same as an exception handler of the board, which is where one goes from there."""
        context = context_of(request.scope)
        query = context.query_string.decode("latin-1")
        return self.ask(context, error, f"/?{query}" if query else "/")

    def _signed_in(self, context: RequestContext, token: str, target: str) -> RawResponse:
        if not context.is_of_our_page:
            return self._form(context, target, None, 400)
        try:
            self._authenticator.caller_of(b"Bearer " + token.encode(), scraping=False)
        except Unauthorized as reason:
            return self._form(context, target, reason.message, 401)
        except Forbidden as refusal:
            return self._form(context, target, str(refusal), 403)
        if len(set_cookie(token, secure=True)) > MAX_COOKIE_BYTES:
            return self._form(context, target, TOO_LONG, 400)
        return _go(context, target, token)

    def _form(self, context: RequestContext, target: str, reason: str | None, status: int) -> RawResponse:
        query = urlsplit(target).query.encode()
        values = {"target": target, "reason": reason, "hint": self._hint}
        return small_page(context, "sign_in.html", status, query, **values)


def _go(context: RequestContext, target: str, token: str) -> RawResponse:
    cookie = set_cookie(token, secure=context.is_secure).encode()
    return _see(target, (b"set-cookie", cookie), (b"cache-control", b"no-store"))


def _see(target: str, *headers: Header) -> RawResponse:
    return RawResponse(303, [(b"location", target.encode()), (b"content-length", b"0"), *headers], b"")


def _local(target: str) -> str:
    """The board at an address of its own, whatever the form says."""
    query = urlsplit(target).query if target.startswith("/?") else ""
    clean = query.encode("ascii", "ignore").decode()
    return f"/?{clean}" if clean.isprintable() and clean else "/"


def _one(form: dict[str, list[str]], name: str) -> str:
    return form.get(name, [""])[-1]
