"""How the service uses Redis, as Redis counts it."""

from redis.asyncio import Redis

from tests.support.waiting import until

# More than a request makes that waits for nobody.
MANY = 20


async def until_somebody_looks_on(redis: Redis) -> None:
    """Wait until values have been looked for again and again, as whoever waits for another process does."""
    before = await _looks(redis)

    async def are_many() -> bool:
        return await _looks(redis) > before + MANY

    await until(are_many)


async def _looks(redis: Redis) -> int:
    """How often values have been looked for, by everybody."""
    return int((await redis.info("commandstats")).get("cmdstat_mget", {"calls": 0})["calls"])
