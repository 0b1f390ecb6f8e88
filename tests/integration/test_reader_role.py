"""The reader role of migrations_none: the columns of the contract, and nothing else."""

import re
from collections.abc import AsyncIterator

import asyncpg
import pytest

from demo.run import READER, reader_role_script
from demo.servers import Postgres
from service.sources import tables
from tests.support.addresses import reader_url

PLM_TABLES = (
    "meta_conversion_jobs",
    "meta_workflow_custom_action_runs",
    "meta_breakage_incidents",
    "meta_consumption_plans",
    "meta_3d_overlays",
)


@pytest.fixture
async def reader(postgres: Postgres, database: asyncpg.Connection) -> AsyncIterator[asyncpg.Connection]:
    """A connection as the reader."""
    connection = await asyncpg.connect(reader_url(postgres))
    yield connection
    await connection.close()


async def test_it_reads_every_column_that_the_service_reads_and_no_other(
    database: asyncpg.Connection,
) -> None:
    readable = await database.fetch(
        """
        SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = 'public' AND has_column_privilege(
            $1, format('public.%I', table_name), column_name, 'SELECT')
        """,
        READER,
    )
    wanted = {(table.name, column.name) for table in tables.metadata.tables.values() for column in table.c}
    assert {tuple(row) for row in readable} == wanted


@pytest.mark.parametrize("table", PLM_TABLES)
async def test_it_cannot_read_whole_rows_nor_change_any(reader: asyncpg.Connection, table: str) -> None:
    await reader.execute("SET default_transaction_read_only = off")
    for statement in (
        f"SELECT * FROM {table}",
        f"INSERT INTO {table} (id) VALUES ('x')",
        f"UPDATE {table} SET id = id",
        f"DELETE FROM {table}",
        f"TRUNCATE {table}",
        f"DO $$ BEGIN LOCK TABLE {table} IN SHARE MODE; END $$",
        f"CREATE INDEX ON {table} (created_at)",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.execute(statement)


async def test_it_cannot_create_anything_in_the_schema(reader: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await reader.execute("CREATE TABLE public.mine (id int)")
    await reader.execute("SET default_transaction_read_only = off")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.execute("CREATE TABLE public.mine (id int)")


async def test_it_is_no_more_than_a_role_that_logs_in(database: asyncpg.Connection) -> None:
    role = await database.fetchrow("SELECT * FROM pg_roles WHERE rolname = $1", READER)
    powers = {name for name, value in role.items() if value is True}
    assert powers == {"rolcanlogin", "rolinherit"}
    assert (
        await database.fetchval("SELECT count(*) FROM pg_auth_members WHERE member = $1::regrole", READER)
        == 0
    )


async def test_a_second_run_takes_back_what_was_granted_since(
    database: asyncpg.Connection, reader: asyncpg.Connection
) -> None:
    await database.execute(f"GRANT SELECT, DELETE ON meta_3d_overlays, meta_conversion_jobs TO {READER}")
    await database.execute(f"GRANT SELECT (name) ON meta_consumption_plans TO {READER}")
    assert await reader.fetch("SELECT * FROM meta_3d_overlays") == []
    await database.execute(reader_role_script())
    for statement in (
        "SELECT * FROM meta_3d_overlays",
        "SELECT priority FROM meta_conversion_jobs",
        "SELECT name FROM meta_consumption_plans",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.execute(statement)
    assert await reader.fetch("SELECT id FROM meta_conversion_jobs") == []


async def test_a_second_run_takes_back_every_other_way_to_write(
    database: asyncpg.Connection, spare: asyncpg.Connection
) -> None:
    await spare.execute("CREATE SEQUENCE numbers; CREATE FUNCTION one() RETURNS int RETURN 1")
    await spare.execute("REVOKE EXECUTE ON FUNCTION one() FROM PUBLIC")
    await spare.execute(
        f"""
        GRANT pg_write_all_data, pg_read_all_data TO {READER};
        GRANT CREATE, TEMPORARY ON DATABASE spare TO {READER};
        GRANT CREATE ON SCHEMA public TO {READER};
        GRANT ALL ON SEQUENCE numbers TO {READER};
        GRANT EXECUTE ON FUNCTION one() TO {READER};
        """
    )
    assert await _may(spare) == [True] * 5
    await spare.execute(reader_role_script())
    assert await _may(spare) == [False] * 5


async def test_what_cannot_be_taken_is_what_the_script_says(
    spare: asyncpg.Connection, spare_url: str
) -> None:
    """And what it gives for a superuser to run takes it, in that database."""
    made = ("lo_creat(-1)", "lo_create(0)", "lo_from_bytea(0, 'x')")
    attempts = (*(f"SELECT {each}" for each in made), "CREATE TEMPORARY TABLE mine (id int)")
    for statement in (*attempts, f"ALTER ROLE {READER} PASSWORD 'x'"):
        await _try(spare_url, statement)
    for statement in re.findall(r"^-- +(REVOKE .*;)$", reader_role_script(), re.MULTILINE):
        await spare.execute(statement.replace("DATABASE plm", "DATABASE spare"))
    for statement in attempts:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await _try(spare_url, statement)


async def _may(connection: asyncpg.Connection) -> list[bool]:
    """What the reader may do that it should not."""
    row = await connection.fetchrow(
        """
        SELECT EXISTS (SELECT FROM pg_auth_members WHERE member = $1::regrole),
            EXISTS (
                SELECT FROM pg_database, aclexplode(datacl)
                WHERE datname = 'spare' AND grantee = $1::regrole
            ),
            has_schema_privilege($1, 'public', 'CREATE'),
            has_sequence_privilege($1, 'numbers', 'USAGE'),
            has_function_privilege($1, 'one()', 'EXECUTE')
        """,
        READER,
    )
    return list(row.values())


async def _try(url: str, statement: str) -> None:
    """Run a statement as the reader, who has switched read-only off, and take it back."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET default_transaction_read_only = off")
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(statement)
        await transaction.rollback()
    finally:
        await connection.close()


def test_the_script_holds_no_password_and_needs_no_psql() -> None:
    statements = re.sub(r"--.*", "", reader_role_script())
    assert not re.search(r"password|\\|:['\"\w]", statements, re.IGNORECASE)
