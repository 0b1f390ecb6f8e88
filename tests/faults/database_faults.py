"""What can happen to PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import asyncpg

from demo.run import READER, reader_role_script
from demo.servers import Postgres
from tests.faults import outage
from tests.faults.checker import UNAVAILABLE
from tests.faults.counts import OURS
from tests.faults.outage import Outage
from tests.faults.trial import Fault
from tests.faults.world import DATABASE_SETTINGS, World
from tests.support.children import run_program

JOBS = "meta_conversion_jobs"
# A row costs the reader a nap longer than a statement may take; whoever owns the tables sees no difference.
NAP = f"""
CREATE POLICY nap ON {JOBS} FOR SELECT TO {READER} USING (pg_sleep(5) IS NOT NULL);
ALTER TABLE {JOBS} ENABLE ROW LEVEL SECURITY
"""
NO_NAP = f"ALTER TABLE {JOBS} DISABLE ROW LEVEL SECURITY; DROP POLICY nap ON {JOBS}"
DROP = f"""
CREATE TABLE kept AS SELECT id, attempt_count FROM {JOBS};
ALTER TABLE {JOBS} DROP COLUMN attempt_count
"""
PUT_BACK = f"""
ALTER TABLE {JOBS} ADD COLUMN attempt_count int;
UPDATE {JOBS} SET attempt_count = kept.attempt_count FROM kept WHERE kept.id = {JOBS}.id;
GRANT SELECT (attempt_count) ON {JOBS} TO {READER};
DROP TABLE kept
"""


def stopped(world: World) -> Outage:
    """An administrator stops it."""
    return outage.away(world.postgres, partial(asyncio.to_thread, world.postgres.stop))


def killed(world: World) -> Outage:
    """The machine ends it, and it has to repair itself when it comes back."""
    return outage.away(world.postgres, partial(asyncio.to_thread, world.postgres.kill))


def restarted(world: World) -> Outage:
    """It is away for a moment only."""
    return outage.momentary(stopped(world))


def hung(world: World) -> Outage:
    """It takes connections and answers nothing."""
    return outage.hung(world.postgres)


@asynccontextmanager
async def crowded(world: World) -> AsyncIterator[None]:
    """Others take every connection, those of the service too."""
    async with _administrator(world) as connection, AsyncExitStack() as crowd:
        await connection.execute("CREATE ROLE crowd LOGIN")
        while await connection.fetchval(f"SELECT count(pg_terminate_backend(pid)) {OURS}"):
            await _fill(world, crowd)
        yield
    async with _administrator(world) as connection:
        await connection.execute("DROP ROLE crowd")


async def _fill(world: World, crowd: AsyncExitStack) -> None:
    url = world.postgres.url.replace("postgres@", "crowd@")
    while True:
        try:
            member = await asyncpg.connect(url)
        except asyncpg.TooManyConnectionsError:
            return
        crowd.push_async_callback(member.close)


@asynccontextmanager
async def locked(world: World) -> AsyncIterator[None]:
    """Somebody changes a table and takes long."""
    async with _administrator(world) as connection, connection.transaction():
        await connection.execute(f"LOCK TABLE {JOBS} IN ACCESS EXCLUSIVE MODE")
        yield


@asynccontextmanager
async def slow(world: World) -> AsyncIterator[None]:
    """A statement takes longer than it may."""
    async with _administrator(world) as connection:
        await connection.execute(NAP)
        try:
            yield
        finally:
            await connection.execute(NO_NAP)


@asynccontextmanager
async def column_dropped(world: World) -> AsyncIterator[None]:
    """A column is gone; later it is back, with what was in it."""
    async with world.writer.resting(), _administrator(world) as connection:
        await connection.execute(DROP)
        try:
            yield
        finally:
            await connection.execute(PUT_BACK)


@asynccontextmanager
async def grant_revoked(world: World) -> AsyncIterator[None]:
    """The reader may not read a table any more."""
    async with _administrator(world) as connection:
        await connection.execute(f"REVOKE ALL ON {JOBS} FROM {READER}")
        try:
            yield
        finally:
            await connection.execute(reader_role_script())


@asynccontextmanager
async def promoted(world: World) -> AsyncIterator[None]:
    """Another server with the same data takes over the address, as a promoted replica does."""
    first = world.postgres
    replica = Postgres(world.folder / "replica", first.port, DATABASE_SETTINGS)
    await asyncio.to_thread(first.stop)
    await asyncio.to_thread(_copy, first.folder, replica.folder)
    await asyncio.to_thread(replica.start)
    world.postgres = replica
    world.stack.callback(replica.kill)
    yield


def _copy(source: Path, target: Path) -> None:
    run_program(["cp", "-a", source, target], check=True)


@asynccontextmanager
async def _administrator(world: World) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(world.postgres.url)
    try:
        yield connection
    finally:
        await connection.close()


Away = partial(Fault, excuses=(UNAVAILABLE,), shows=("stale", "503"))
FAULTS = (
    Away("PostgreSQL stopped", stopped, 1),
    Fault("PostgreSQL killed", killed, 4, shows=("stale",)),
    Fault("PostgreSQL restarted", restarted, 2),
    Away("PostgreSQL hung", hung, 1),
    Fault("connections exhausted", crowded, 4, shows=("stale",)),
    Away("a table locked", locked, 1),
    Fault("a statement too slow", slow, 4, shows=("stale",), pauses=True),
    Fault("a column dropped", column_dropped, 4, shows=("stale",)),
    Fault("a grant revoked", grant_revoked, 4, shows=("stale",)),
    Fault("a replica promoted", promoted, 2),
)
