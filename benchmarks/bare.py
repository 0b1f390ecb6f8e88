"""The yardstick: a Litestar handler that does nothing, behind the service's own server settings.

    BARE_SIZES=900,1200 python -m benchmarks.bare --port 8001

answers /900 and /1200 with so many bytes.
"""

import os
import sys
from collections.abc import Collection, Generator
from contextlib import contextmanager

import rich_click as click
from litestar import Litestar, get
from litestar.handlers import HTTPRouteHandler

from demo.process import free_port
from service.serving import Serving, serve
from tests.support.served import END_SECONDS, running

SIZES = "BARE_SIZES"


def application() -> Litestar:
    """One handler for each size that the environment names."""
    sizes = [int(size) for size in os.environ[SIZES].split(",")]
    return Litestar([_handler(size) for size in sizes], openapi_config=None, logging_config=None)


def _handler(size: int) -> HTTPRouteHandler:
    body = b"x" * size

    @get(f"/{size}", media_type="application/json")
    async def handler() -> bytes:
        return body

    return handler


@contextmanager
def bare(sizes: Collection[int], workers: int = 1) -> Generator[str]:
    """The address of a running yardstick; `/size` answers with that many bytes."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "benchmarks.bare", "--port", str(port), "--workers", str(workers)]
    named = {SIZES: ",".join(map(str, sorted(set(sizes))))}
    with running(command, named, f"{url}/{min(sizes)}") as process:
        yield url
        process.terminate()
        process.wait(END_SECONDS)


@click.command()
@click.option("--port", required=True, type=int)
@click.option("--workers", default=1)
def main(port: int, workers: int) -> None:
    """Serve the bare handlers."""
    serve(Serving("127.0.0.1", port, workers), "benchmarks.bare:application")


if __name__ == "__main__":
    main()
