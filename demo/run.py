"""Everything that the demo needs but the service itself: servers, data, a role that only reads."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
from msgspec import Struct
from rich_click import ClickException
from sqlalchemy import make_url

import service
from demo.embedded import embedded_servers
from demo.process import ServerError
from demo.progress import console
from demo.schema import quietly
from demo.seed import Counts, fill
from service.api.table import ENDPOINTS
from service.environment import PREFIX
from service.serving import CannotListen, Serving, refuse_taken, serve

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


def run_demo(host: str, port: int, workers: int, rows: int, data_dir: Path | None) -> None:
    """Serve a demo environment until it is interrupted. Raises click.ClickException when it cannot start."""
    try:
        refuse_taken(host, port)  # before minutes of seeding, not after
        with demo_environment(data_dir, rows) as environment:
            os.environ |= {
                f"{PREFIX}DATABASE_URL": environment.database_url,
                f"{PREFIX}REDIS_URL": environment.redis_url,
                f"{PREFIX}AUTH": "disabled",
                f"{PREFIX}LOG_FORMAT": "console",
            }
            console.print(_welcome(f"http://{host}:{port}", environment), soft_wrap=True)
            serve(Serving(host, port, workers, log_format="console"))
    except (ServerError, CannotListen) as error:
        raise ClickException(str(error)) from None


def _welcome(url: str, environment: Environment) -> str:
    lines = "\n".join(f"  curl '{url}{endpoint.try_it}'" for endpoint in ENDPOINTS)
    return (
        f"[bold]Open {url}/[/bold] for the duty board, {url}/schema for the API; Ctrl-C ends the demo.\n"
        f"Its last 7 days are bad ones, its last 90 are quiet. Or try:\n{lines}\n"
        f"PostgreSQL {environment.admin_database_url}\nValkey     {environment.redis_url}"
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
    command = [sys.executable, "-m", "demo.liven", database_url, redis_url]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True) as process:
        try:
            yield
        finally:
            process.terminate()
