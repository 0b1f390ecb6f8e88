"""What callers ask the cache for, and what they get."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec
from msgspec import Struct

State = Literal["hit", "stale", "miss"]


class NotDue(Exception):
    """Raised by a computation that is not to be made for that tick: an earlier one's value stands."""

    def __init__(self, tick: int, reason: str) -> None:
        super().__init__(reason)
        self.tick = tick


class FailedJustNow(OSError):
    """A computation failed `at` that moment of the monotonic clock, and is not tried again yet."""

    def __init__(self, name: str, at: float) -> None:
        super().__init__(f"{name} failed just now")
        self.at = at


class Part(Struct, frozen=True):
    """One value of a tick: its key without the tick, and how it is computed for a tick.

    An optional part is left out (None) while it cannot be computed; without any other part there
    is no answer. `name` stands for all parts of a kind, in logs and metrics. `is_ready` says whether
    computing it for a tick takes but a moment, for all that it needs is there. `stale` is the age up to
    which an older value hides its refresh, where what it is computed from takes long.

    One that is `in_turn` is computed for one tick at a time in the whole fleet, for a later one starts from
    what an earlier one came to; and it may take as long as older values may be served.
    """

    name: str
    key: str
    compute: Callable[[int], Awaitable[Any]]
    decoder: msgspec.msgpack.Decoder[Any]
    optional: bool = False
    is_ready: Callable[[int], bool] = lambda _: False
    stale: Callable[[], float] = float
    in_turn: bool = False


class Answer(Struct, frozen=True):
    """The parts' values in the order asked for, all as of `tick`.

    hit: of the current tick, without a computation; miss: somebody waited for one; stale: older.
    `stands` says whether at a moment it still is the best there is, as far as this process knows.
    """

    values: tuple[Any, ...]
    tick: int
    state: State
    stands: Callable[[float], bool]
