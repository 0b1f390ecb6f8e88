"""What the filters can be set to, from a cache of its own: it changes slowly and costs a scan each."""

from collections.abc import Awaitable, Callable
from functools import partial

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from service.cache.keys import cache_key
from service.cache.parts import Part
from service.cache.policy import Policy
from service.cache.tick_cache import TickCache, Unavailable
from service.snapshots import instant_of
from service.sources import choices
from service.sources.database import Database

REFRESH_SECONDS = 300
MAX_STALE_SECONDS = 3600
# Nobody waits long for suggestions: a page without them is a page all the same.
ANSWER_SECONDS = 1.0
MEMORY_BYTES = 1024 * 1024

_DECODER = msgspec.msgpack.Decoder(tuple[str, ...])


class FilterChoices(Struct, frozen=True):
    """The values that exist, sorted and bounded; empty where they are not known."""

    site_id: tuple[str, ...] = ()
    target_object: tuple[str, ...] = ()
    template_key: tuple[str, ...] = ()


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
        self._parts = tuple(
            _part(name, partial(read, database))
            for name, read in (
                ("site_id", choices.sites),
                ("target_object", choices.target_objects),
                ("template_key", choices.template_keys),
            )
        )

    async def get(self) -> FilterChoices:
        """What is known of them by now; the rest is on its way."""
        try:
            return FilterChoices(*(await self._cache.get(self._parts)).values)
        except Unavailable:
            return FilterChoices()


def _part(name: str, read: Callable[..., Awaitable[tuple[str, ...]]]) -> Part:
    return Part("choices", cache_key("choices", None, of=name), lambda tick: read(instant_of(tick)), _DECODER)
