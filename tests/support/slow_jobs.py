"""Statements that make reading jobs slow, and quick again."""

import asyncpg

from demo.run import READER

SLOW = """
ALTER TABLE meta_conversion_jobs RENAME TO real_jobs;
CREATE VIEW meta_conversion_jobs AS SELECT real_jobs.* FROM (SELECT pg_sleep({seconds})) AS nap, real_jobs;
GRANT SELECT ON meta_conversion_jobs TO parallel_ops_reader;
"""
QUICK = "DROP VIEW meta_conversion_jobs; ALTER TABLE real_jobs RENAME TO meta_conversion_jobs"


def napping(seconds: float) -> str:
    """The statements after which reading jobs takes so long."""
    return SLOW.format(seconds=seconds)


async def is_napping(connection: asyncpg.Connection) -> bool:
    """Whether the service runs one such statement now."""
    naps = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND usename = $1"
    return bool(await connection.fetchval(naps, READER) == 1)
