"""How many tenants share a database server, in the whole fleet: its share is theirs together."""

from collections import Counter
from collections.abc import Callable, Iterable
from hashlib import blake2b

from redis.asyncio import Redis

from service.cache.keys import NO_TENANT, tagged
from service.shared_redis import RedisAway, SharedRedis

# A tenant counts for so long after an instance has said that it is open there.
COUNTED_SECONDS = 60.0


class Neighbours:
    """Tenants by server: of this process, or of all as far as Redis tells. `clock` gives Unix seconds."""

    def __init__(self, redis: SharedRedis, clock: Callable[[], float]) -> None:
        self._redis = redis
        self._clock = clock
        self.here: Counter[str] = Counter()
        self._everywhere: dict[str, int] = {}

    def at(self, server: str) -> int:
        """How many there are, one at least."""
        return max(1, self.here[server], self._everywhere.get(server, 0))

    async def tell(self, server: str, tags: Iterable[str]) -> None:
        """Say which tenants of a server are open here, and hear how many are anywhere; Redis may be away."""
        key, now = _key(server), self._clock()

        async def count(redis: Redis) -> int:
            async with redis.pipeline(transaction=False) as pipe:
                pipe.zadd(key, dict.fromkeys(tags, now))
                pipe.zremrangebyscore(key, "-inf", now - COUNTED_SECONDS)
                pipe.zcard(key)
                pipe.expire(key, round(COUNTED_SECONDS))
                return int((await pipe.execute())[2])

        try:
            self._everywhere[server] = await self._redis.ask(count)
        except RedisAway:
            self._everywhere.pop(server, None)


def _key(server: str) -> str:
    """One for the whole fleet, of no tenant in particular."""
    return tagged(f"open:{blake2b(server.encode(), digest_size=8).hexdigest()}", NO_TENANT)
