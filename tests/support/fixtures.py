"""A real PostgreSQL with the PLM's tables, a real Valkey, and the service between them."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
from msgspec.structs import replace
from redis.asyncio import Redis

from demo.run import reader_role_script
from demo.schema import create_schema
from demo.servers import Postgres, Valkey
from service.app import create_app
from service.settings import Settings
from tests.support.addresses import reader_url
from tests.support.api import PREFIX
from tests.support.builders import Database, clear, insert, job
from tests.support.clock import NOW, Clock
from tests.support.folders import passing_folder
from tests.support.indexes import index_names, optional_indexes
from tests.support.slow_jobs import QUICK
from tests.support.statement_log import StatementLog

if TYPE_CHECKING:
    from service.tracing.spans import Spans

# Of the database: on a busy machine the usual share is too little for ticks as short as those of tests.
PLENTY = 64.0

Serve = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
Ask = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture(scope="session")
def server_folder() -> Generator[Path]:
    """Where the servers of this run are."""
    with passing_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def postgres(server_folder: Path) -> Generator[Postgres]:
    """One PostgreSQL for all tests; it writes every statement to its log."""
    server = Postgres(
        server_folder / "postgres",
        settings={
            "log_statement": "all",
            "log_line_prefix": "[%a] %d ",
            "max_connections": "200",
            # Whole statements, so that a test can look for the one that it waits for.
            "track_activity_query_size": "16kB",
        },
    )
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def another_postgres(server_folder: Path) -> Generator[Postgres]:
    """A second PostgreSQL, which is not started before a test wants to break it."""
    server = Postgres(server_folder / "another-postgres")
    yield server
    server.kill()


@pytest.fixture
def own_postgres(another_postgres: Postgres) -> Generator[Postgres]:
    """A running PostgreSQL that a test may stop or freeze; it may hold what others left there."""
    another_postgres.start()
    yield another_postgres
    another_postgres.resume()


@pytest.fixture(scope="session")
def valkey(server_folder: Path) -> Generator[Valkey]:
    """One Valkey for all tests."""
    server = Valkey(server_folder / "valkey")
    server.start()
    yield server
    server.kill()


@pytest_asyncio.fixture(scope="session")
async def admin(postgres: Postgres) -> AsyncGenerator[asyncpg.Connection]:
    """A superuser's connection to a database that has the PLM's tables and the reader role."""
    connection = await asyncpg.connect(postgres.url)
    await create_schema(connection)
    await connection.execute(reader_role_script())
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def database(admin: asyncpg.Connection) -> asyncpg.Connection:
    """The superuser's connection, all tables empty."""
    await clear(admin)
    return admin


@pytest_asyncio.fixture
async def indexes(database: asyncpg.Connection) -> AsyncIterator[None]:
    """The optional indexes in that database, for one test."""
    try:
        for statement in optional_indexes():
            await database.execute(statement)
        yield
    finally:
        for name in index_names():
            await database.execute(f"DROP INDEX IF EXISTS {name}")


@pytest_asyncio.fixture
async def slow_jobs(database: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    """A database with one failed job, in which reading jobs takes long once `napping(seconds)` is run."""
    await insert(database, Database(jobs=[job(status="failed", created_at=NOW)]))
    yield database
    if await database.fetchval("SELECT to_regclass('real_jobs') IS NOT NULL"):
        await database.execute(QUICK)


@pytest_asyncio.fixture
async def spare(postgres: Postgres, admin: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection to another database with the PLM's tables, which a test may spoil."""
    await admin.execute("DROP DATABASE IF EXISTS spare WITH (FORCE)")
    await admin.execute("CREATE DATABASE spare")
    async with _filled(postgres, "spare") as connection:
        yield connection


@pytest_asyncio.fixture(params=["LATIN1", "EUC_CN", "SQL_ASCII"])
async def other_encoding(
    postgres: Postgres, admin: asyncpg.Connection, settings: Settings, request: pytest.FixtureRequest
) -> AsyncIterator[tuple[str, str]]:
    """An encoding that is no Unicode, and the address of a database of it with the PLM's tables."""
    await admin.execute("DROP DATABASE IF EXISTS no_unicode WITH (FORCE)")
    await admin.execute(
        f"CREATE DATABASE no_unicode TEMPLATE template0 ENCODING '{request.param}'"
        " LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    async with _filled(postgres, "no_unicode"):
        yield request.param, f"{settings.database_url.rpartition('/')[0]}/no_unicode"


@asynccontextmanager
async def _filled(postgres: Postgres, name: str) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection to a database, which gets the PLM's tables and the reader role's grants."""
    connection = await asyncpg.connect(f"{postgres.url.rpartition('/')[0]}/{name}")
    await create_schema(connection)
    await connection.execute(reader_role_script())
    yield connection
    await connection.close()


@pytest.fixture
def spare_url(settings: Settings, spare: asyncpg.Connection) -> str:
    """The spare database as the reader reaches it."""
    return f"{settings.database_url.rpartition('/')[0]}/spare"


@pytest_asyncio.fixture
async def redis(valkey: Valkey) -> AsyncIterator[Redis]:
    """A client of the Valkey, which is empty."""
    async with Redis.from_url(valkey.url) as client:
        await client.flushall()
        yield client


@pytest.fixture(scope="session")
def settings(postgres: Postgres, valkey: Valkey) -> Settings:
    """The service's settings: it reads under the reader role."""
    return Settings(
        database_url=reader_url(postgres),
        redis_url=valkey.url,
        auth="disabled",
        tenants="*",
        database_share=PLENTY,
    )


@pytest.fixture
def serve(settings: Settings, redis: Redis, admin: asyncpg.Connection) -> Serve:
    """Starts the service in this process with an empty cache: `async with serve(instant) as client`.

    `instant` is a time at which the clock stands still, or a clock; `flush=False` leaves Redis as it
    is, for a second instance; `spans` traces requests; further names are settings.
    """

    @asynccontextmanager
    async def start(
        instant: datetime | Clock,
        *,
        flush: bool = True,
        spans: "Spans | None" = None,
        **changes: Any,  # noqa: ANN401
    ) -> AsyncIterator[httpx.AsyncClient]:
        clock = instant if isinstance(instant, Clock) else Clock(instant)
        if flush:
            await redis.flushall()
        app = create_app(replace(settings, **changes), clock, spans=spans)
        transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
        async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client

    return start


@pytest.fixture
def ask(database: asyncpg.Connection, serve: Serve) -> Ask:
    """Writes rows, starts the service at NOW and asks it once: `await ask("/summary", rows, site_id="S1")`.

    A path may bring its own query string; the answer's status must be `status`, by default 200.
    """

    async def once(
        path: str,
        rows: Database | None = None,
        status: int = 200,
        settings: dict[str, Any] | None = None,
        **parameters: Any,  # noqa: ANN401
    ) -> httpx.Response:
        await insert(database, rows or Database())
        async with serve(NOW, **settings or {}) as client:
            response = await client.get(PREFIX + path, params=parameters or None)
        assert response.status_code == status, response.text
        return response

    return once


@pytest.fixture
def statements(postgres: Postgres, admin: asyncpg.Connection) -> StatementLog:
    """Counts, at the database, what the service runs from now on."""
    return StatementLog(postgres)
