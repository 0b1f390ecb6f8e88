"""One request: what is known of it, and of its response as far as that has come."""

from collections.abc import Awaitable
from typing import Any

from litestar import Request
from litestar.routes import HTTPRoute
from litestar.types import HTTPScope, Message, Receive, Scope, Send

from service.api.responses.errors import GONE
from service.api.responses.raw import Header
from service.tenants.line import Line
from service.tenants.tenant import Tenant
from service.tenants.workspace import Workspace

# Where a path goes that no route has: labels and logs are not for callers to fill.
UNKNOWN = "unknown"
_KEY = "context"
_NO_SNIFFING = (b"x-content-type-options", b"nosniff")
# Of responses that have none of their own.
_SECURITY = (
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


class RequestContext:
    """The facts of one request, found once and passed on.

    `headers` are by their lower-case names, `options` are those of the route that takes it, `now` is its time
    in Unix seconds. `operator_id` is the caller's, None where nobody is known or authentication is off;
    `tenant` is whose figures they may have, None as long as nobody is let in.
    An `error` that was found on the way to the handler is raised in its place. `cache` says how fresh the
    answer is; `added` are headers that every response to this request gets. `address` is the client's.
    `has_two_tokens` says that there are several Authorization headers; `is_scraper`, that it has shown the
    scrape token; `labels` tell the figures of a scrape from other tenants'. `line` is left at the end.
    `receive` gives the body again where there was one.
    """

    __slots__ = (
        *("_send", "_workspace", "added", "address", "cache", "error", "has_two_tokens", "headers"),
        *("is_scraper", "labels", "line", "method", "now", "operator_id", "options", "path", "query_string"),
        *("receive", "request_id", "route", "scheme", "status", "tenant"),
    )

    def __init__(self, scope: HTTPScope, send: Send) -> None:
        self._send = send
        headers: Any = scope["headers"]
        self.headers = _by_name(headers)
        self.has_two_tokens = len(self.headers) != len(headers) and _has_two_tokens(headers)
        self.method: str = scope["method"]
        self.path = scope["path"]
        self.query_string = scope["query_string"]
        self.scheme = scope["scheme"]
        self.route, self.options = _route_of(scope)
        self.address = scope["client"][0] if scope["client"] else ""
        self.now = 0.0
        self.request_id = b""
        self.operator_id: int | None = None
        self.tenant: Tenant | None = None
        self._workspace: Workspace | None = None
        self.line: Line | None = None
        self.labels: dict[str, str] = {}
        self.is_scraper = False
        self.error: Exception | None = None
        self.added: tuple[Header, ...] = ()
        self.status = GONE
        self.cache = ""
        self.receive: Receive | None = None

    @property
    def workspace(self) -> Workspace:
        """All that is the tenant's. Handlers that have figures to tell come after one was found."""
        assert self._workspace is not None  # noqa: S101
        return self._workspace

    @workspace.setter
    def workspace(self, found: Workspace) -> None:
        self._workspace = found

    @property
    def is_refused(self) -> bool:
        """Whether it turned out meanwhile that the tenant has no place."""
        return self._workspace is not None and self._workspace.is_refused

    @property
    def is_of_nobody(self) -> bool:
        """Whether no tenant's figures are asked for: there are none at that address."""
        return self.route == UNKNOWN or "of_nobody" in self.options

    @property
    def is_secure(self) -> bool:
        """Whether the browser's own connection is encrypted."""
        return self.scheme == "https" or self.header(b"x-forwarded-proto") == b"https"

    @property
    def is_of_our_page(self) -> bool:
        """Whether no other site's page sends this, as far as the browser says.

        Over plain HTTP browsers say nothing of sites, but where a form comes from. What says neither is no
        browser of today.
        """
        site, origin = self.header(b"sec-fetch-site"), self.headers.get(b"origin")
        if site or origin is None:
            return site in (b"", b"same-origin", b"none")
        scheme, _, host = origin.partition(b"://")
        return scheme in (b"http", b"https") and host.lower() == self.header(b"host").lower() != b""

    def header(self, name: bytes) -> bytes:
        """The value of a request's header, b"" without one. `name` is in lower case."""
        return self.headers.get(name, b"")

    @property
    def caller(self) -> str:
        """Who counts for this request where callers are counted: its operator, or an address without one.

        Who scrapes counts for itself: strangers behind the same proxy must not use up what it may ask.
        """
        if self.is_scraper:
            return "scraper"
        return f"address:{self.address}" if self.operator_id is None else f"operator:{self.operator_id}"

    def send(self, message: Message) -> Awaitable[None]:
        """Pass a message on to the server; the response's start gets the headers that all have.

        HEAD gets no body (RFC 9110, 9.3.2), whoever made one.
        """
        if message["type"] == "http.response.start":
            headers = list(message["headers"])
            own = dict(headers)
            headers += [header for header in _SECURITY if header[0] not in own]
            headers += self.added
            headers.append(_NO_SNIFFING)
            headers.append((b"x-request-id", self.request_id))
            self.status, message["headers"] = message["status"], headers
        elif message["type"] == "http.response.body" and self.method == "HEAD":
            message["body"] = b""
        return self._send(message)


def enter(scope: HTTPScope, send: Send) -> RequestContext:
    """The context of a new request, which goes with its scope from now on."""
    context = RequestContext(scope, send)
    scope["state"][_KEY] = context
    return context


def has_entered(scope: Scope) -> bool:
    """Whether the request has a context; one that no route takes has none at first."""
    return _KEY in scope["state"]


def context_of(scope: Scope) -> RequestContext:
    """The context of a request that has entered."""
    context: RequestContext = scope["state"][_KEY]
    return context


def provide_context(request: Request[Any, Any, Any]) -> RequestContext:
    """The same, for Litestar to hand to handlers that want it."""
    return context_of(request.scope)


def _route_of(scope: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401 - as routing leaves it
    """The route of a request and its options: of the one that takes it, or would take another method."""
    if "route_handler" in scope:
        return scope["path_template"], scope["route_handler"].opt
    routes = (route for route in scope["litestar_app"].routes if isinstance(route, HTTPRoute))
    return next(
        ((route.path, route.route_handlers[0].opt) for route in routes if route.path == scope["path"]),
        (UNKNOWN, {}),
    )


def _has_two_tokens(headers: Any) -> bool:  # noqa: ANN401 - any iterable of pairs
    return [name for name, _ in headers].count(b"authorization") > 1


def _by_name(headers: Any) -> dict[bytes, bytes]:  # noqa: ANN401 - any iterable of pairs
    found = dict(headers)
    if len(found) != len(headers):  # a list on several lines is one list (RFC 9110, 5.3)
        found = {}
        for name, value in headers:
            between = b"; " if name == b"cookie" else b", "
            found[name] = found[name] + between + value if name in found else value
    return found
