"""A response as bytes that stand ready."""

from typing import Any

from litestar.types import Receive, Scope, Send

Header = tuple[bytes, bytes]


class RawResponse:
    """One response, sent as it stands: what a Litestar handler or exception handler may return."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: list[Header], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send the response, as an ASGI application."""
        start: Any = {"type": "http.response.start", "status": self.status, "headers": self.headers}
        await send(start)
        body: Any = {"type": "http.response.body", "body": self.body, "more_body": False}
        await send(body)

    def to_asgi_response(self, *_: object, **__: object) -> "RawResponse":
        """What Litestar asks a response for."""
        return self
