"""The cache: values per tick, computed once in the fleet, served stale rather than late.

A caller asks for several *parts* at once and gets all of them as of one tick, never a mix. A part
is looked for in this process, then in Redis, and computed last. Nothing here knows what parts are.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

import structlog
from cachetools import LRUCache
from msgspec import Struct
from redis.exceptions import RedisError

from service.cache.budget import Budget, Ceiling
from service.cache.entry import Entry
from service.cache.flights import Flights, landing
from service.cache.keys import pattern_of
from service.cache.memory import Memory
from service.cache.observer import Observer
from service.cache.pacer import Pacer
from service.cache.parts import Answer, FailedJustNow, NotDue, Part, State
from service.cache.policy import Policy
from service.cache.shared import SharedCache
from service.cache.store import Store
from service.cache.unavailable import Closed, TooManyAtOnce, Unavailable

REMEMBERED_FAILURES = 10_000
# More computations than this at once are a flood; who comes later is told to come back.
MAX_FLIGHTS = 512
# Of these, one caller's at most: whoever else asks is computed for all the same.
MAX_FLIGHTS_OF_ONE = MAX_FLIGHTS // 4
# Who asks, as whoever answers requests has noted; None is nobody in particular, and is not bounded.
CALLER: ContextVar[str | None] = ContextVar("caller", default=None)
# Longer than this nobody waits for a younger answer than there is.
MOMENT_SECONDS = 1.0

log = structlog.get_logger(__name__)


class Bounds(Struct, frozen=True):
    """What the caches of a process, one a tenant, have together: bytes of memory, and computations."""

    memory: Budget
    flights: Ceiling

    @classmethod
    def of(cls, policy: Policy, part: int = sys.maxsize) -> "Bounds":
        """Those of a policy; one cache may have `part` of the computations."""
        return cls(Budget(policy.memory_bytes), Ceiling(MAX_FLIGHTS, part))


class TickCache:
    """See the module. `clock` gives Unix seconds; all else is measured on the monotonic clock.

    `bounds` are those of all the caches of a process together.
    """

    def __init__(
        self,
        store: Store,
        policy: Policy,
        clock: Callable[[], float],
        observer: Observer,
        bounds: Bounds | None = None,
    ) -> None:
        bounds = bounds or Bounds.of(policy)
        self._shared = SharedCache(store, policy, observer)
        self._policy = policy
        self._clock = clock
        self._observer = observer
        self._memory = Memory(bounds.memory, policy.kept_seconds, clock)
        self._flights = Flights(bounds.flights)
        self._flight_ticks: dict[str, int] = {}
        # A tick's end is the end of many parts at once: if all their refreshes began in that moment,
        # they would take the processor from everybody.
        self._pacer = Pacer(policy.pace)
        self._failed_at: LRUCache[str, float] = LRUCache(REMEMBERED_FAILURES)

    async def get(self, parts: Sequence[Part], now: float, *, is_past: bool = False) -> Answer:
        """The parts as of one tick, the one that `now` is in unless they are stale. Raises Unavailable.

        What is past stays the moment that is asked for, however long that takes.
        """
        tick = self._policy.tick(now)
        # Of what is past, too, the age is counted from the present.
        answer = self._in_memory(parts, tick, "hit") or self._older(parts, tick, self._clock())
        past = tick if is_past else None
        if answer is None:
            return await self._cold(parts, tick, past)
        if now - answer.tick >= self._policy.hidden:
            answer = await self._younger(parts, tick, past) or answer
        with suppress(Closed):  # what there is may be served all the same
            self._refresh(parts, tick)
        return answer

    async def at(self, part: Part, tick: int) -> Any:  # noqa: ANN401
        """The value of a part of exactly that tick. Raises what computing it raises.

        For values that others are computed from, which are asked for again by each of those.
        """
        entry = self._memory.get(part, tick)
        if entry is None:
            if self._resting(part):
                raise FailedJustNow(part.name, self._failed_at[part.key])
            entry = await landing(self._start_at(part, tick))
        return entry.value

    def begin(self, part: Part, tick: int) -> None:
        """Have the value of exactly that tick computed, unless it is there, or has only just failed."""
        if not self.holds(part, tick) and not self._resting(part):
            self._start_at(part, tick)

    def holds(self, part: Part, tick: int) -> bool:
        """Whether this process has the value of exactly that tick."""
        return (part.key, tick) in self._memory

    def _start_at(self, part: Part, tick: int) -> asyncio.Task[Entry]:
        return self._flights.start((part.key, tick), lambda: self._obtain(part, tick))

    async def newest(self, part: Part, ticks: Sequence[int]) -> Any | None:  # noqa: ANN401
        """The value of the first of the ticks, newest first, that this process or Redis knows one of."""
        await landing(
            self._flights.start((part.key, ticks[0], len(ticks)), lambda: self._recall([part], ticks))
        )
        found = (self._memory.get(part, tick) for tick in ticks)
        return next((entry.value for entry in found if entry is not None), None)

    async def close(self) -> None:
        """Stop what is being computed; leases are given back."""
        await self._flights.close()
        self._memory.close()

    def _in_memory(
        self, parts: Sequence[Part], tick: int, state: State, landed: dict[str, Entry] | None = None
    ) -> Answer | None:
        """The parts of a tick, if all are there; what failed last may be missing if it is optional."""
        values = []
        for part in parts:
            entry = self._memory.get(part, tick) or (landed or {}).get(part.key)
            if entry is not None and entry.tick == tick:
                values.append(entry.value)
            elif part.optional and part.key in self._failed_at:
                values.append(None)
            else:
                return None
        is_whole = None not in values
        return Answer(
            tuple(values), tick, state, lambda now: self._stands(parts, tick, now, is_whole=is_whole)
        )

    def _stands(self, parts: Sequence[Part], tick: int, now: float, *, is_whole: bool) -> bool:
        """Whether a tick's answer would be given again: nothing newer has come, and it is not too old."""
        present = self._policy.tick(now)
        if all(self.holds(part, present) for part in parts):
            return is_whole and tick == present
        return self._is_young(parts, tick, now)

    def _older(self, parts: Sequence[Part], tick: int, now: float, *, failing: bool = False) -> Answer | None:
        """The newest older answer, unless it is too old to be served now.

        Without waiting that is the bound of what it took; while computing fails, as old as may be.
        """
        for older in self._policy.older(tick):
            answer = self._in_memory(parts, older, "stale")
            if answer is not None:
                if failing:
                    return answer if now - older <= self._policy.max_stale else None
                return answer if self._is_young(parts, older, now) else None
        return None

    def _is_young(self, parts: Sequence[Part], tick: int, now: float) -> bool:
        """Whether an older answer may be served without waiting; the bound of most is known at once."""
        age = now - tick
        return age <= self._policy.stale_bound(0.0) or age <= self._bound(parts, tick)

    def _bound(self, parts: Sequence[Part], tick: int) -> float:
        if any(part.key in self._failed_at for part in parts):
            return self._policy.max_stale
        entries = (self._memory.get(part, tick) for part in parts)
        longest = max((entry.seconds for entry in entries if entry), default=0.0)
        return self._policy.stale_bound(longest, max(part.stale() for part in parts))

    def _refresh(
        self, parts: Sequence[Part], tick: int, *, awaited: bool = False
    ) -> list[asyncio.Task[Entry]]:
        """Start the computations that a tick needs, leaving out those that have only just failed.

        What nobody waits for begins when its turn has come.
        """
        return [
            self._start(part, tick, awaited=awaited)
            for part in parts
            if not self.holds(part, tick) and not self._resting(part)
        ]

    def _resting(self, part: Part) -> bool:
        failed_at = self._failed_at.get(part.key)
        return failed_at is not None and time.monotonic() - failed_at < self._policy.retry

    def _start(self, part: Part, tick: int, *, awaited: bool) -> asyncio.Task[Entry]:
        """The running computation of a part, of whichever tick it is, or a new one."""
        if part.key not in self._flight_ticks:
            self._flight_ticks[part.key] = tick
        caller = CALLER.get() if awaited else None
        return self._flights.start(part.key, lambda: self._taking_turns(part, tick, awaited=awaited), caller)

    async def _younger(self, parts: Sequence[Part], tick: int, past: int | None) -> Answer | None:
        """The answer of this tick or the one before, if it takes but a moment.

        This process was not asked for a while, but others may have been, or may have left what it takes.
        """
        before = tick - self._policy.refresh
        keys = tuple(part.key for part in parts)
        with suppress(Closed, TimeoutError):
            async with asyncio.timeout(MOMENT_SECONDS):
                recalled = self._flights.start((keys, tick), lambda: self._recall(parts, (tick, before)))
                await landing(recalled)
                answer = self._in_memory(parts, tick, "hit") or self._in_memory(parts, before, "stale")
                if answer is None and all(part.optional or part.is_ready(tick) for part in parts):
                    answer = await self._computed(parts, past)
                return answer
        return None

    async def _cold(self, parts: Sequence[Part], tick: int, past: int | None) -> Answer:
        """Wait for Redis or a computation; when that fails, any answer that may still be served."""
        answer, reason = None, Unavailable
        try:
            if self._flights.ceiling.is_reached:
                raise TimeoutError
            self._spare_others()
            async with asyncio.timeout(self._policy.answer):
                answer = await self._recalled(parts, tick)
                if answer is None:
                    self._spare_others()  # more may have been begun meanwhile
                    answer = await self._computed(parts, past)
        except Closed:
            pass
        except TooManyAtOnce:
            reason = TooManyAtOnce
        except TimeoutError:
            asked = [pattern_of(part.key) for part in parts]
            log.warning("no answer in time", parts=asked, flights=len(self._flights))
        answer = answer or self._older(parts, tick, self._clock(), failing=True)
        if answer is None:
            raise reason
        return answer

    def _spare_others(self) -> None:
        """Begin no more for a caller than leaves room for others. Raises TooManyAtOnce."""
        caller = CALLER.get()
        if caller is not None and self._flights.of(caller) >= MAX_FLIGHTS_OF_ONE:
            raise TooManyAtOnce
        if self._flights.asked_for > self._flights.ceiling.part:
            raise TooManyAtOnce

    async def _recalled(self, parts: Sequence[Part], tick: int) -> Answer | None:
        """What Redis still knows: the current tick, or an older one whose refresh is then started."""
        keys = tuple(part.key for part in parts)
        await landing(
            self._flights.start(
                (keys, tick),
                lambda: self._recall(parts, (tick, *self._policy.older(tick))),
                CALLER.get(),
            )
        )
        answer = self._in_memory(parts, tick, "hit") or self._older(parts, tick, self._clock())
        if answer is not None:
            self._refresh(parts, tick)
        return answer

    async def _computed(self, parts: Sequence[Part], past: int | None) -> Answer | None:
        """Compute what is missing, for a tick that is past or the present one; None when it cannot be had.

        Computations that are under way since an earlier tick are joined, not doubled: the others
        are then computed for that tick, too. Parts of two such ticks take another round, and so do
        those of a later tick: of what was the present before the clock was set back, or is the present
        while something past is asked for. Only of its own tick a part is not due.
        """
        while True:
            now = self._policy.tick(self._clock()) if past is None else past
            tick = min(now, *(self._flight_ticks.get(part.key, now) for part in parts))
            tasks = self._refresh(parts, tick, awaited=True)
            if tasks:
                await asyncio.wait(tasks)
            failures = [task.exception() for task in tasks if not task.cancelled()]
            if any(isinstance(failure, NotDue) and failure.tick == tick for failure in failures):
                return None
            landed = [task.result() for task in tasks if not task.cancelled() and not task.exception()]
            answer = self._in_memory(parts, tick, "miss", {entry.key: entry for entry in landed})
            if answer is not None or any(self._resting(part) and not part.optional for part in parts):
                return answer

    async def _recall(self, parts: Sequence[Part], ticks: Sequence[int]) -> None:
        for entry in await self._shared.recall(parts, ticks):
            # While Redis was away another process may have made its own of a tick that this one has told.
            if (entry.key, entry.tick) not in self._memory:
                self._memory.put(entry)

    async def _taking_turns(self, part: Part, tick: int, *, awaited: bool) -> Entry:
        try:
            if not awaited:
                await self._pacer.wait()
            # Who is waited for has looked into Redis already.
            return await self._obtain(part, tick, known_missing=awaited)
        finally:
            self._flight_ticks.pop(part.key, None)

    async def _obtain(self, part: Part, tick: int, *, known_missing: bool = False) -> Entry:
        """The entry of a part's tick, wherever it comes from; a failure is remembered for a while."""
        try:
            async with asyncio.timeout(self._policy.longest(in_turn=part.in_turn)):
                entry = await self._shared.obtain(part, tick, known_missing=known_missing)
        except NotDue:
            raise
        except Exception as error:  # a source may fail in any way, and none of them ends the service
            # What failed for another's failure rests no longer than that one does.
            self._failed_at[part.key] = error.at if isinstance(error, FailedJustNow) else time.monotonic()
            self._observer.failed(part.name)
            foreseen = isinstance(error, (OSError, RedisError))
            failed = pattern_of(part.key)
            log.warning("computation failed", part=failed, error=str(error), exc_info=not foreseen)
            raise
        self._failed_at.pop(part.key, None)
        self._memory.put(entry)
        return entry
