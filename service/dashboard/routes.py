"""The duty board over HTTP: the page itself, and the files it needs."""

import asyncio
from collections.abc import Callable
from typing import Any

from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler

from service.api.access.admission import OF_NOBODY, OPEN_AND_UNLIMITED, cookies_of
from service.api.context import RequestContext, context_of
from service.api.dependencies import Context, GivenSnapshots
from service.api.openapi import SCHEMA
from service.api.reading import readable
from service.api.responses.compression import accepts_gzip
from service.api.responses.errors import InvalidRequest, Unauthorized
from service.api.responses.etag import matches
from service.api.responses.raw import RawResponse
from service.cache.unavailable import TooManyAtOnce, Unavailable
from service.dashboard import assets
from service.dashboard.board import read
from service.dashboard.html import HEADERS, HTML, language_of
from service.dashboard.notices import small_page
from service.dashboard.pages import Page, Pages, Viewer, prepare
from service.dashboard.runbook import runbook
from service.dashboard.sign_in import SignIn
from service.dashboard.view import VIEW
from service.tenants.tenancy import REFUSED
from service.tenants.tenant import Forbidden

AnyRequest = Request[Any, Any, Any]

ONE_YEAR = "public, max-age=31536000, immutable"
RETRY_AFTER_SECONDS = 5
REFERENCE = "/schema"


def board_routes(pages: Pages, sign_in: SignIn, clock: Callable[[], float]) -> list[HTTPRouteHandler]:
    """The routes of the board, which asks whom nobody knows to sign in. `clock` gives Unix seconds."""
    ask = sign_in.ask_for_board

    @readable(
        "/",
        exception_handlers={
            InvalidRequest: _invalid,
            Unavailable: _unavailable,
            Unauthorized: ask,
            Forbidden: _forbidden,
        },
    )
    async def board(context: Context, snapshots: GivenSnapshots) -> Response[bytes]:
        """The duty board."""
        view = VIEW.read(context.query_string)
        viewer = Viewer(view.lang or language_of(context), _is_signed_in(context), context.workspace)
        await prepare(viewer.language)
        found = await read(snapshots, view, context.now)
        age = max(0.0, clock() - found.snapshot.tick)  # who asked may have waited
        context.cache = found.snapshot.state
        return _conditional(context, pages.board(found, view, viewer, age), age)

    @readable(list(assets.by_address()), opt=OPEN_AND_UNLIMITED)
    async def static(context: Context) -> Response[bytes]:
        """A file of the pages, under a name that stands for its content."""
        asset = assets.by_address()[context.path]
        headers = {"cache-control": ONE_YEAR, "vary": "accept-encoding"}
        if not accepts_gzip(context.header(b"accept-encoding")):
            plain = await asyncio.to_thread(asset.body)
            return Response(plain, media_type=asset.media_type, headers=headers)
        body = await asyncio.to_thread(assets.gzipped, asset.address)
        return Response(body, media_type=asset.media_type, headers=headers | {"content-encoding": "gzip"})

    @readable(REFERENCE, opt=OPEN_AND_UNLIMITED)
    async def reference(context: Context) -> RawResponse:
        """A page to read the API's document, and to try what it says."""
        await prepare(language_of(context))
        return small_page(context, "reference.html", 200, document=SCHEMA)

    @readable("/runbook", opt=OF_NOBODY, exception_handlers={Unauthorized: ask, Forbidden: _forbidden})
    async def manual(context: Context) -> RawResponse:
        """What to do when an alert comes."""
        return small_page(context, "runbook.html", 200, runbook=await asyncio.to_thread(runbook))

    return [board, static, reference, manual]


def _conditional(context: RequestContext, page: Page, age: float) -> Response[bytes]:
    """The page, or 304 to a browser that has it."""
    etag = f'W/"{page.digest}"'
    headers = HEADERS | {"age": str(int(age)), "x-cache": context.cache, "etag": etag}
    if matches(context.header(b"if-none-match"), etag.encode()):
        return Response(b"", status_code=304, headers=headers)
    if not accepts_gzip(context.header(b"accept-encoding")):
        return Response(page.body, media_type=HTML, headers=headers)
    return Response(page.gzipped, media_type=HTML, headers=headers | {"content-encoding": "gzip"})


def _is_signed_in(context: RequestContext) -> bool:
    """Whether there is something to sign out of: a token in the cookie, and not in a header."""
    return context.operator_id is not None and bool(cookies_of(context))


# Litestar takes any ASGI application for a response, but says otherwise in its types.
def _invalid(request: AnyRequest, error: InvalidRequest) -> Any:  # noqa: ANN401
    return _notice(request, 400, title="invalid", message=error.message)


def _forbidden(request: AnyRequest, error: Forbidden) -> Any:  # noqa: ANN401
    """With a way out, where a token of another tenant is in the cookie."""
    is_signed_in = bool(cookies_of(context_of(request.scope)))
    return _notice(request, 403, title="forbidden", message=str(error), is_signed_in=is_signed_in)


def _unavailable(request: AnyRequest, error: Unavailable) -> Any:  # noqa: ANN401
    if context_of(request.scope).is_refused:
        return _forbidden(request, Forbidden(REFUSED))
    again = {"retry-after": str(RETRY_AFTER_SECONDS), "refresh": str(RETRY_AFTER_SECONDS)}
    status = 429 if isinstance(error, TooManyAtOnce) else 503
    return _notice(request, status, title="unavailable", message=None, headers=again)


def _notice(request: AnyRequest, status: int, **values: Any) -> RawResponse:  # noqa: ANN401
    return small_page(context_of(request.scope), "notice.html", status, **values)
