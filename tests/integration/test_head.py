"""HEAD is GET without a body, on every page and endpoint: what uptime monitors ask with."""

import asyncio

import pytest

from service.dashboard.assets import address
from service.settings import Settings
from tests.support.api import PREFIX
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.served import served
from tests.support.tokens import SECRET, token

READ = (
    *(
        "/",
        "/metrics",
        "/health/live",
        "/health/ready",
        "/schema",
        "/schema/openapi.json",
        address("board.css"),
    ),
    *(PREFIX + path for path in ("/summary", "/summary?window_days=5", "/summary/export", "/metrics")),
    f"{PREFIX}/trends/export?export_format=csv",
    f"{PREFIX}/report",
    "/nothing",
)
# What differs from one request to the next, whatever its method.
OF_ONE_REQUEST = {"x-request-id", "x-cache"}
# Figures of this moment; and a refusal that names the method.
SAYS_SOMETHING_NEW = ("/metrics", "/health", "/nothing")


@pytest.mark.parametrize("path", READ)
async def test_head_has_the_status_and_the_headers_of_get_and_no_body(
    serve: Serve, database: object, path: str
) -> None:
    async with serve(NOW) as client:
        await client.get(path)  # from here on, answers stand ready
        got, head = [await client.request(method, path) for method in ("GET", "HEAD")]
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert got.content
    if not path.startswith(SAYS_SOMETHING_NEW):
        assert {*head.headers.items()} ^ {*got.headers.items()} <= {
            pair for each in (head, got) for pair in each.headers.items() if pair[0] in OF_ONE_REQUEST
        }


async def test_a_browsers_cookie_is_taken_for_it(serve: Serve, database: object) -> None:
    async with serve(NOW, auth="required", jwt_secret=SECRET) as client:
        cookie = {"Cookie": f"parallel_ops_token={token()}"}
        assert (await client.head(f"{PREFIX}/summary", headers=cookie)).status_code == 200
        assert (await client.head(f"{PREFIX}/summary")).status_code == 401


async def test_a_live_server_sends_nothing_after_the_head(settings: Settings, database: object) -> None:
    with served(settings) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        for path in (f"{PREFIX}/summary", "/"):
            close = "close" if path == "/" else "keep-alive"
            writer.write(f"HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: {close}\r\n\r\n".encode())
        text = (await reader.read()).decode()
        writer.close()
    first, second, rest = text.split("\r\n\r\n")
    assert first.startswith("HTTP/1.1 200 ")
    assert "content-length: " in first
    assert second.startswith("HTTP/1.1 200 ")
    assert rest == ""
