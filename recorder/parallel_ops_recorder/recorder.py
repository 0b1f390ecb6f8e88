"""What a program that serves 3D overlays uses to count its cache lookups; see docs/overlay-counters.md.

It needs the standard library and redis, and nothing else of this project.
"""

import atexit
import logging
import operator
import os
import time
from collections.abc import Callable
from multiprocessing import parent_process
from multiprocessing.util import Finalize
from types import TracebackType
from typing import Self, SupportsIndex

from parallel_ops_recorder.clients import checked
from parallel_ops_recorder.delivery import Delivery, DeliveryOptions
from parallel_ops_recorder.keys import EVICTIONS, GAUGES, HITS, LARGEST, MISSES, NO_TENANT, checked_tenant

# How long the end of a program may wait for Redis.
EXIT_SECONDS = 2.0

log = logging.getLogger(__name__)


class OverlayRecorder:
    """Counts cache lookups and shows the cache's size; Redis hears of them in the background.

    Counting is an addition in memory: no I/O, no waiting, no exception, from any number of threads and from
    asyncio code alike. Each process that counts has its own background thread, from its first call on, forked
    ones too. Every count reaches Redis exactly once, however long Redis is away, up to what `dropped` says.
    """

    def __init__(  # noqa: PLR0913 - four that a user gives, three for tests
        self,
        redis_url: str,
        ttl_seconds: int,
        max_entries: int,
        *,
        tenant: str = NO_TENANT,
        flush_seconds: float = 1.0,
        timeout_seconds: float = 1.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Takes the URL of a Redis, of a cluster or of sentinels, and the cache's own limits.

        `tenant` is whose overlays are served, by the id that is in the PLM's tokens, where the service knows
        tenants; `acme.design` where an organisation has a database of its own. Connects to nothing yet.

        Raises ValueError or TypeError for values that cannot be meant. A recorder lives until close() or the
        end of the program, so make one and keep it.
        """
        self._limits = (_amount("ttl_seconds", ttl_seconds), _amount("max_entries", max_entries))
        self._entries = 0
        self._options = DeliveryOptions(
            checked(redis_url), checked_tenant(tenant), flush_seconds, timeout_seconds, clock
        )
        self._delivery = Delivery(self._options, self._gauges)
        self._deliveries = {self._delivery.pid: self._delivery}
        self._pid = 0  # the process that counts already: none before the first call, another one after a fork
        self._closed = False
        self._misused = False
        atexit.register(self.close)

    def hit(self, n: int = 1) -> None:
        """Count `n` lookups that found their overlay; a batch is one lookup."""
        self._count(HITS, n)

    def miss(self, n: int = 1) -> None:
        """Count `n` lookups that did not."""
        self._count(MISSES, n)

    def evicted(self, n: int = 1) -> None:
        """Count `n` overlays that left the cache before they were asked for again."""
        self._count(EVICTIONS, n)

    def entries(self, n: int) -> None:
        """Say that the cache of this process holds `n` overlays now."""
        if self._pid != os.getpid():
            self._arrive()
        self._entries = self._checked(n, self._entries)

    @property
    def dropped(self) -> int:
        """Counts that this process gave up: the oldest of a long outage, and what close() left behind."""
        delivery = self._delivery
        if delivery.pid != os.getpid():
            return 0
        return delivery.tally.dropped + (delivery.undelivered if self._closed else 0)

    def close(self) -> None:
        """Send what is left, in at most EXIT_SECONDS; runs by itself at the end of a program."""
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self.close)
        if self._pid == os.getpid():
            self._delivery.stop(EXIT_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _count(self, kind: int, n: int) -> None:
        # Asked for at each call, because os.register_at_fork would not do: uWSGI forks without its hooks.
        if self._pid != os.getpid():
            self._arrive()
        if type(n) is not int or not 0 <= n <= LARGEST:
            n = self._checked(n, 0)
        self._delivery.tally.add(kind, n)

    def _arrive(self) -> None:
        """Begin to count in this process; what a parent has counted stays the parent's to send."""
        pid = os.getpid()
        if self._delivery.pid != pid:
            # No lock: a fork may have copied it in its locked state. Of threads that meet here one wins.
            self._delivery = self._deliveries.setdefault(pid, Delivery(self._options, self._gauges))
            self._deliveries = {pid: self._delivery}
        if not self._closed:
            self._delivery.start()
            if parent_process() is not None:
                Finalize(None, self.close, exitpriority=0)  # children of multiprocessing skip atexit
        self._pid = pid

    def _gauges(self) -> dict[str, int]:
        return dict(zip(GAUGES, (self._entries, *self._limits), strict=True))

    def _checked(self, n: SupportsIndex, otherwise: int) -> int:
        """`n`, or `otherwise` if it is no count: a lookup must not fail for its counting."""
        try:
            return _amount("n", n)
        except (TypeError, ValueError) as error:
            if not self._misused:
                self._misused = True
                log.error(
                    "An overlay count is left out, and so are all of its kind: %s", error, stack_info=True
                )
            return otherwise


def _amount(name: str, value: SupportsIndex) -> int:
    try:
        amount = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, not {value!r}") from None
    if not 0 <= amount <= LARGEST:
        raise ValueError(f"{name} must be between 0 and {LARGEST}, not {amount}")
    return amount
