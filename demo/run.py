"""Everything that the demo needs but the service itself: servers, data, a role that only reads."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import asyncpg
from msgspec import Struct
from parallel_ops_recorder.keys import NO_TENANT
from rich_click import ClickException
from sqlalchemy import make_url

import service
from demo.embedded import embedded_servers
from demo.process import ServerError
from demo.progress import console
from demo.schema import quietly
from demo.seed import Counts, fill
from demo.tenants import DATABASES, TENANT, Access, create_database, guarded
from service.api.table import ENDPOINTS
from service.environment import PREFIX
from service.serving import CannotListen, Serving, refuse_taken, serve

READER = "parallel_ops_reader"
READER_ROLE = "migrations_none/reader_role.sql"


class Address(Struct, frozen=True):
    """Where the demo is served, and by how many processes."""

    host: str
    port: int
    workers: int


class Environment(Struct, frozen=True):
    """Where a demo is served from; `database_url` is the reader's, who sees what the contract lists.

    Where there are tenants, both addresses hold their placeholder.
    """

    database_url: str
    admin_database_url: str
    redis_url: str


@contextmanager
def demo_environment(data_dir: Path | None, rows: int, tenants: Sequence[str] = ()) -> Generator[Environment]:
    """Servers with seeded data that moves, until the block or the process ends.

    With data_dir the data is kept there and used again. Tenants have a database each, the first has all
    `rows`, the second half of them, and so on. Not for use inside a
    running event loop. Raises ServerError.
    """
    with (
        console.status("Starting PostgreSQL and Valkey ...") as status,
        embedded_servers(data_dir) as servers,
        ExitStack() as livened,
    ):
        status.stop()
        url = f"{servers.database_url.rpartition('/')[0]}/{DATABASES}" if tenants else servers.database_url
        for number, tenant in enumerate(tenants or (NO_TENANT,), 1):
            database = url.replace(TENANT, tenant)
            if tenants:
                asyncio.run(create_database(servers.database_url, make_url(database).database or ""))
                console.print(f"[bold]{tenant}[/bold]")
            asyncio.run(fill(database, servers.redis_url, Counts.of(max(1, rows // number)), tenant))
            asyncio.run(_create_reader(database))
            livened.enter_context(_livened(database, servers.redis_url, tenant))
        # Not as an address: that would write braces otherwise.
        reader = url.replace(f"{make_url(url).username}@", f"{READER}@", 1)
        yield Environment(reader, url, servers.redis_url)


def run_demo(address: Address, rows: int, data_dir: Path | None, tenants: Sequence[str]) -> None:
    """Serve a demo environment until it is interrupted. Raises click.ClickException when it cannot start."""
    host, port, workers = address.host, address.port, address.workers
    try:
        refuse_taken(host, port)  # before minutes of seeding, not after
        with demo_environment(data_dir, rows, tenants) as environment:
            access = guarded(tenants) if tenants else Access({f"{PREFIX}AUTH": "disabled"})
            os.environ |= {
                f"{PREFIX}DATABASE_URL": environment.database_url,
                f"{PREFIX}REDIS_URL": environment.redis_url,
                f"{PREFIX}LOG_FORMAT": "console",
                **access.variables,
            }
            console.print(_welcome(f"http://{host}:{port}", environment, access), soft_wrap=True)
            serve(Serving(host, port, workers, log_format="console"))
    except (ServerError, CannotListen) as error:
        raise ClickException(str(error)) from None


def _welcome(url: str, environment: Environment, access: Access) -> str:
    header = ' -H "Authorization: Bearer $TOKEN"' if access.tokens else ""
    lines = "\n".join(f"  curl{header} '{url}{endpoint.try_it}'" for endpoint in ENDPOINTS)
    first = "".join(f"  export TOKEN={token}\n" for token in list(access.tokens.values())[:1])
    tokens = "".join(
        f"\n[bold]{tenant}[/bold] signs in with {token}" for tenant, token in access.tokens.items()
    )
    return (
        f"[bold]Open {url}/[/bold] for the duty board, {url}/schema for the API; Ctrl-C ends the demo."
        f"{tokens}\n"
        f"Its last 7 days are bad ones, its last 90 are quiet. Or try:\n{first}{lines}\n"
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
def _livened(database_url: str, redis_url: str, tenant: str) -> Generator[None]:
    """A process of its own: the server forks its workers, which a thread here might not survive."""
    command = [sys.executable, "-m", "demo.liven", database_url, redis_url, tenant]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True) as process:
        try:
            yield
        finally:
            process.terminate()
