"""Responses to hot requests: bytes that stand ready, and the headers that let others keep them."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar.types import HTTPScope, Receive, Scope, Send
from msgspec import Struct

from service.api.answers import Encoded
from service.api.caller import operator_of
from service.api.compression import MIN_BYTES, accepts_gzip
from service.cache.parts import State

_VARY = (b"vary", b"accept-encoding")

Header = tuple[bytes, bytes]


class Content(Struct, frozen=True):
    """What kind of body an endpoint sends, and where it names the caller."""

    headers: tuple[Header, ...]
    names_operator_in: str | None = None


class Reply:
    """One response, sent as it stands: an ASGI application."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: list[Header], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Send the response."""
        start: Any = {"type": "http.response.start", "status": self.status, "headers": self.headers}
        await send(start)
        body: Any = {"type": "http.response.body", "body": self.body, "more_body": False}
        await send(body)


Endpoint = Callable[[HTTPScope], Awaitable[Reply]]


class Replies:
    """Makes responses of encoded answers. `clock` gives Unix seconds, `next_tick` the next refresh."""

    def __init__(self, clock: Callable[[], float], next_tick: Callable[[], int]) -> None:
        self._clock = clock
        self._next_tick = next_tick

    def to(self, scope: HTTPScope, content: Content, encoded: Encoded, state: State) -> Reply:
        """The answer for the caller of that request, or 304 when it has the same already."""
        operator_id = operator_of(scope)
        etag = b'W/"%b-%b"' % (encoded.digest, b"" if operator_id is None else b"%d" % operator_id)
        now = self._clock()
        headers = [
            (b"etag", etag),
            (b"cache-control", b"private, max-age=%d" % max(0, self._next_tick() - now)),
            (b"age", b"%d" % max(0, now - encoded.tick)),
            (b"x-cache", state.encode()),
            _VARY,
        ]
        has_already, gzip = _asked(scope, etag)
        if has_already:
            return Reply(304, headers, b"")
        end = b""
        if content.names_operator_in == "body":
            end = _end(operator_id)
        elif content.names_operator_in == "header" and operator_id is not None:
            headers.append((b"x-operator-id", b"%d" % operator_id))
        # The end takes the place of a JSON object's last brace.
        shared = len(encoded.body) - (1 if end else 0)
        if gzip and shared >= MIN_BYTES:
            headers.append((b"content-encoding", b"gzip"))
            body = encoded.packed(shared).ended_with(end)
        else:
            body = encoded.body[:shared] + end
        return Reply(200, [*content.headers, (b"content-length", b"%d" % len(body)), *headers], body)


def _end(operator_id: int | None) -> bytes:
    """operator_id as the last field of a JSON object: all else is the same for every caller."""
    return b',"operator_id":%b}' % (b"null" if operator_id is None else b"%d" % operator_id)


def _asked(scope: HTTPScope, etag: bytes) -> tuple[bool, bool]:
    """Whether If-None-Match names the entity, and whether gzip may be sent."""
    has_already = gzip = False
    for name, value in scope["headers"]:
        if name == b"if-none-match":
            has_already = has_already or _matches(value, etag)
        elif name == b"accept-encoding":
            gzip = accepts_gzip(value)
    return has_already, gzip


def _matches(tags: bytes, etag: bytes) -> bool:
    """Weak comparison (RFC 9110, 13.1.2)."""
    opaque = etag.removeprefix(b"W/")
    return any(tag.strip().removeprefix(b"W/") in (b"*", opaque) for tag in tags.split(b","))
