"""The background thread that brings the counts of one process to Redis, through outages."""

import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from threading import Event, RLock, Thread
from typing import NamedTuple

from redis import Redis
from redis.backoff import EqualJitterBackoff, NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.retry import Retry

from parallel_ops_recorder.batch import Batch, send
from parallel_ops_recorder.tally import MAX_HOURS, Tally

# While Redis is away attempts are spread up to this many flush intervals apart.
SLOWEST_FLUSHES = 8
NOTHING = Batch(0, ())

log = logging.getLogger(__name__)


class DeliveryOptions(NamedTuple):
    """What a recorder was made with, the same in all its processes."""

    redis_url: str
    flush_seconds: float
    timeout_seconds: float
    clock: Callable[[], float]


def connect(options: DeliveryOptions) -> Redis:
    """A client that never hangs; it connects when first used. Raises ValueError for a URL that is none."""
    return Redis.from_url(
        options.redis_url,
        socket_timeout=options.timeout_seconds,
        socket_connect_timeout=options.timeout_seconds,
        # One more attempt on a fresh connection heals a restart unseen; what is sent may be sent twice.
        # After a timeout the next flush is the next attempt.
        retry=Retry(NoBackoff(), 1, (RedisConnectionError,)),
    )


class Delivery:
    """Sends a tally every `flush_seconds`, and once more when it is stopped.

    Belongs to one process: a fork makes another one, with a name, a connection and a thread of its own.
    """

    def __init__(self, options: DeliveryOptions, gauges: Callable[[], Mapping[str, int]]) -> None:
        """`gauges` tells the process's entries, ttl_seconds and max_entries of the moment."""
        self.pid = os.getpid()
        self.process_id = f"{socket.gethostname()}-{self.pid}-{secrets.token_hex(4)}"
        self.tally = Tally(options.clock)
        self._flush_seconds = options.flush_seconds
        self._gauges = gauges
        self._redis = connect(options)
        self._batch = NOTHING
        self._numbers = 0
        self._thread: Thread | None = None
        self._starting = RLock()  # reentrant: a signal handler may count as well
        self._stopping = Event()
        self._away_since: float | None = None
        self._dropped_noted = 0

    @property
    def undelivered(self) -> int:
        """Counts of which nothing says that Redis has them."""
        return self.tally.total() + self._batch.total

    def start(self) -> None:
        """Start the thread, the first time this is called. Raises nothing."""
        with self._starting:
            if self._thread is not None:
                return
            self._thread = Thread(target=self._run, name="overlay-recorder", daemon=True)
            try:
                self._thread.start()
            except RuntimeError as error:
                log.error("Overlay counters of this process will not be sent: no thread for it (%s)", error)
                self._stopping.set()

    def stop(self, timeout: float) -> None:
        """Send what is left and end the thread, in at most `timeout` seconds."""
        thread, alive = self._thread, not self._stopping.is_set()
        self._stopping.set()
        if thread is not None and alive:
            thread.join(timeout)
        if lost := self.undelivered:
            log.error(
                "%d overlay counts did not reach %s before the program ended and are given up",
                lost,
                self._address(),
            )

    def _run(self) -> None:
        backoff = EqualJitterBackoff(cap=SLOWEST_FLUSHES * self._flush_seconds, base=self._flush_seconds)
        failures, pause = 0, self._flush_seconds
        while not self._stopping.wait(pause):
            failures = 0 if self._deliver() else failures + 1
            pause = backoff.compute(min(failures, SLOWEST_FLUSHES)) if failures else self._flush_seconds
        self._deliver()
        self._redis.close()

    def _deliver(self) -> bool:
        """Send what there is; whether all of it arrived."""
        try:
            if self._batch.increments:  # of an outage: it goes first and unchanged
                self._send()
            self._batch = self._next_batch()
            self._send()
        except Exception as error:  # noqa: BLE001 - whatever it is, counting goes on and it is tried again
            self._note_outage(error)
            return False
        else:
            self._note_recovery()
            return True
        finally:
            self._note_dropped()

    def _next_batch(self) -> Batch:
        self._numbers += 1
        return Batch.of(self._numbers, self.tally.take())

    def _send(self) -> None:
        refusals = send(self._redis, self.process_id, self._batch, self._gauges())
        self._batch = NOTHING
        for increment, _ in refusals:
            self.tally.put_back(*increment)
        if refusals:
            (increment, reason) = refusals[0]
            raise ResponseError("{}, field {}: {}".format(*increment.place, reason))

    def _note_outage(self, error: Exception) -> None:
        """Log the first failure of an outage."""
        if self._away_since is not None:
            return
        self._away_since = time.monotonic()
        log.warning(
            "Overlay counters cannot be sent to %s (%s: %s); counting goes on in memory, "
            "for the last %d hours with lookups, and all of it is sent when it is possible again",
            self._address(),
            type(error).__name__,
            error,
            MAX_HOURS,
        )

    def _note_recovery(self) -> None:
        if self._away_since is not None:
            seconds = time.monotonic() - self._away_since
            self._away_since = None
            log.info("Overlay counters are sent to %s again, after %.0f s", self._address(), seconds)

    def _note_dropped(self) -> None:
        if dropped := self.tally.dropped - self._dropped_noted:
            self._dropped_noted += dropped
            log.error("%d overlay counts were given up, of the oldest hours of a long outage", dropped)

    def _address(self) -> str:
        """Where Redis is, without the password that the URL may hold."""
        where = self._redis.get_connection_kwargs()
        return str(where.get("path") or f"{where.get('host')}:{where.get('port')}")
