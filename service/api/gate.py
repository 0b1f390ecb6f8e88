"""The one pass that every request goes through: let in, answered, measured and logged.

It is one object rather than a stack of middlewares because a hot answer takes some 50 microseconds
in all, and each layer would take its share.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from os import urandom
from time import perf_counter

from litestar import Litestar
from litestar.enums import ScopeType
from litestar.types import HTTPScope, Receive, Scope, Send
from msgspec import Struct

from service.api.authentication import Door, Unauthorized
from service.api.caller import remember_operator
from service.api.cookie import bearer_of
from service.api.cors import Cors
from service.api.errors import answered, refused
from service.api.exchange import Exchange
from service.api.health import LIVE, READY
from service.api.openapi import PREFIX, SCHEMA
from service.api.own_metrics import OWN_METRICS
from service.api.rate_limit import RateLimit
from service.api.reply import Endpoint, Reply
from service.api.tally import Tally

MAX_URL_BYTES = 8 * 1024
UNKNOWN = "unknown"
_SANE_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
# Everything else needs a token: what is added one day is closed until somebody opens it here.
_OPEN = frozenset({LIVE, READY, SCHEMA})
_SCRAPED = frozenset({OWN_METRICS, f"{PREFIX}/metrics"})
Note = Callable[[Exchange, float], None]


class Entrance(Struct, frozen=True):
    """The door, the paths that are open without it, and what people see instead of a closed one.

    `page` is the path where they are asked for a token: `ask` makes that of the request and the reason.
    `limit` and `cors` are there when the configuration wants them.
    """

    door: Door
    open: frozenset[str]
    page: str
    ask: Callable[[HTTPScope, str], Reply]
    limit: RateLimit | None = None
    cors: Cors | None = None


class Gate:
    """The ASGI application: Litestar behind everything that each request needs.

    The `endpoints` are called directly, past the framework's routing, which takes longer than they do.
    `note` is told of every request and its seconds once it is over.
    """

    def __init__(
        self, app: Litestar, endpoints: Mapping[str, Endpoint], entrance: Entrance, tally: Tally, note: Note
    ) -> None:
        self._app = app
        self._endpoints = endpoints
        self._entrance = entrance
        self._door, self._limit, self._cors = entrance.door, entrance.limit, entrance.cors
        self._tally = tally
        self._note = note
        self._open = _OPEN | entrance.open
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
        exchange = Exchange(scope["method"], route, send, self._ids.of(headers.get(b"x-request-id")))
        try:
            reply = self._refusal(scope, exchange, headers)
            if reply is None and self._limit is not None and scope["path"] not in _OPEN:
                reply = await _limited(self._limit, exchange.operator_id, scope)
            endpoint = self._endpoints.get(scope["path"]) if scope["method"] == "GET" else None
            if reply is None and endpoint is not None:
                reply = await answered(endpoint, scope)
            await (self._app if reply is None else reply)(scope, receive, exchange.send)
        finally:
            seconds = perf_counter() - started
            self._tally.count((exchange.route, exchange.status, exchange.cache), seconds)
            self._note(exchange, seconds)

    def _refusal(self, scope: HTTPScope, exchange: Exchange, headers: dict[bytes, bytes]) -> Reply | None:
        """The response to a request that may not pass; who passes is noted in its scope."""
        if self._cors is not None:
            exchange.extra = self._cors.headers(headers)
            answer = self._cors.preflight(scope["method"], headers)
            if answer is not None:
                return answer
        path = scope["path"]
        if len(path) + len(scope["query_string"]) > MAX_URL_BYTES:
            return refused(414, "uri_too_long", f"the URL must be at most {MAX_URL_BYTES} bytes long")
        if path in self._open:
            remember_operator(scope, None)
            return None
        authorization = headers.get(b"authorization")
        if authorization is None and b"cookie" in headers and scope["method"] == "GET":
            authorization = bearer_of(headers[b"cookie"])
        try:
            exchange.operator_id = self._door.admit(authorization, scraping=path in _SCRAPED)
        except Unauthorized as reason:
            if path == self._entrance.page and scope["method"] == "GET":
                return self._entrance.ask(scope, str(reason))
            return refused(401, "unauthorized", str(reason), headers={"www-authenticate": "Bearer"})
        remember_operator(scope, exchange.operator_id)
        return None


async def _limited(limit: RateLimit, operator_id: int | None, scope: HTTPScope) -> Reply | None:
    """The refusal of a caller who asks too often: an operator, or an address where there is none."""
    client = scope["client"]
    caller = f"address:{client[0] if client else ''}" if operator_id is None else f"operator:{operator_id}"
    seconds = await limit.wait(caller)
    if seconds is None:
        return None
    message = f"too many requests from this caller; try again in {seconds} s"
    return refused(429, "rate_limited", message, headers={"retry-after": str(seconds)})


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
