"""Everything happens on the event loop: a thread for each request would be slower, and they add up."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from tests.support.api import PREFIX
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.tokens import SECRET, bearer, token


class Noting(ThreadPoolExecutor):
    """Threads, and what was given to them."""

    def __init__(self) -> None:
        super().__init__()
        self.given: set[str] = set()

    def submit(self, work: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:  # noqa: ANN401
        """Note the work, whatever it is wrapped in."""
        self.given.add(f"{work!r} {args!r}")
        return super().submit(work, *args, **options)


async def test_no_request_is_handed_to_a_thread(serve: Serve, database: object) -> None:
    executor = Noting()
    asyncio.get_running_loop().set_default_executor(executor)
    async with serve(NOW, auth="required", jwt_secret=SECRET) as client:
        for path in (
            "/summary",
            "/trends",
            "/alerts",
            "/summary/export",
            "/report",
            "/metrics",
            "/summary?window_days=2",
        ):
            await client.get(PREFIX + path, headers=bearer(token()))
            await client.get(PREFIX + path)
        for path in ("/nothing", "/metrics", "/health/ready", "/schema/openapi.json", "/sign-in"):
            await client.get(path, headers=bearer(token()))
    # Names of servers are looked up there: asyncio has no other way.
    assert [work for work in executor.given if "getaddrinfo" not in work] == []
