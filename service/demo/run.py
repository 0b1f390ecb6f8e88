"""Everything that the demo needs but the service itself: servers, data, a role that only reads."""

import asyncio
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
from msgspec import Struct
from sqlalchemy import make_url

import service
from service.demo.embedded import embedded_servers
from service.demo.progress import console
from service.demo.schema import quietly
from service.demo.seed import Counts, fill

READER = "parallel_ops_reader"
READER_ROLE = "migrations_none/reader_role.sql"


class Environment(Struct, frozen=True):
    """Where a demo is served from; `database_url` is the reader's, who sees what the contract lists."""

    database_url: str
    admin_database_url: str
    redis_url: str


@contextmanager
def demo_environment(data_dir: Path | None, rows: int) -> Generator[Environment]:
    """Servers with seeded data that moves, until the block or the process ends.

    With data_dir the data is kept there and used again. Not for use inside a running event loop.
    Raises ServerError.
    """
    with (
        console.status("Starting PostgreSQL and Valkey ...") as status,
        embedded_servers(data_dir) as servers,
    ):
        status.stop()
        asyncio.run(fill(servers.database_url, servers.redis_url, Counts.of(rows)))
        asyncio.run(_create_reader(servers.database_url))
        with _livened(servers.database_url, servers.redis_url):
            yield Environment(
                database_url=make_url(servers.database_url)
                .set(username=READER)
                .render_as_string(hide_password=False),
                admin_database_url=servers.database_url,
                redis_url=servers.redis_url,
            )


async def _create_reader(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await quietly(connection, reader_role_script())
    finally:
        await connection.close()


def reader_role_script() -> str:
    """The statements that create the reader: in a checkout beside the package, in a wheel within it."""
    package = Path(service.__file__).parent
    places = (package.parent / READER_ROLE, package / READER_ROLE)
    return next(place for place in places if place.exists()).read_text()


@contextmanager
def _livened(database_url: str, redis_url: str) -> Generator[None]:
    """A process of its own: the server forks its workers, which a thread here might not survive."""
    command = [sys.executable, "-m", "service.demo.liven", database_url, redis_url]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True) as process:
        try:
            yield
        finally:
            process.terminate()
