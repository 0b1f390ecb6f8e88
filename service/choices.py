"""What the filters can be set to, from a cache of its own: it changes slowly and costs a scan each."""

from collections.abc import Awaitable, Callable, Mapping

from msgspec.structs import replace

from service.cache.keys import cache_key
from service.cache.parts import Part
from service.cache.policy import Policy
from service.cache.tick_cache import TickCache, Unavailable
from service.overview.query import FILTERS
from service.snapshots import decoder, instant_of
from service.sources import filter_values
from service.sources.database import Database

SECTION = "choices"
REFRESH_SECONDS = 300
MAX_STALE_SECONDS = 3600
# Nobody waits long for suggestions: a page without them is a page all the same.
ANSWER_SECONDS = 1.0
MEMORY_BYTES = 1024 * 1024


def choices_policy(snapshots: Policy) -> Policy:
    """How the choices are cached, where snapshots are cached like that."""
    return replace(
        snapshots,
        refresh=REFRESH_SECONDS,
        stale=MAX_STALE_SECONDS,
        max_stale=MAX_STALE_SECONDS,
        answer=ANSWER_SECONDS,
        memory_bytes=MEMORY_BYTES,
    )


class Choices:
    """Answers from the cache, and fills it from the database."""

    def __init__(self, cache: TickCache, database: Database) -> None:
        self._cache = cache
        named = database.for_section(SECTION)
        self._parts = [_part(name, read, named) for name, read in filter_values.READERS.items()]

    async def get(self, now: float) -> Mapping[str, tuple[str, ...]]:
        """The values of each filter that are known by now, sorted and bounded; the rest is on its way."""
        try:
            values = (await self._cache.get(self._parts, now)).values
        except Unavailable:
            return dict.fromkeys(FILTERS, ())
        return dict(zip(FILTERS, values, strict=True))


def _part(name: str, read: Callable[..., Awaitable[tuple[str, ...]]], database: Database) -> Part:
    key = cache_key(SECTION, of=name)
    return Part(SECTION, key, lambda tick: read(database, instant_of(tick)), decoder(tuple[str, ...]))
