"""Whose a place is that several ids lead to: theirs who came first, in the whole fleet.

Redis knows who that was, for as long as somebody asks for their figures and CLAIMED_SECONDS more. While it is
away, each process has its own first one.
"""

from contextlib import suppress
from hashlib import blake2b

from redis.asyncio import Redis

from service.cache.keys import NO_TENANT, tagged
from service.shared_redis import RedisAway, SharedRedis
from service.tenants.tenancy import ANY, Place, Tenancy
from service.tenants.tenant import Tenant

CLAIMED_SECONDS = 24 * 3600


class Claims:
    """Those of tenants that are open in this process, or being opened."""

    def __init__(self, redis: SharedRedis, tenancy: Tenancy) -> None:
        self._redis = redis
        # Of ids that are listed, the start has seen that no two lead to one place.
        self._are_needed = ANY in tenancy.ids or tenancy.has_orgs
        self._owners: dict[str, Tenant] = {}

    def begin(self, place: Place, tenant: Tenant) -> bool:
        """Have a place for a tenant alone in this process until it is given back; False if another has it."""
        return self._owners.setdefault(_key(place), tenant) == tenant

    async def hold(self, place: Place, tenant: Tenant) -> bool:
        """Have it in the whole fleet, as long as the claim is renewed; False if another has it there."""
        if not self._are_needed:
            return True
        key, tag = _key(place), tenant.tag.encode()

        async def claim(redis: Redis) -> bool:
            await redis.set(key, tag, nx=True, ex=CLAIMED_SECONDS)
            return await redis.get(key) in (tag, None)

        try:
            return await self._redis.ask(claim)
        except RedisAway:
            return True

    def give_back(self, place: Place) -> None:
        """Let others have it in this process."""
        self._owners.pop(_key(place), None)

    async def renew(self) -> None:
        """Keep the claims of all that are open here; Redis may be away."""
        owners = tuple(self._owners) if self._are_needed else ()

        async def claim(redis: Redis) -> None:
            async with redis.pipeline(transaction=False) as pipe:
                for key in owners:
                    pipe.expire(key, CLAIMED_SECONDS)
                await pipe.execute()

        if owners:
            with suppress(RedisAway):
                await self._redis.ask(claim)


def _key(place: Place) -> str:
    """One for the whole fleet, of no tenant in particular."""
    digest = blake2b(repr(place.identity).encode(), digest_size=16).hexdigest()
    return tagged(f"owner:{digest}", NO_TENANT)
