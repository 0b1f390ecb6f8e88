"""The background thread that brings the counts of one process to Redis, through outages."""

import logging
import os
import secrets
import socket
import time
from collections import deque
from collections.abc import Callable, Mapping
from threading import Event, RLock, Thread
from typing import NamedTuple

from redis import Redis
from redis.backoff import EqualJitterBackoff
from redis.exceptions import ResponseError

from parallel_ops_recorder.addresses import Address
from parallel_ops_recorder.batch import Batch, Source, send
from parallel_ops_recorder.clients import connect
from parallel_ops_recorder.tally import MAX_HOURS, Tally

# While Redis is away attempts are spread up to this many flush intervals apart.
SLOWEST_FLUSHES = 8
NOTHING = Batch(0, ())
# So many acknowledged batches are remembered, should the server forget them: more than a replica ever lags.
REMEMBERED = 64

log = logging.getLogger(__name__)


class DeliveryOptions(NamedTuple):
    """What a recorder was made with, the same in all its processes."""

    address: Address
    tenant: str
    flush_seconds: float
    timeout_seconds: float
    clock: Callable[[], float]


class Delivery:
    """Sends a tally every `flush_seconds`, and once more when it is stopped.

    Belongs to one process: a fork makes another one, with a name, a connection and a thread of its own.
    """

    def __init__(self, options: DeliveryOptions, gauges: Callable[[], Mapping[str, int]]) -> None:
        """`gauges` tells the process's entries, ttl_seconds and max_entries of the moment."""
        self.pid = os.getpid()
        process_id = f"{socket.gethostname()}-{self.pid}-{secrets.token_hex(4)}"
        self._source = Source(options.tenant, process_id)
        self.tally = Tally(options.clock)
        self._options = options
        self._gauges = gauges
        self._redis: Redis | None = None
        self._batch = NOTHING
        self._acknowledged: deque[Batch] = deque(maxlen=REMEMBERED)
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
                self._options.address.place,
            )

    def _run(self) -> None:
        usual = self._options.flush_seconds
        backoff = EqualJitterBackoff(cap=SLOWEST_FLUSHES * usual, base=usual)
        failures, pause = 0, usual
        while not self._stopping.wait(pause):
            failures = 0 if self._deliver() else failures + 1
            pause = backoff.compute(min(failures, SLOWEST_FLUSHES)) if failures else usual
        self._deliver()
        self._hang_up()

    def _deliver(self) -> bool:
        """Send what there is; whether all of it arrived."""
        try:
            if self._batch.increments:  # of an outage: it goes first and unchanged
                self._send()
            self._batch = self._next_batch()
            while self._send():
                self._batch = self._next_batch()
        except Exception as error:  # noqa: BLE001 - whatever it is, counting goes on and it is tried again
            self._note_outage(error)
            if not isinstance(error, ResponseError):
                self._hang_up()  # a cluster may be elsewhere by now: the next attempt looks for it anew
            return False
        else:
            self._note_recovery()
            return True
        finally:
            self._note_dropped()

    def _next_batch(self) -> Batch:
        self._numbers += 1
        return Batch.of(self._numbers, self.tally.take())

    def _send(self) -> bool:
        """Send the batch; whether earlier ones have to be sent again."""
        if self._redis is None:
            self._redis = connect(self._options.address, self._options.timeout_seconds)
        receipt = send(self._redis, self._source, self._batch, self._gauges())
        sent, self._batch = self._batch, NOTHING
        forgotten = self._take_back(receipt.before)
        refused = [refusal.increment for refusal in receipt.refusals]
        for increment in refused:
            self.tally.put_back(*increment)
        if sent.increments:
            self._acknowledged.append(sent.without(refused))
        if refused:
            place = refused[0].place(self._source.tenant)
            raise ResponseError("{}, field {}: {}".format(*place, receipt.refusals[0].reason))
        return forgotten

    def _take_back(self, before: int) -> bool:
        """Count anew what was acknowledged and is forgotten, if the server knows of anything before that.

        One that knows nothing of us was emptied, or is another one: what it had is its own affair.
        """
        forgotten = [batch for batch in self._acknowledged if 0 < before < batch.number]
        for batch in forgotten:
            self._acknowledged.remove(batch)
            for increment in batch.increments:
                self.tally.put_back(*increment)
        if forgotten:
            log.warning(
                "%s has forgotten %d overlay counts that it had acknowledged, as after a failover; they are "
                "sent again",
                self._options.address.place,
                sum(batch.total for batch in forgotten),
            )
        return bool(forgotten)

    def _hang_up(self) -> None:
        if self._redis is not None:
            self._redis.close()
        self._redis = None

    def _note_outage(self, error: Exception) -> None:
        """Log the first failure of an outage."""
        if self._away_since is not None:
            return
        self._away_since = time.monotonic()
        log.warning(
            "Overlay counters cannot be sent to %s (%s: %s); counting goes on in memory, "
            "for the last %d hours with lookups, and all of it is sent when it is possible again",
            self._options.address.place,
            type(error).__name__,
            error,
            MAX_HOURS,
        )

    def _note_recovery(self) -> None:
        if self._away_since is not None:
            seconds = time.monotonic() - self._away_since
            self._away_since = None
            log.info(
                "Overlay counters are sent to %s again, after %.0f s", self._options.address.place, seconds
            )

    def _note_dropped(self) -> None:
        if dropped := self.tally.dropped - self._dropped_noted:
            self._dropped_noted += dropped
            log.error("%d overlay counts were given up, of the oldest hours of a long outage", dropped)
