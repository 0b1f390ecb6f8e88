"""Bodies of requests: read whole where anybody might share the connection, refused in time elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Generator
from typing import Any

import asyncpg
import httpx
import pytest

from service.api.access import body
from service.api.responses.errors import Refusal
from service.settings import Settings
from tests.support.api import PREFIX
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.served import served

pytestmark = pytest.mark.usefixtures("database", "redis")

GET = f"GET {PREFIX}/summary HTTP/1.1\r\nHost: 127.0.0.1\r\n".encode()
LAST = b"GET /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
LONG = b"x" * body.MAX_BODY_BYTES


@pytest.fixture(scope="module")
def url(settings: Settings, admin: asyncpg.Connection) -> Generator[str]:
    """The address of a server process, for all tests of this file."""
    with served(settings) as address:
        yield address


@pytest.mark.parametrize(
    "request_bytes",
    [
        GET + b"Content-Length: %d\r\n\r\n" % len(LONG) + LONG,
        GET + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(LONG), LONG),
    ],
    ids=["whole", "chunked"],
)
async def test_what_comes_after_a_body_on_the_same_connection_is_answered(
    url: str, request_bytes: bytes
) -> None:
    answers = await _answers(url, request_bytes + (GET + b"\r\n") * 3 + LAST)
    assert [answer[:3] for answer in answers] == [b"200"] * 4 + [b"404"]


@pytest.mark.parametrize("length", [b"Content-Length: 65537", b"Transfer-Encoding: chunked"])
async def test_a_body_that_is_too_long_is_refused_and_the_connection_with_it(url: str, length: bytes) -> None:
    request = GET + length + b"\r\n\r\n10001\r\n" + LONG + b"x\r\n"
    (answer,) = await _answers(url, request)
    assert answer[:3] == b"413"
    assert b"\r\nconnection: close\r\n" in answer
    assert b'"code":"parallel_ops_body_too_large"' in answer


async def test_a_body_that_does_not_come_is_refused_in_time(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "BODY_SECONDS", 0.05)
    async with serve(NOW, auth="disabled") as client:
        answer = await client.post("/sign-in", content=_never_ends())
    assert (answer.status_code, answer.headers["connection"]) == (408, "close")
    assert answer.json()["detail"]["code"] == "parallel_ops_body_too_slow"


async def test_who_hangs_up_in_the_middle_of_a_body_has_asked_nothing() -> None:
    messages: list[Any] = [
        {"type": "http.request", "body": b"token=", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Any:  # noqa: ANN401
        return messages.pop(0)

    with pytest.raises(Refusal, match="the caller went away"):
        await body.whole_body({b"content-length": b"9"}, receive)


async def test_a_form_in_parts_is_read_as_one(serve: Serve) -> None:
    async with serve(NOW) as client:
        answer = await client.post("/sign-in", content=_in_parts())
    assert (answer.status_code, answer.headers["location"]) == (303, "/?window_days=30")


async def _answers(url: str, request: bytes) -> list[bytes]:
    """What comes back on one connection until it is closed."""
    address = httpx.URL(url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        writer.write(request)
        async with asyncio.timeout(20):
            return (await reader.read()).split(b"HTTP/1.1 ")[1:]
    finally:
        writer.transport.abort()


async def _never_ends() -> AsyncIterator[bytes]:
    yield b"token="
    await asyncio.sleep(3600)


async def _in_parts() -> AsyncIterator[bytes]:
    for part in (b"token=x&", b"next=%2F%3Fwindow_", b"days%3D30"):
        yield part
