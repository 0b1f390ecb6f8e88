"""The duty board over HTTP: the page itself, and the files it needs."""

from collections.abc import Callable
from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.types import HTTPScope

from service.api.caller import operator_of
from service.api.compression import accepts_gzip, negotiated
from service.api.cookie import bearer_of
from service.api.headers import header
from service.api.parameters import InvalidRequest
from service.cache.tick_cache import Unavailable
from service.choices import Choices
from service.dashboard import assets
from service.dashboard.board import read
from service.dashboard.html import HEADERS, HTML, language_of
from service.dashboard.pages import Page, Pages, Viewer, prepare, render
from service.dashboard.query import VIEW, View
from service.snapshots import Snapshots

AnyRequest = Request[Any, Any, Any]

ONE_YEAR = "public, max-age=31536000, immutable"
RETRY_AFTER_SECONDS = 5


def board_routes(
    snapshots: Snapshots, choices: Choices, pages: Pages, clock: Callable[[], float]
) -> list[HTTPRouteHandler]:
    """The routes of the board. `clock` gives Unix seconds."""

    @get("/", exception_handlers={InvalidRequest: _invalid, Unavailable: _unavailable})
    async def board(request: AnyRequest) -> Response[bytes]:
        """The duty board."""
        scope = request.scope
        view = VIEW.read(scope["query_string"])
        viewer = Viewer(view.lang or language_of(scope), _is_signed_in(scope))
        await prepare(viewer.language)
        readings = await read(snapshots, choices, view)
        age = max(0.0, clock() - readings.snapshot.tick)
        page = pages.board(readings, view, viewer, age)
        return _conditional(page, scope, {"age": str(int(age)), "x-cache": readings.snapshot.state})

    @get(list(assets.by_address()), sync_to_thread=False)
    def static(request: AnyRequest) -> Response[bytes]:
        """A file of the board, under a name that stands for its content."""
        asset = assets.by_address()[request.scope["path"]]
        body, encoding = negotiated(asset.body, header(request.scope, b"accept-encoding"))
        headers = {"cache-control": ONE_YEAR, **encoding}
        return Response(body, media_type=asset.media_type, headers=headers)

    return [board, static]


def _conditional(page: Page, scope: HTTPScope, headers: dict[str, str]) -> Response[bytes]:
    """The page, or 304 to a browser that has it."""
    etag = f'W/"{page.digest}"'
    all_headers = HEADERS | headers | {"etag": etag}
    if header(scope, b"if-none-match").decode("latin-1") == etag:
        return Response(b"", status_code=304, headers=all_headers)
    if not accepts_gzip(header(scope, b"accept-encoding")):
        return Response(page.body, media_type=HTML, headers=all_headers)
    return Response(page.gzipped, media_type=HTML, headers=all_headers | {"content-encoding": "gzip"})


def _is_signed_in(scope: HTTPScope) -> bool:
    """Whether there is something to sign out of: a token in the cookie, and not in a header."""
    return operator_of(scope) is not None and bearer_of(header(scope, b"cookie")) is not None


def _invalid(request: AnyRequest, error: InvalidRequest) -> Response[bytes]:
    return _notice(request, 400, "invalid", error.message, {})


def _unavailable(request: AnyRequest, _: Unavailable) -> Response[bytes]:
    again = {"retry-after": str(RETRY_AFTER_SECONDS), "refresh": str(RETRY_AFTER_SECONDS)}
    return _notice(request, 503, "unavailable", None, again)


def _notice(
    request: AnyRequest, status: int, title: str, message: str | None, headers: dict[str, str]
) -> Response[bytes]:
    """A small page that says one thing; nobody may keep it."""
    language = language_of(request.scope)
    body = render("notice.html", language, View(), title=title, message=message)
    all_headers = HEADERS | {"cache-control": "no-store"} | headers
    return Response(body, status_code=status, media_type=HTML, headers=all_headers)
