"""The tenants that share a database server, in the whole fleet: its share is theirs together."""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import blake2b
from typing import cast

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from redis.asyncio import Redis

from service.cache.keys import NO_TENANT, tagged
from service.readings.account import Share
from service.readings.manifest import Spending
from service.shared_redis import RedisAway, SharedRedis

# A tenant counts for so long after an instance has said that it is open there.
COUNTED_SECONDS = 60.0


class Told(Struct, frozen=True, array_like=True):
    """What an instance said of a tenant that it has open, and when; of which tick that is, 0 of none."""

    at: float
    needed: float
    taken: float
    tick: int = 0


class Neighbours:
    """Tenants by server: of this process, or of all as far as Redis tells. `clock` gives Unix seconds."""

    def __init__(self, redis: SharedRedis, clock: Callable[[], float]) -> None:
        self._redis = redis
        self._clock = clock
        self._here: Counter[str] = Counter()
        self._known: dict[str, dict[str, Told]] = {}

    def at(self, server: str) -> int:
        """How many there are, one at least."""
        return max(1, self._here[server], len(self._known.get(server, ())))

    def joined(self, server: str) -> None:
        """Count one more that is open here."""
        self._here[server] += 1

    def left(self, server: str) -> None:
        """Count one less; what is known of a server goes with the last one."""
        self._here[server] -= 1
        if not self._here[server]:
            del self._here[server]
            self._known.pop(server, None)

    def spending(self, here: Mapping[str, Mapping[str, Told]]) -> Spending:
        """What they need and take together of the server of which most is needed; each has the whole share.

        `here` is what is known of those that are open here, by server.
        """
        servers = (_newest(self._known.get(server, {}), told).values() for server, told in here.items())
        sums = (
            Spending(needed=sum(each.needed for each in told), taken=sum(each.taken for each in told))
            for told in servers
        )
        return max(sums, key=lambda each: each.needed, default=Spending())

    async def tell(self, here: Mapping[str, Mapping[str, Told]]) -> None:
        """Say what tenants of each server need and take that are open here, and hear of all others."""
        self._known = {server: await self._exchanged(server, told) for server, told in here.items()}

    async def _exchanged(self, server: str, told: Mapping[str, Told]) -> dict[str, Told]:
        key, now = _key(server), self._clock()

        async def exchange(redis: Redis) -> dict[str, Told]:
            found = await _all(redis, server)
            late = _of_late(found, now)
            # Who was not asked for long leaves the word to others who were.
            known = _newest(late, told)
            said = {tag: replace(known[tag], at=now) for tag in told}
            async with redis.pipeline(transaction=False) as pipe:
                if gone := found.keys() - late.keys():
                    pipe.hdel(key, *gone)
                pipe.hset(key, mapping={tag: msgspec.json.encode(each) for tag, each in said.items()})
                pipe.expire(key, round(COUNTED_SECONDS))
                await pipe.execute()
            return known

        try:
            return await self._redis.ask(exchange)
        except RedisAway:
            return dict(told)


def _newest(known: Mapping[str, Told], told: Mapping[str, Told]) -> dict[str, Told]:
    """Of each tenant what is of the newest tick."""
    newer = {tag: each for tag, each in told.items() if tag not in known or each.tick > known[tag].tick}
    return {**known, **newer}


async def share_among(redis: Redis, server: str, cores: float, tag: str, now: float) -> Share:
    """What a tenant may take of a server's cores beside those that are open there. Raises RedisError."""
    tags = {tag, *_of_late(await _all(redis, server), now)}
    return Share(cores, lambda: len(tags), tag)


async def _all(redis: Redis, server: str) -> dict[str, Told | None]:
    raw = cast("dict[bytes, bytes]", await redis.hgetall(_key(server)))
    return {tag.decode(errors="replace"): _decoded(each) for tag, each in raw.items()}


def _of_late(found: Mapping[str, Told | None], now: float) -> dict[str, Told]:
    since = now - COUNTED_SECONDS
    return {tag: each for tag, each in found.items() if each is not None and each.at > since}


def _decoded(raw: bytes) -> Told | None:
    with suppress(msgspec.MsgspecError):
        return msgspec.json.decode(raw, type=Told)
    return None


def _key(server: str) -> str:
    """One for the whole fleet, of no tenant in particular."""
    return tagged(f"spent:{blake2b(server.encode(), digest_size=8).hexdigest()}", NO_TENANT)
