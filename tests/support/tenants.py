"""Tenants in a real PostgreSQL: a database each, or a schema each of one database."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from demo.run import READER, reader_role_script
from demo.schema import create_schema
from demo.servers import Postgres
from service.tenants.tenancy import TENANT, slug
from tests.support.addresses import reader_url

SCHEMA_SCRIPT = Path(__file__).parents[2] / "migrations_none" / "reader_schema.sql"
SCHEMA_TEMPLATE = f"yt_t_{TENANT}"
DATABASE_TEMPLATE = f"tenant_{TENANT}"


def databases_url(postgres: Postgres) -> str:
    """The address of a tenant's database, as the reader, with its placeholder."""
    return f"{reader_url(postgres).rpartition('/')[0]}/{DATABASE_TEMPLATE}"


@asynccontextmanager
async def connected(postgres: Postgres, database: str) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection."""
    connection = await asyncpg.connect(f"{postgres.url.rpartition('/')[0]}/{database}")
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def refusing_the_reader(admin: asyncpg.Connection) -> AsyncIterator[None]:
    """PostgreSQL lets the service open no more connections during the block."""
    await admin.execute(f"ALTER ROLE {READER} CONNECTION LIMIT 0")
    try:
        yield
    finally:
        await admin.execute(f"ALTER ROLE {READER} CONNECTION LIMIT -1")


async def make_databases(postgres: Postgres, tenants: Sequence[str]) -> None:
    """A database each with the PLM's tables, empty; one that is there is replaced."""
    async with connected(postgres, "postgres") as admin:
        for each in tenants:
            name = DATABASE_TEMPLATE.replace(TENANT, each)
            await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            await admin.execute(f'CREATE DATABASE "{name}"')
            async with connected(postgres, name) as connection:
                await create_schema(connection)
                await connection.execute(reader_role_script())


async def make_schemas(admin: asyncpg.Connection, tenants: Sequence[str]) -> None:
    """A schema each with the PLM's tables, empty, beside those of `public`."""
    for each in tenants:
        name = SCHEMA_TEMPLATE.replace(TENANT, slug(each))
        await admin.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}")
        await admin.execute(f"SET search_path = {name}")
        try:
            await create_schema(admin)
            await admin.execute(SCHEMA_SCRIPT.read_text())
        finally:
            await admin.execute("RESET search_path")
