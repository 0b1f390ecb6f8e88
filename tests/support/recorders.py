"""What the tests of the overlay recorder share."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import datetime

from parallel_ops_recorder import OverlayRecorder
from parallel_ops_recorder.keys import KINDS
from redis import Redis

from demo.servers import Valkey
from tests.support.folders import passing_folder

DEADLINE_SECONDS = 30.0
FLUSH_SECONDS = 0.02
# Acknowledged is kept, also through a crash: "everysec" puts off even the write while the disk is busy.
KEEPS = {"appendonly": "yes", "appendfsync": "always"}


def running_valkey() -> Generator[Valkey]:
    """For a fixture: one that keeps what it has acknowledged."""
    with passing_folder() as folder:
        valkey = Valkey(folder / "valkey", options=KEEPS)
        valkey.start()
        yield valkey
        valkey.kill()


def emptied(valkey: Valkey) -> Generator[Redis]:
    """For a fixture: a client of the server, which runs and holds nothing."""
    valkey.resume()
    valkey.start()
    with Redis.from_url(valkey.url, decode_responses=True) as client:
        client.flushall()
        yield client


class Clock:
    """Stands still until it is set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now.timestamp()


@contextmanager
def recording(
    url: str, clock: Callable[[], float] = time.time, *, flush: float = FLUSH_SECONDS, timeout: float = 1.0
) -> Iterator[OverlayRecorder]:
    """A recorder that is in a hurry."""
    with OverlayRecorder(
        url, 300, 1000, flush_seconds=flush, timeout_seconds=timeout, clock=clock
    ) as recorder:
        yield recorder


def eventually(condition: Callable[[], bool]) -> None:
    """Wait for it, but not for ever."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def counted(redis: Redis) -> dict[str, int]:
    """The sums over all days and hours, by kind."""
    sums = dict.fromkeys(KINDS, 0)
    for key in redis.scan_iter("parallel-ops:{-}:overlay:counts:*"):
        for field, n in redis.hgetall(key).items():
            sums[str(field).partition(":")[2]] += int(n)
    return sums


def hits(redis: Redis) -> int:
    """The sum of the hits."""
    return counted(redis)["hits"]


def processes(redis: Redis) -> list[dict[bytes | str, bytes | str]]:
    """What each process says of its cache."""
    return [redis.hgetall(key) for key in redis.scan_iter("parallel-ops:{-}:overlay:process:*")]
