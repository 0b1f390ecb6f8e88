"""What may become of the values that the service leaves in Redis."""

from collections.abc import Callable
from typing import Any

import msgspec
from redis.asyncio import Redis

Values = dict[bytes, bytes]
Which = Callable[[bytes], bool]
Spoiling = Callable[[Values], Values]


def is_a_day(key: bytes) -> bool:
    """Whether a key is that of a day reading."""
    return b":day:" in key


def is_no_day(key: bytes) -> bool:
    """Whether a key is that of what belongs to a tick."""
    return not is_a_day(key)


def is_anything(key: bytes) -> bool:
    """Any key will do."""
    return True


def every_other_one_gone(values: Values) -> Values:
    """Half of them stay."""
    return dict(list(values.items())[::2])


def exchanged(values: Values) -> Values:
    """Each has another one's value."""
    first, *others = values.values()
    return dict(zip(values, [*others, first], strict=True))


def hollow(values: Values) -> Values:
    """Of the right version, key and tick, and nothing in it."""
    stored = {key: msgspec.msgpack.decode(value) for key, value in values.items()}
    return {key: msgspec.msgpack.encode([*rest, None]) for key, (*rest, _) in stored.items()}


def gone(_values: Values) -> Values:
    """Nothing stays."""
    return {}


def garbage(values: Values) -> Values:
    """Bytes that nobody wrote."""
    return dict.fromkeys(values, b"\x93garbage")


def cut_short(values: Values) -> Values:
    """The last bytes are missing."""
    return {key: value[:-9] for key, value in values.items()}


# In an order in which each can be done to what the ones before it have left.
SPOILINGS: tuple[Spoiling, ...] = (every_other_one_gone, exchanged, hollow, gone, garbage, cut_short)


async def found_in(redis: Redis, which: Which) -> Values:
    """The service's values of those keys."""
    names: list[Any] = await redis.keys("parallel-ops:{-}:v1:*")
    keys = sorted(filter(which, names))
    values: list[Any] = await redis.mget(keys) if keys else []
    return dict(zip(keys, values, strict=True))


async def spoil(redis: Redis, which: Which, how: Spoiling) -> None:
    """Do that to the values of those keys; what is left of them expires as before."""
    values = await found_in(redis, which)
    left = how(values) if values else {}
    for key in values:
        if key in left:
            await redis.set(key, left[key], keepttl=True)
        else:
            await redis.delete(key)
