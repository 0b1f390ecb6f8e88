"""The overlay cache's counters of the days before an instant, as if programs had counted them."""

from collections import defaultdict
from datetime import UTC, date, datetime
from typing import Any

from parallel_ops_recorder.keys import COUNTS_SECONDS, NO_TENANT, counts_field, counts_key
from redis.asyncio import Redis

from demo.rhythm import OVERLAYS, slots

LOOKUPS = 400_000
EVICTED = 0.3  # of the misses


async def seed_overlay(redis: Redis, until: datetime, tenant: str = NO_TENANT) -> None:
    """Set a tenant's counts of the days before `until` (aware); what is there for other hours stays."""
    async with redis.pipeline(transaction=False) as pipe:
        for day, counts in _days(until).items():
            pipe.hset(counts_key(day, tenant), mapping=counts)
            pipe.expire(counts_key(day, tenant), COUNTS_SECONDS)
        await pipe.execute()


def _days(until: datetime) -> dict[date, dict[Any, Any]]:
    """The fields of each day's hash."""
    days: dict[date, dict[Any, Any]] = defaultdict(dict)
    for slot in slots(LOOKUPS, until, OVERLAYS):
        if slot.start.replace(tzinfo=UTC) >= until:
            continue  # lookups have no clocks that run ahead
        lookups = slot.last - slot.first + 1
        misses = round(lookups * slot.failing)
        counts = {"hits": lookups - misses, "misses": misses, "evictions": round(misses * EVICTED)}
        for kind, number in counts.items():
            days[slot.start.date()][counts_field(slot.start.hour, kind)] = number
    return days
