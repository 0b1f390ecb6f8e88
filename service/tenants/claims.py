"""Whose a place is that several ids lead to: theirs who came first, in the whole fleet.

Redis knows who that was, for as long as somebody asks for their figures and CLAIMED_SECONDS more. While it is
away, each process has its own first one.
"""

from collections.abc import Mapping
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
        # Those of them that are known to be there.
        self._held: dict[str, Tenant] = {}

    def begin(self, place: Place, tenant: Tenant) -> str:
        """Have a place for a tenant alone in this process until it is given back; whose it is, by tag."""
        return self._owners.setdefault(_key(place), tenant).tag

    async def hold(self, place: Place, tenant: Tenant) -> str:
        """Have one that is there in the whole fleet; whose it is, by tag."""
        key = _key(place)
        if (owner := (await self._lost({key: tenant}, {})).get(tenant)) is not None:
            return owner
        if self._owners.get(key) == tenant:  # and not given back meanwhile
            self._held[key] = tenant
        return tenant.tag

    def give_back(self, place: Place) -> None:
        """Let others have it in this process."""
        self._owners.pop(_key(place), None)
        self._held.pop(_key(place), None)

    async def renew(self) -> dict[Tenant, str]:
        """Keep what is held; those whose places are another's, who came first in the fleet, and whose."""
        # Of those nobody knows yet whether they are there, as while the database is away.
        begun = {key: tenant for key, tenant in self._owners.items() if key not in self._held}
        return await self._lost(dict(self._held), begun) if self._owners else {}

    async def _lost(self, claimed: Mapping[str, Tenant], begun: Mapping[str, Tenant]) -> dict[Tenant, str]:
        """Whose places are another's, and whose; of those only begun nothing is claimed."""

        async def claim(redis: Redis) -> dict[Tenant, str]:
            async with redis.pipeline(transaction=False) as pipe:
                for key, tenant in claimed.items():
                    pipe.set(key, tenant.tag, nx=True, ex=CLAIMED_SECONDS)
                wanted = {**claimed, **begun}
                for key in wanted:
                    pipe.get(key)
                told: list[bytes | None] = (await pipe.execute())[len(claimed) :]
                lost = {
                    tenant: tag.decode(errors="replace")
                    for tenant, tag in zip(wanted.values(), told, strict=True)
                    if tag not in (None, tenant.tag.encode())
                }
                for key, tenant in claimed.items():
                    if tenant not in lost:
                        pipe.expire(key, CLAIMED_SECONDS)
                await pipe.execute()
            return lost

        if not self._are_needed:
            return {}
        try:
            return await self._redis.ask(claim)
        except RedisAway:
            return {}


def _key(place: Place) -> str:
    """One for the whole fleet, of no tenant in particular."""
    digest = blake2b(repr(place.identity).encode(), digest_size=16).hexdigest()
    return tagged(f"owner:{digest}", NO_TENANT)
