"""Reading jobs takes exactly as long as a test wants, on a machine however slow."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from demo.run import READER
from tests.support.slow_jobs import QUICK

# Tried again and again rather than waited for: no lock_timeout ends that.
HOLD = """
CREATE OR REPLACE FUNCTION held() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  WHILE NOT pg_try_advisory_xact_lock_shared(4711) LOOP PERFORM pg_sleep(0.005); END LOOP;
END $$;
ALTER TABLE meta_conversion_jobs RENAME TO real_jobs;
CREATE VIEW meta_conversion_jobs AS SELECT real_jobs.* FROM (SELECT held()) AS hold, real_jobs;
GRANT SELECT ON meta_conversion_jobs TO parallel_ops_reader;
"""
TAKE, LET_GO = "SELECT pg_advisory_lock(4711)", "SELECT pg_advisory_unlock_all()"
READING = """
SELECT count(*) FROM pg_stat_activity
WHERE usename = $1 AND state = 'active' AND query LIKE '%meta_conversion_jobs%'
"""


class Hold:
    """Statements on jobs, which do not end before they are let go."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def reading(self) -> int:
        """How many statements of the service read jobs now."""
        return int(await self._connection.fetchval(READING, READER))

    async def is_read(self) -> bool:
        """Whether a statement of the service reads jobs now."""
        return await self.reading() > 0

    async def let_go(self) -> None:
        """Let those end, and all that come."""
        await self._connection.execute(LET_GO)


@asynccontextmanager
async def held_jobs(connection: asyncpg.Connection) -> AsyncIterator[Hold]:
    """Who reads jobs in the connection's database waits until `let_go()` or the end of the block."""
    await connection.execute(TAKE)
    await connection.execute(HOLD)
    hold = Hold(connection)
    try:
        yield hold
    finally:
        await hold.let_go()
        await connection.execute(f"{QUICK}; DROP FUNCTION held()")
