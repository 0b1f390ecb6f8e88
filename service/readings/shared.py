"""The readings that the fleet shares: in Redis, each under a name of its own."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import cast

import msgspec
import structlog
from redis.asyncio import Redis

from service.cache.entry import MAX_STORED_BYTES, UnreadableEntry, decode, encode
from service.cache.keys import cache_key
from service.cache.policy import Policy
from service.cache.store import Store
from service.readings import manifest as manifests
from service.readings.account import Rhythm
from service.readings.manifest import Listed, Manifest
from service.readings.reader import Fresh
from service.readings.reading import StoredDay
from service.readings.shelf import Shelf
from service.readings.tables import DAY_TABLES
from service.shared_redis import RedisAway

log = structlog.get_logger(__name__)

_stored_days = msgspec.msgpack.Decoder(StoredDay)


class SharedReadings:
    """The way of readings from the shelf of the process that made them to those of all others."""

    def __init__(self, store: Store, shelf: Shelf, rhythm: Rhythm) -> None:
        self._store = store
        self._shelf = shelf
        self._kept_seconds = rhythm.policy.kept_seconds + rhythm.grid.horizon
        self._fetching = asyncio.Lock()

    async def share_out(self, fresh: Sequence[Fresh], replaced: Sequence[str]) -> None:
        """Keep the readings in Redis, and none whose id says that it was replaced a tick ago."""
        encoded = dict(map(self._encoded, fresh))
        fit = {key: raw for key, raw in encoded.items() if len(raw) <= MAX_STORED_BYTES}
        try:
            await self._store.put_all(fit, self._kept_seconds)
            if replaced:
                await self._store.drop([self._key(each) for each in replaced])
        except RedisAway as error:
            log.info("readings not kept in redis", error=str(error))

    async def fetch(self, manifest: Manifest) -> None:
        """Put on the shelf what it lacks of the manifest's readings, if Redis has it, in one round trip."""
        async with self._fetching:
            lacks = [
                (section, each)
                for section, listed in manifest.days.items()
                for each in self._shelf.lacks(listed)
            ]
            if not lacks:
                return
            try:
                raws = await self._store.get([self._key(listed.id) for _, listed in lacks])
            except RedisAway:
                return
            for (section, listed), raw in zip(lacks, raws, strict=True):
                stored = None if raw is None else self._decoded(listed, raw)
                if stored is not None:
                    self._shelf.put(section, listed, DAY_TABLES[section].reading(stored))
                await asyncio.sleep(0)

    def _key(self, reading_id: str) -> str:
        return cache_key(self._store.tenant, "day", id=reading_id)

    def _encoded(self, fresh: Fresh) -> tuple[str, bytes]:
        """The key of a reading, and its bytes."""
        key = self._key(fresh.listed.id)
        return key, encode(key, fresh.listed.tick, fresh.listed.seconds, fresh.stored)

    def _decoded(self, listed: Listed, raw: bytes) -> StoredDay | None:
        key = self._key(listed.id)
        try:
            stored: StoredDay = decode(raw, key, listed.tick, _stored_days).value
        except UnreadableEntry as error:
            log.warning("unreadable reading ignored", key=key, error=str(error))
            return None
        return stored


async def newest_manifest(redis: Redis, policy: Policy, key: str, now: float) -> Manifest | None:
    """The newest manifest that the fleet has left in Redis, by `manifest_key`. Raises RedisError."""
    tick = policy.tick(now)
    ticks = (tick, *policy.older(tick))
    raws = cast("list[bytes | None]", await redis.mget([f"{key}:{each}" for each in ticks]))
    for known, raw in zip(ticks, raws, strict=True):
        if raw is not None:
            with suppress(UnreadableEntry):
                found: Manifest = decode(raw, key, known, manifests.decoder).value
                return found
    return None
