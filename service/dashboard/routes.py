"""The duty board over HTTP: the page itself, and the files it needs."""

import asyncio
from typing import Any

from litestar import Request, Response
from litestar.handlers import HTTPRouteHandler

from service.api.access.admission import OPEN_AND_UNLIMITED, cookies_of
from service.api.context import RequestContext, context_of
from service.api.dependencies import Context, GivenSnapshots
from service.api.openapi import SCHEMA
from service.api.reading import readable
from service.api.responses.compression import accepts_gzip
from service.api.responses.errors import InvalidRequest, Unauthorized
from service.api.responses.etag import matches
from service.cache.tick_cache import TooManyAtOnce, Unavailable
from service.dashboard import assets
from service.dashboard.board import read
from service.dashboard.html import HEADERS, HTML, language_of
from service.dashboard.pages import Page, Pages, Viewer, prepare, render
from service.dashboard.sign_in import ask
from service.dashboard.view import VIEW, View

AnyRequest = Request[Any, Any, Any]

ONE_YEAR = "public, max-age=31536000, immutable"
RETRY_AFTER_SECONDS = 5
REFERENCE = "/schema"


def board_routes(pages: Pages) -> list[HTTPRouteHandler]:
    """The routes of the board."""

    @readable(
        "/", exception_handlers={InvalidRequest: _invalid, Unavailable: _unavailable, Unauthorized: ask}
    )
    async def board(context: Context, snapshots: GivenSnapshots) -> Response[bytes]:
        """The duty board."""
        view = VIEW.read(context.query_string)
        viewer = Viewer(view.lang or language_of(context), _is_signed_in(context))
        await prepare(viewer.language)
        found = await read(snapshots, view, context.now)
        age = max(0.0, context.now - found.snapshot.tick)
        context.cache = found.snapshot.state
        return _conditional(context, pages.board(found, view, viewer, age), age)

    @readable(list(assets.by_address()), opt=OPEN_AND_UNLIMITED)
    async def static(context: Context) -> Response[bytes]:
        """A file of the pages, under a name that stands for its content."""
        asset = assets.by_address()[context.path]
        headers = {"cache-control": ONE_YEAR, "vary": "accept-encoding"}
        if not accepts_gzip(context.header(b"accept-encoding")):
            return Response(asset.body, media_type=asset.media_type, headers=headers)
        body = await asyncio.to_thread(assets.gzipped, asset.address)
        return Response(body, media_type=asset.media_type, headers=headers | {"content-encoding": "gzip"})

    @readable(REFERENCE, opt=OPEN_AND_UNLIMITED)
    async def reference(context: Context) -> Response[bytes]:
        """A page to read the API's document, and to try what it says."""
        language = language_of(context)
        await prepare(language)
        body = render("reference.html", language, View(), document=SCHEMA)
        return Response(body, media_type=HTML, headers=HEADERS)

    return [board, static, reference]


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


def _invalid(request: AnyRequest, error: InvalidRequest) -> Response[bytes]:
    return _notice(request, 400, "invalid", error.message, {})


def _unavailable(request: AnyRequest, error: Unavailable) -> Response[bytes]:
    again = {"retry-after": str(RETRY_AFTER_SECONDS), "refresh": str(RETRY_AFTER_SECONDS)}
    status = 429 if isinstance(error, TooManyAtOnce) else 503
    return _notice(request, status, "unavailable", None, again)


def _notice(
    request: AnyRequest, status: int, title: str, message: str | None, headers: dict[str, str]
) -> Response[bytes]:
    """A small page that says one thing; nobody may keep it."""
    language = language_of(context_of(request.scope))
    body = render("notice.html", language, View(), title=title, message=message)
    all_headers = HEADERS | {"cache-control": "no-store"} | headers
    return Response(body, status_code=status, media_type=HTML, headers=all_headers)
