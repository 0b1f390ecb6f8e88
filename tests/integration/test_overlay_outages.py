"""The overlay recorder while Redis is away, hangs, forgets or holds garbage: nothing lost or doubled."""

import logging
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from parallel_ops_recorder import OverlayRecorder
from parallel_ops_recorder.batch import Batch, Increment, Receipt, Source, send
from parallel_ops_recorder.keys import EVICTIONS, GAUGES, HITS, MISSES, NO_TENANT, counts_key, sent_key
from parallel_ops_recorder.tally import MAX_HOURS
from redis import Redis

from demo.servers import Valkey
from tests.support.recorders import (
    DEADLINE_SECONDS,
    Clock,
    counted,
    emptied,
    eventually,
    hits,
    processes,
    recording,
    running_valkey,
)

valkey = pytest.fixture(running_valkey, scope="module", name="valkey")
NO_GAUGES = dict.fromkeys(GAUGES, 0)
NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)
HOUR = int(NOON.timestamp()) // 3600


@pytest.fixture
def redis(valkey: Valkey) -> Generator[Redis]:
    yield from emptied(valkey)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "parallel_ops_recorder")
    return caplog


def outages(log: pytest.LogCaptureFixture) -> int:
    return log.text.count("Overlay counters cannot be sent")


def recoveries(log: pytest.LogCaptureFixture) -> int:
    return log.text.count("Overlay counters are sent to")


@contextmanager
def load(recorder: OverlayRecorder) -> Iterator[Callable[[], int]]:
    """Four threads that count hits without a pause; yields how many they have counted so far."""
    done, served = Event(), [0] * 4

    def serve(thread: int) -> None:
        while not done.wait(0.0005):
            recorder.hit()
            served[thread] += 1

    with ThreadPoolExecutor(4) as threads:
        futures = [threads.submit(serve, thread) for thread in range(4)]
        try:
            yield lambda: sum(served)
        finally:
            done.set()
    assert [future.exception() for future in futures] == [None] * 4


def some_more(look: Callable[[], int]) -> None:
    """Wait until the number has grown."""
    before = look()
    eventually(lambda: look() > before + 100)


@pytest.mark.parametrize("crash", [False, True], ids=["stopped", "killed"])
def test_a_restart_under_load_loses_and_doubles_nothing(
    valkey: Valkey, redis: Redis, log: pytest.LogCaptureFixture, crash: bool
) -> None:
    with recording(valkey.url) as recorder, load(recorder) as served:
        for _ in range(3):
            some_more(lambda: hits(redis))
            valkey.kill() if crash else valkey.stop()
            some_more(served)
            valkey.start()
        some_more(lambda: hits(redis))
    assert outages(log) >= 1
    assert recorder.dropped == 0
    assert hits(redis) == served()


def test_lost_replies_lose_and_double_nothing(
    valkey: Valkey, redis: Redis, log: pytest.LogCaptureFixture
) -> None:
    """A frozen server has a batch in its socket and counts it when it thaws; the recorder cannot know.

    On a busy machine so short a wait for a reply ends now and then although nothing is frozen.
    """
    redis.config_resetstat()
    with recording(valkey.url, Clock(NOON), timeout=0.1) as recorder:
        with load(recorder) as served:
            for _ in range(3):
                before = came_again(redis)
                while came_again(redis) == before:
                    some_more(lambda: hits(redis))
                    valkey.pause()
                    eventually(lambda: outages(log) > recoveries(log))
                    valkey.resume()
                    eventually(lambda: outages(log) == recoveries(log))
        eventually(lambda: hits(redis) == served())  # the last attempt, at the end, would be given up
    assert recorder.dropped == 0
    assert hits(redis) == served()


def came_again(redis: Redis) -> int:
    """How many batches a server has got that it had counted before."""
    commands = redis.info("commandstats")
    batches, counted = (commands.get(f"cmdstat_{name}", {"calls": 0}) for name in ("eval", "hincrby"))
    return int(batches["calls"] - counted["calls"])


def test_a_batch_counts_once_however_often_and_late_it_arrives(redis: Redis) -> None:
    first = Batch(1, (Increment(HOUR, HITS, 5), Increment(HOUR, MISSES, 2)))
    second = Batch(2, (Increment(HOUR, HITS, 10), Increment(HOUR + 24, EVICTIONS, 1)))
    for batch, before in ((first, 0), (first, 1), (second, 1), (first, 2), (second, 2)):
        assert send(redis, Source(NO_TENANT, "plm-1"), batch, NO_GAUGES) == Receipt(before, [])
    assert counted(redis) == {"hits": 15, "misses": 2, "evictions": 1}
    assert (
        send(redis, Source(NO_TENANT, "plm-2"), first, NO_GAUGES).before == 0
    )  # another process has numbers of its own
    assert hits(redis) == 20


def test_a_server_that_came_back_without_its_data_counts_a_batch_again(redis: Redis) -> None:
    batch = Batch(1, (Increment(HOUR, HITS, 5),))
    send(redis, Source(NO_TENANT, "plm-1"), batch, NO_GAUGES)
    redis.flushall()
    send(redis, Source(NO_TENANT, "plm-1"), batch, NO_GAUGES)
    assert hits(redis) == 5
    assert redis.get(sent_key("plm-1")) == "1"


def test_what_a_server_forgets_after_it_has_acknowledged_is_sent_again(
    valkey: Valkey, redis: Redis, log: pytest.LogCaptureFixture
) -> None:
    """As a replica does that lags, and is made the primary."""
    with recording(valkey.url) as recorder:
        recorder.hit(1)
        eventually(lambda: hits(redis) == 1)
        for key in list(redis.scan_iter()):
            redis.copy(key, key, destination_db="1")
        recorder.hit(20)
        recorder.miss(3)
        eventually(lambda: hits(redis) == 21)
        redis.swapdb(0, 1)
        eventually(lambda: hits(redis) == 21)
        recorder.hit(300)
    assert counted(redis) == {"hits": 321, "misses": 3, "evictions": 0}
    assert "has forgotten 23 overlay counts that it had acknowledged" in log.text


def test_a_server_that_was_emptied_stays_empty_but_for_what_is_new(
    valkey: Valkey, redis: Redis, log: pytest.LogCaptureFixture
) -> None:
    with recording(valkey.url) as recorder:
        recorder.hit(1)
        eventually(lambda: hits(redis) == 1)
        redis.flushall()
        recorder.hit(20)
    assert hits(redis) == 20
    assert not log.text


def test_a_full_server_counts_nothing_until_it_has_room_and_then_all(
    valkey: Valkey, redis: Redis, log: pytest.LogCaptureFixture
) -> None:
    redis.config_set("maxmemory", "1")
    with recording(valkey.url) as recorder:
        recorder.hit(5)
        eventually(lambda: outages(log) >= 1)
        redis.config_set("maxmemory", "0")
        eventually(lambda: hits(redis) == 5)


def test_garbage_under_one_key_holds_up_its_own_counts_only(
    valkey: Valkey, redis: Redis, log: pytest.LogCaptureFixture
) -> None:
    clock, garbled = Clock(NOON), counts_key(NOON)
    redis.set(garbled, "x")
    with recording(valkey.url, clock) as recorder:
        recorder.hit(5)
        clock.now = NOON.replace(day=10)
        recorder.hit(10)
        eventually(lambda: redis.hget(counts_key(clock.now), "12:hits") == "10")
        eventually(lambda: outages(log) >= 1)
        assert f"{garbled}, field 12:hits: WRONGTYPE" in log.text
        redis.delete(garbled)
        eventually(lambda: hits(redis) == 15)
        recorder.hit(100)
    assert hits(redis) == 115
    assert recorder.dropped == 0


def test_an_outage_is_logged_once_and_without_the_password(log: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as broken:
        broken.settimeout(DEADLINE_SECONDS)
        address = f"127.0.0.1:{broken.getsockname()[1]}"
        with recording(f"redis://:geheim@{address}/0") as recorder:
            recorder.hit(7)
            for _ in range(20):  # attempts to connect
                broken.accept()[0].close()
    first, last = log.records
    assert first.levelno == logging.WARNING
    assert f"{address} (ConnectionError: " in first.getMessage()
    assert last.levelno == logging.ERROR
    assert last.getMessage().startswith(f"7 overlay counts did not reach {address} before the program ended")
    assert "geheim" not in log.text
    assert recorder.dropped == 7


def test_attempts_come_further_and_further_apart_while_redis_is_away() -> None:
    flush, attempts = 0.05, 8
    with socket.create_server(("127.0.0.1", 0)) as broken:
        broken.settimeout(DEADLINE_SECONDS)
        began = time.monotonic()
        with recording(f"redis://127.0.0.1:{broken.getsockname()[1]}", flush=flush) as recorder:
            recorder.hit()
            for _ in range(2 * attempts):  # each is made anew once, on a fresh connection
                broken.accept()[0].close()
            took = time.monotonic() - began
    # After the first, second and each further failure at least one, two and four of the usual pauses; a
    # busy machine adds to that.
    pauses = 1 + 1 + 2 + 4 * (attempts - 3)
    assert took >= pauses * flush


def test_of_more_hours_than_are_kept_the_oldest_are_dropped_and_that_is_said(
    valkey: Valkey, redis: Redis, log: pytest.LogCaptureFixture
) -> None:
    clock = Clock(NOON)
    with recording(valkey.url, clock, flush=60) as recorder:
        for _ in range(MAX_HOURS + 2):
            recorder.miss(10)
            clock.now += timedelta(hours=1)
        assert recorder.dropped == 20
    assert "20 overlay counts were given up" in log.text
    assert counted(redis)["misses"] == 10 * MAX_HOURS
    assert redis.exists(counts_key(NOON))
    assert not redis.hexists(counts_key(NOON), "13:misses")


def test_the_end_of_a_program_does_not_wait_long_for_a_redis_that_hangs(
    valkey: Valkey, redis: Redis, log: pytest.LogCaptureFixture
) -> None:
    timeout = 60
    with recording(valkey.url, timeout=timeout) as recorder:
        recorder.entries(1)
        eventually(lambda: len(processes(redis)) == 1)
        valkey.pause()
        recorder.hit(3)
        began = time.monotonic()
    took = time.monotonic() - began
    # It would wait for a minute, and does so still, in its own thread.
    assert "overlay-recorder" in [thread.name for thread in threading.enumerate()]
    assert took < timeout / 2
    assert recorder.dropped == 3
    valkey.resume()
