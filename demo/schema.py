"""The PLM's tables, made where there are none: in the demo and in tests, never in production."""

from pathlib import Path

import asyncpg

SCHEMA = (Path(__file__).parent / "schema.sql").read_text()
# The order in which they are filled and emptied.
TABLES = (
    "meta_conversion_jobs",
    "meta_workflow_custom_action_runs",
    "meta_breakage_incidents",
    "meta_consumption_plans",
)


async def create_schema(connection: asyncpg.Connection) -> None:
    """Create the five tables with their indexes, those that are missing."""
    await quietly(connection, SCHEMA)


async def quietly(connection: asyncpg.Connection, script: str) -> None:
    """Run statements without the server's notices of what is there already."""
    await connection.execute("SET client_min_messages = warning")
    try:
        await connection.execute(script)
    finally:
        await connection.execute("RESET client_min_messages")
