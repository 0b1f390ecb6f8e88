"""A process that keeps the demo's figures moving: fresh rows and overlay lookups every few seconds."""

import asyncio
import os
import sys
from datetime import UTC, datetime
from random import Random

import asyncpg
from parallel_ops_recorder.recorder import OverlayRecorder

from demo.rhythm import OVERLAYS
from demo.seed import trickle

PAUSE_SECONDS = 5.0


async def liven(database_url: str, redis_url: str, tenant: str) -> None:
    """Run until the process that started this one ends, or the database does."""
    parent = os.getppid()
    chance = Random(parent)
    connection = await asyncpg.connect(database_url)
    with OverlayRecorder(redis_url, ttl_seconds=300, max_entries=500, tenant=tenant) as recorder:
        while os.getppid() == parent:
            await trickle(connection, datetime.now(UTC))
            lookups = chance.randrange(8, 30)
            misses = round(lookups * chance.uniform(0, 2 * OVERLAYS.failing.trickling))
            recorder.hit(lookups - misses)
            recorder.miss(misses)
            recorder.evicted(misses // 3)
            recorder.entries(chance.randrange(380, 460))
            await asyncio.sleep(PAUSE_SECONDS)


def main() -> None:
    """The arguments are the two addresses, and whose they are."""
    try:
        asyncio.run(liven(*sys.argv[1:4]))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        sys.exit(0)  # the demo ends, and its servers were faster


if __name__ == "__main__":
    main()
