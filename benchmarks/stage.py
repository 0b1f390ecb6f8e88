"""What every benchmark stands on: the real servers with seeded rows, and the service before them."""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TypeAlias

import asyncpg
import psutil
from msgspec import Struct

from demo.process import free_port
from demo.progress import Progress, bars
from demo.run import READER, reader_role_script
from demo.schema import quietly
from demo.seed import Counts, seed
from demo.servers import Postgres, Valkey
from service.settings import Settings
from tests.support.folders import passing_folder
from tests.support.served import END_SECONDS, launched
from tests.support.tokens import SECRET

# As many as the figures of the old service were measured on.
USUAL = Counts(jobs=200_000, runs=200_000, incidents=50_000, plans=5_000)
# All rows fit into PostgreSQL's own memory, so that no figure depends on the disk.
ROOMY = {"shared_buffers": "4GB"}
# So long a tick that no refresh comes between: an answer once computed stays hot.
NO_REFRESH = {"refresh_seconds": "3600"}


# Makes the tables and their rows, and says how far it is.
Fill: TypeAlias = Callable[[asyncpg.Connection, Progress], Awaitable[None]]


class Stage(Struct, frozen=True):
    """Running servers; `admin_url` is the superuser's, `settings` are the reader's."""

    admin_url: str
    settings: Settings
    postmaster: psutil.Process


class Service(Struct, frozen=True):
    """A running service: its address, and its processes."""

    url: str
    parent: psutil.Process

    @property
    def workers(self) -> list[psutil.Process]:
        """The processes that answer."""
        return list(self.parent.children())


@contextmanager
def stage(counts: Counts = USUAL) -> Generator[Stage]:
    """PostgreSQL with so many rows of the last 100 days, all in memory, and an empty Valkey."""

    async def rows(connection: asyncpg.Connection, progress: Progress) -> None:
        await seed(connection, counts, datetime.now(UTC).replace(microsecond=0), progress)

    with stage_with(rows) as servers:
        yield servers


@contextmanager
def stage_with(fill: Fill, settings: Mapping[str, str] = ROOMY) -> Generator[Stage]:
    """PostgreSQL under these settings with the rows that `fill` makes, and an empty Valkey."""
    with passing_folder() as folder:
        postgres, valkey = Postgres(folder / "postgres", settings=settings), Valkey(folder / "valkey")
        try:
            postgres.start()
            valkey.start()
            asyncio.run(_prepare(postgres.url, fill))
            reader = postgres.url.replace("postgres@", f"{READER}@")
            readers = Settings(database_url=reader, redis_url=valkey.url, jwt_secret=SECRET, tenants="*")
            yield Stage(postgres.url, readers, psutil.Process(postgres.pid))
        finally:
            valkey.kill()
            postgres.kill()


async def _prepare(url: str, fill: Fill) -> None:
    connection = await asyncpg.connect(url)
    try:
        with bars() as progress:
            await fill(connection, progress)
        await quietly(connection, reader_role_script())
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


@contextmanager
def service(
    stage: Stage, variables: Mapping[str, str] = MappingProxyType({}), *, workers: int = 1
) -> Generator[Service]:
    """The service with authentication on; `variables` are settings by their lower-case names."""
    port = free_port()
    authentication = {"auth": "required", "jwt_secret": SECRET}
    with launched(stage.settings, port, workers, **authentication, **variables) as process:
        yield Service(f"http://127.0.0.1:{port}", psutil.Process(process.pid))
        process.terminate()
        process.wait(END_SECONDS)
