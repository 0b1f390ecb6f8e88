"""A request's body: read whole, and in time, before anybody answers; or refused, and the connection with it.

Who answers before a body is read has to hang up, and then whoever keeps that connection for others
(nginx does) fails with it. And who waits for a body without end holds one connection for as long.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from litestar.types import Receive

from service.api.responses.errors import GONE, Refusal

# As much as nginx takes; forms are shorter.
MAX_BODY_BYTES = 64 * 1024
# As long as a head may take.
BODY_SECONDS = 10.0


def has_body(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a body follows these headers, which are by their lower-case names."""
    return headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers


async def whole_body(headers: Mapping[bytes, bytes], receive: Receive) -> Receive:
    """Read the body; what is returned gives it to whoever asks for it. Raises Refusal."""
    length = headers.get(b"content-length", b"")
    if length.isdigit() and int(length) > MAX_BODY_BYTES:
        raise _too_large()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await _read(receive)
    except TimeoutError:
        message = f"the body did not come within {BODY_SECONDS:g} s"
        raise Refusal(408, "body_too_slow", message, connection="close") from None

    async def again() -> Any:  # noqa: ANN401 - one of ASGI's messages
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            raise Refusal(GONE, "gone", "the caller went away", connection="close")
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise _too_large()
        if not message.get("more_body", False):
            return bytes(body)


def _too_large() -> Refusal:
    message = f"the body must be at most {MAX_BODY_BYTES} bytes long"
    return Refusal(413, "body_too_large", message, connection="close")
