"""One computation in the whole fleet: through Redis while it is there, alone while it is not."""

import asyncio
import time
from collections.abc import Iterable, Sequence

import structlog

from service.cache.entry import MAX_STORED_BYTES, Entry, UnreadableEntry, decode, encode
from service.cache.keys import pattern_of
from service.cache.observer import Observer
from service.cache.parts import Part
from service.cache.policy import Policy
from service.cache.store import Store
from service.shared_redis import RedisAway

log = structlog.get_logger(__name__)


class SharedCache:
    """The cache that all processes of a fleet share, seen from one of them."""

    def __init__(self, store: Store, policy: Policy, observer: Observer) -> None:
        self._store = store
        self._policy = policy
        self._observer = observer

    async def recall(self, parts: Sequence[Part], ticks: Iterable[int]) -> list[Entry]:
        """What Redis keeps of the parts, in one round trip; nothing while it is away."""
        wanted = [(part, tick) for tick in ticks for part in parts]
        try:
            found = await self._store.get([_name(part, tick) for part, tick in wanted])
        except RedisAway:
            return []
        entries = (_read(part, tick, raw) for (part, tick), raw in zip(wanted, found, strict=True))
        return [entry for entry in entries if entry is not None]

    async def obtain(self, part: Part, tick: int, *, known_missing: bool = False) -> Entry:
        """The entry of a part's tick: from Redis, from whoever computes it now, or computed here.

        One process computes, and the others wait for what it leaves in Redis. Who has just looked for
        it there says so, and is spared a second look. Raises what the computation raises.
        """
        waited = False
        try:
            while True:
                entry = None if known_missing else await self._stored(part, tick)
                if entry is not None:
                    return entry
                known_missing = False
                lease = await self._store.lease(f"{part.key if part.in_turn else _name(part, tick)}:lease")
                if lease is not None:
                    async with lease.held():
                        # The last holder may have stored it between the look and the lease.
                        return await self._stored(part, tick) or await self._compute_and_store(part, tick)
                if not waited:
                    self._observer.waited(part.name)
                waited = True
                await asyncio.sleep(self._policy.poll)
        except RedisAway:
            return await self._compute(part, tick)

    async def _compute_and_store(self, part: Part, tick: int) -> Entry:
        entry = await self._compute(part, tick)
        if len(entry.raw) > MAX_STORED_BYTES:
            return entry
        try:
            return await self._first(part, tick, entry.raw) or entry
        except RedisAway as error:
            log.info("not kept in redis", part=pattern_of(part.key), error=str(error))
            return entry

    async def _first(self, part: Part, tick: int, raw: bytes) -> Entry | None:
        """What another process has kept of this tick meanwhile; else ours is kept.

        A lease is lost when its holder stood still or Redis forgot it. The value stays what others
        have had of it already.
        """
        name, seconds = _name(part, tick), self._policy.kept_seconds
        if await self._store.add(name, raw, seconds):
            return None
        first = await self._stored(part, tick)
        if first is None:
            await self._store.put(name, raw, seconds)  # in place of something unreadable
        return first

    async def _compute(self, part: Part, tick: int) -> Entry:
        started = time.monotonic()
        value = await part.compute(tick)
        seconds = time.monotonic() - started
        self._observer.computed(part.name, seconds)
        return Entry(value, part.key, tick, seconds, encode(part.key, tick, seconds, value))

    async def _stored(self, part: Part, tick: int) -> Entry | None:
        (raw,) = await self._store.get([_name(part, tick)])
        return _read(part, tick, raw)


def _name(part: Part, tick: int) -> str:
    return f"{part.key}:{tick}"


def _read(part: Part, tick: int, raw: bytes | None) -> Entry | None:
    if raw is None:
        return None
    try:
        return decode(raw, part.key, tick, part.decoder)
    except UnreadableEntry as error:
        log.warning("unreadable entry ignored", key=pattern_of(_name(part, tick)), error=str(error))
        return None
