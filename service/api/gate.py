"""The one pass that every request goes through: let in, answered, measured and logged.

It is one object rather than a stack of middlewares because a hot answer takes some 50 microseconds
in all, and each layer would take its share.
"""

import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from os import urandom
from time import perf_counter

from litestar import Litestar
from litestar.enums import ScopeType
from litestar.types import HTTPScope, Message, Receive, Scope, Send
from litestar.utils import normalize_path

from service.api.authentication import Door, Unauthorized
from service.api.caller import remember_operator
from service.api.errors import refused
from service.api.openapi import PREFIX
from service.api.own_metrics import OWN_METRICS
from service.api.reply import Reply
from service.api.tally import Tally

MAX_URL_BYTES = 8 * 1024
# What a client gets that went away before it was answered, as nginx logs it.
GONE = 499
UNKNOWN = "unknown"
_SANE_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_SCRAPED = frozenset({OWN_METRICS, f"{PREFIX}/metrics"})
_SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
_CONTENT_SECURITY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")

Note = Callable[["Exchange", float], None]


class Exchange:
    """One request and its response, as far as it is known."""

    __slots__ = ("_send", "cache", "operator_id", "request_id", "route", "status")

    def __init__(self, route: str, send: Send, request_id: bytes) -> None:
        self.route = route
        self.request_id = request_id
        self.operator_id: int | None = None
        self.status = GONE
        self.cache = b""
        self._send = send

    def send(self, message: Message) -> Awaitable[None]:
        """Pass a message on to the server; the response's start gets the headers that all have."""
        if message["type"] == "http.response.start":
            headers = list(message["headers"])
            names = dict(headers)
            self.status = message["status"]
            self.cache = names.get(b"x-cache", b"")
            headers += _SECURITY
            headers.append((b"x-request-id", self.request_id))
            if b"content-security-policy" not in names:
                headers.append(_CONTENT_SECURITY)
            message["headers"] = headers
        return self._send(message)


class Gate:
    """The ASGI application: Litestar behind everything that each request needs.

    `note` is told of every request and its seconds once it is over.
    """

    def __init__(self, app: Litestar, door: Door, tally: Tally, note: Note | None = None) -> None:
        self._app = app
        self._door = door
        self._tally = tally
        self._note = note
        self._routes = {route.path for route in app.routes}
        self._ids = RequestIds()

    def lifespan(self) -> AbstractAsyncContextManager[None]:
        """Start and stop what the application needs, for tests and other hosts without ASGI's lifespan."""
        return self._app.lifespan()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        headers = dict(scope["headers"])
        # A path that no route has is never named: labels and logs are not for callers to fill.
        route = scope["path"] if scope["path"] in self._routes else UNKNOWN
        exchange = Exchange(route, send, self._ids.of(headers.get(b"x-request-id")))
        try:
            refusal = self._refusal(scope, exchange, headers)
            if refusal is None:
                await self._app(scope, receive, exchange.send)
            else:
                await refusal(scope, receive, exchange.send)
        finally:
            seconds = perf_counter() - started
            self._tally.count((exchange.route, exchange.status, exchange.cache), seconds)
            if self._note is not None:
                self._note(exchange, seconds)

    def _refusal(self, scope: HTTPScope, exchange: Exchange, headers: dict[bytes, bytes]) -> Reply | None:
        """The response to a request that may not pass; who passes is noted in its scope."""
        path = scope["path"]
        if len(path) + len(scope["query_string"]) > MAX_URL_BYTES:
            return refused(414, "uri_too_long", f"the URL must be at most {MAX_URL_BYTES} bytes long")
        if not (path.startswith(PREFIX) or _protected(path)):
            return None
        try:
            exchange.operator_id = self._door.admit(headers.get(b"authorization"), scraping=path in _SCRAPED)
        except Unauthorized as reason:
            return refused(401, "unauthorized", str(reason), headers={"www-authenticate": "Bearer"})
        remember_operator(scope, exchange.operator_id)
        return None


class RequestIds:
    """Ids of requests: the caller's own where it is sane, else one that no other process makes."""

    def __init__(self) -> None:
        self._prefix = urandom(6).hex()
        self._made = 0

    def of(self, given: bytes | None) -> bytes:
        """The id of a request that came with this X-Request-ID."""
        if given is not None and _SANE_ID.fullmatch(given):
            return given
        self._made += 1
        return b"%b-%x" % (self._prefix.encode(), self._made)


def _protected(path: str) -> bool:
    """Whether the router would take this path for one that needs authentication."""
    normal = normalize_path(path)
    return normal.startswith(PREFIX) or normal in _SCRAPED
