"""The overlay recorder against a real Valkey: what it counts, under which keys, and at what cost."""

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from datetime import UTC, datetime

import pytest
from parallel_ops_recorder import OverlayRecorder
from redis import Redis

from demo.servers import Valkey
from tests.support.children import ending_with_us
from tests.support.recorders import (
    DEADLINE_SECONDS,
    FLUSH_SECONDS,
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
NOWHERE = "redis://127.0.0.1:1"


@pytest.fixture
def redis(valkey: Valkey) -> Generator[Redis]:
    yield from emptied(valkey)


def run(program: str, url: str) -> subprocess.Popen[bytes]:
    """A program of its own, which ends without closing its recorder."""
    made = "import sys; from parallel_ops_recorder import OverlayRecorder\n"
    made += f"recorder = OverlayRecorder(sys.argv[1], 300, 1000, flush_seconds={FLUSH_SECONDS})\n"
    return subprocess.Popen(ending_with_us([sys.executable, "-c", made + program, url]))


EIGHT_THREADS = """
from threading import Thread
def serve():
    for _ in range(2000):
        recorder.hit()
        recorder.miss(2)
    recorder.evicted(3)
threads = [Thread(target=serve) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
recorder.entries(11)
"""


def test_counts_of_4_processes_with_8_threads_add_up_exactly(valkey: Valkey, redis: Redis) -> None:
    """Those of the last moments before the end of each program are there as well."""
    programs = [run(EIGHT_THREADS, valkey.url) for _ in range(4)]
    assert [program.wait(DEADLINE_SECONDS) for program in programs] == [0] * 4
    assert counted(redis) == {"hits": 64_000, "misses": 128_000, "evictions": 96}
    assert processes(redis) == [{"entries": "11", "ttl_seconds": "300", "max_entries": "1000"}] * 4


FORKS = """
import multiprocessing, os
recorder.hit(1000)
recorder.entries(1)
if (child := os.fork()) == 0:
    recorder.hit(20)
    recorder.entries(2)
    sys.exit()
def work():
    recorder.hit(300)
    recorder.entries(3)
other = multiprocessing.get_context("fork").Process(target=work)
other.start()
recorder.hit(4000)
other.join()
sys.exit(os.waitpid(child, 0)[1] or other.exitcode)
"""


def test_a_fork_counts_for_itself(valkey: Valkey, redis: Redis) -> None:
    assert run(FORKS, valkey.url).wait(DEADLINE_SECONDS) == 0
    assert hits(redis) == 5320
    assert sorted(str(process["entries"]) for process in processes(redis)) == ["1", "2", "3"]


C_FORK = """
import ctypes, os
recorder.hit(1000)
child = ctypes.PyDLL(None).fork()
recorder.hit(20)
if child:
    sys.exit(os.waitpid(child, 0)[1])
"""


def test_a_fork_that_python_is_not_told_of_counts_for_itself(valkey: Valkey, redis: Redis) -> None:
    """As uWSGI forks."""
    assert run(C_FORK, valkey.url).wait(DEADLINE_SECONDS) == 0
    assert hits(redis) == 1040
    assert len(processes(redis)) == 2


def test_a_lookup_counts_in_the_hour_in_which_it_was(valkey: Valkey, redis: Redis) -> None:
    clock = Clock(datetime(2026, 3, 9, 22, 59, 59, 999999, UTC))
    with recording(valkey.url, clock, flush=60) as recorder:
        recorder.hit()
        clock.now = datetime(2026, 3, 9, 23, tzinfo=UTC)
        recorder.miss(2)
        clock.now = datetime(2026, 3, 10, 0, 10, tzinfo=UTC)
        recorder.evicted(3)
        clock.now = datetime(2026, 3, 10, 5, tzinfo=UTC)  # the hour of the sending, with no lookup
    assert redis.hgetall("parallel-ops:{-}:overlay:counts:2026-03-09") == {"22:hits": "1", "23:misses": "2"}
    assert redis.hgetall("parallel-ops:{-}:overlay:counts:2026-03-10") == {"00:evictions": "3"}


def test_all_keys_expire(valkey: Valkey, redis: Redis) -> None:
    with recording(valkey.url) as recorder:
        recorder.hit()
        eventually(lambda: hits(redis) == 1 and len(processes(redis)) == 1)
        expiries = {str(key).split(":")[3]: redis.ttl(key) for key in redis.scan_iter()}
    day, a_minute = 24 * 3600, 60
    longest = {"counts": 92 * day, "process": 2 * a_minute, "sent": 7 * day}
    assert expiries.keys() == longest.keys()
    for kind, seconds in expiries.items():
        assert longest[kind] - a_minute <= seconds <= longest[kind], kind


def test_a_process_shows_its_entries_of_the_moment_while_it_lives(valkey: Valkey, redis: Redis) -> None:
    with recording(valkey.url) as recorder:
        recorder.entries(5)
        eventually(
            lambda: processes(redis) == [{"entries": "5", "ttl_seconds": "300", "max_entries": "1000"}]
        )
        recorder.entries(4)
        eventually(lambda: [process["entries"] for process in processes(redis)] == ["4"])
        redis.flushall()  # as after 120 s of an outage: the next flush shows it again
        eventually(lambda: len(processes(redis)) == 1)
    redis.flushall()
    assert processes(redis) == []


def test_a_call_does_not_touch_the_network(valkey: Valkey, redis: Redis) -> None:
    with recording(valkey.url, flush=60) as recorder:
        before = redis.info("stats")
        for _ in range(1000):
            recorder.hit()
            recorder.entries(7)
        after = redis.info("stats")
        assert after["total_connections_received"] == before["total_connections_received"]
        assert after["total_commands_processed"] == before["total_commands_processed"] + 1  # the first INFO
    assert hits(redis) == 1000


def test_a_call_does_not_wait_for_a_redis_that_hangs(valkey: Valkey, redis: Redis) -> None:
    with recording(valkey.url, timeout=5) as recorder:
        recorder.hit()
        eventually(lambda: hits(redis) == 1)
        valkey.pause()
        slowest, deadline = 0.0, time.perf_counter() + 10 * FLUSH_SECONDS
        calls = 1
        while (began := time.perf_counter()) < deadline:
            recorder.hit()
            calls += 1
            slowest = max(slowest, time.perf_counter() - began)
        valkey.resume()
    assert slowest < 1
    assert hits(redis) == calls


def test_a_process_that_never_counts_never_shows(valkey: Valkey, redis: Redis) -> None:
    before = set(threading.enumerate())
    with recording(valkey.url, flush=0.001):
        assert set(threading.enumerate()) <= before
    assert redis.dbsize() == 0


def test_a_count_after_the_end_is_dropped(valkey: Valkey, redis: Redis) -> None:
    with recording(valkey.url) as recorder:
        recorder.hit()
    recorder.hit(2)
    recorder.close()
    assert recorder.dropped == 2
    assert hits(redis) == 1


def test_a_wrong_count_is_logged_once_and_never_raised(
    valkey: Valkey, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    with recording(valkey.url) as recorder:
        for wrong in (-1, 1.5, "7", None, 10**15):
            recorder.hit(wrong)  # type: ignore[arg-type]
            recorder.entries(wrong)  # type: ignore[arg-type]
        recorder.hit(True)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "must be between 0 and 999999999999999, not -1" in caplog.text
    assert hits(redis) == 1
    assert [process["entries"] for process in processes(redis)] == ["0"]


@pytest.mark.parametrize(
    ("url", "ttl_seconds", "max_entries", "message"),
    [
        (NOWHERE, -1, 1000, "ttl_seconds must be between 0 and"),
        (NOWHERE, 300, 1.5, "max_entries must be an integer, not 1.5"),
        ("http://127.0.0.1", 300, 1000, "redis://"),
    ],
)
def test_a_recorder_that_cannot_work_is_refused_at_once(
    url: str, ttl_seconds: int, max_entries: int, message: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        OverlayRecorder(url, ttl_seconds, max_entries)
