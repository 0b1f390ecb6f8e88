"""How the service uses Redis, as Redis counts it."""

from redis.asyncio import Redis


async def looks_for_values(redis: Redis) -> int:
    """How often values have been looked for, by everybody."""
    return int((await redis.info("commandstats")).get("cmdstat_mget", {"calls": 0})["calls"])
