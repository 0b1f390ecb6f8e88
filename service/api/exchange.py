"""One request and its response, and the headers that every response has."""

from collections.abc import Awaitable

from litestar.types import Message, Send

from service.api.reply import Header

# What a client gets that went away before it was answered, as nginx logs it.
GONE = 499
_SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
_CONTENT_SECURITY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")


class Exchange:
    """One request and its response, as far as it is known."""

    __slots__ = ("_send", "cache", "extra", "method", "operator_id", "request_id", "route", "status")

    def __init__(self, method: str, route: str, send: Send, request_id: bytes) -> None:
        self.method = method
        self.route = route
        self.request_id = request_id
        self.operator_id: int | None = None
        self.status = GONE
        self.cache = b""
        self.extra: tuple[Header, ...] = ()
        self._send = send

    def send(self, message: Message) -> Awaitable[None]:
        """Pass a message on to the server; the response's start gets the headers that all have."""
        if message["type"] == "http.response.start":
            headers = list(message["headers"])
            names = dict(headers)
            self.status = message["status"]
            self.cache = names.get(b"x-cache", b"")
            headers += _SECURITY
            headers += self.extra
            headers.append((b"x-request-id", self.request_id))
            if b"content-security-policy" not in names:
                headers.append(_CONTENT_SECURITY)
            message["headers"] = headers
        return self._send(message)
