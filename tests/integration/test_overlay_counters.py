"""Reading a window's overlay counters from a real Valkey."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from parallel_ops_recorder.keys import counts_field, counts_key, process_key
from redis.asyncio import BlockingConnectionPool, Connection, Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from demo.servers import Valkey
from service.overview.sections import Lookups, OverlayCache
from service.sources.overlay_cache import SCAN_COUNT, OverlayCountersError, read_window
from tests.support.folders import passing_folder

NOON = datetime(2026, 3, 10, 12, 30, tzinfo=UTC)
TODAY = counts_key(NOON)
PROCESS = process_key("plm-1")


class Wire(Connection):
    """Counts what is sent, and tells `before` of each sending."""

    sent = 0
    before: Callable[[int], Awaitable[object]] | None = None

    async def send_packed_command(
        self, command: bytes | str | Iterable[bytes], check_health: bool = True
    ) -> None:
        if Wire.before is not None:
            await Wire.before(Wire.sent)
        Wire.sent += 1
        await super().send_packed_command(command, check_health)


@pytest.fixture(scope="module")
def valkey() -> Generator[Valkey]:
    with passing_folder() as folder:
        server = Valkey(folder / "valkey")
        server.start()
        yield server
        server.kill()


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncGenerator[Redis]:
    """An empty one; Wire counts from 0."""
    pool = BlockingConnectionPool.from_url(valkey.url, connection_class=Wire)
    async with Redis.from_pool(pool) as client:
        await client.flushall()
        Wire.sent, Wire.before = 0, None
        yield client
        Wire.before = None


async def count(redis: Redis, at: datetime, hits: int = 0, misses: int = 0, evictions: int = 0) -> None:
    counts = {"hits": hits, "misses": misses, "evictions": evictions}
    for kind, n in counts.items():
        await redis.hincrby(counts_key(at), counts_field(at.hour, kind), n)


async def live(
    redis: Redis, process_id: str, entries: object, ttl_seconds: object, max_entries: object
) -> None:
    gauges = {"entries": entries, "ttl_seconds": ttl_seconds, "max_entries": max_entries}
    await redis.hset(process_key(process_id), mapping={key: str(value) for key, value in gauges.items()})


async def told(redis: Redis, window_days: int) -> OverlayCache:
    """A window at noon, without what lies beside it."""
    found = await read_window(redis, NOON, window_days)
    return replace(found, by_hour=(), before=None, month=None)


async def test_without_counters_all_is_0_in_one_round_trip(redis: Redis) -> None:
    assert await told(redis, 90) == OverlayCache()
    assert Wire.sent == 1


async def test_counts_of_all_hours_add_up(redis: Redis) -> None:
    await count(redis, NOON, hits=5, misses=2, evictions=1)
    await count(redis, NOON - timedelta(hours=3), hits=10)
    await count(redis, NOON - timedelta(days=3), misses=20, evictions=7)
    assert await told(redis, 7) == OverlayCache(hits=15, misses=22, evictions=8)


@pytest.mark.parametrize("window_days", [1, 7, 90])
async def test_hours_outside_the_window_are_left_out(redis: Redis, window_days: int) -> None:
    since = NOON - timedelta(days=window_days)
    await count(redis, since - timedelta(hours=1), hits=1)
    await count(redis, since, hits=10)  # 12:00 to 13:00, of which the window has the second half
    await count(redis, NOON, hits=100)
    await count(redis, NOON + timedelta(hours=1), hits=1000)
    assert (await read_window(redis, NOON, window_days)).hits == 110


async def test_an_hour_that_ends_as_the_window_begins_is_left_out(redis: Redis) -> None:
    sharp = NOON.replace(minute=0)
    await count(redis, sharp - timedelta(days=1, hours=1), hits=1)
    await count(redis, sharp - timedelta(days=1), hits=10)
    await count(redis, sharp, hits=100)
    assert (await read_window(redis, sharp, 1)).hits == 110
    assert (await read_window(redis, sharp - timedelta(microseconds=1), 1)).hits == 11


async def test_entries_add_up_and_limits_are_the_largest(redis: Redis) -> None:
    await live(redis, "a", 3, 300, 1000)
    await live(redis, "b", 4, 600, 500)
    await live(redis, "c", 0, 0, 0)
    Wire.sent = 0
    assert await told(redis, 1) == OverlayCache(entries=7, ttl_seconds=600, max_entries=1000)
    assert Wire.sent == 2


async def test_a_process_is_counted_once_among_many_keys(redis: Redis) -> None:
    async with redis.pipeline() as pipe:
        for number in range(3 * SCAN_COUNT):
            pipe.set(f"someone-else:{number}", "x")
        for number in range(SCAN_COUNT):
            pipe.hset(
                process_key(str(number)), mapping={"entries": 1, "ttl_seconds": 2, "max_entries": number}
            )
        await pipe.execute()
    assert await told(redis, 1) == OverlayCache(entries=1000, ttl_seconds=2, max_entries=999)


async def test_a_process_that_ends_while_it_is_read_counts_as_gone(redis: Redis, valkey: Valkey) -> None:
    await live(redis, "ends", 50, 600, 9000)
    await live(redis, "stays", 2, 300, 1000)
    Wire.sent = 0
    async with Redis.from_url(valkey.url) as other:

        async def end_before_the_second(sent: int) -> None:
            if sent == 1:
                await other.delete(process_key("ends"))

        Wire.before = end_before_the_second
        assert await told(redis, 1) == OverlayCache(entries=2, ttl_seconds=300, max_entries=1000)


async def test_fields_of_a_later_contract_are_left_alone(redis: Redis) -> None:
    await count(redis, NOON, hits=5)
    await redis.hset(TODAY, mapping={"12:bytes": "1.5e9", "24:hits": "7", "note": "hello"})
    assert await told(redis, 1) == OverlayCache(hits=5)


@pytest.mark.parametrize("garbage", ["", "x", "-1", "1.5", "1_000", " 7", "+7", "٣", "9" * 16])
async def test_a_field_that_is_no_count_is_an_error_that_names_it(redis: Redis, garbage: str) -> None:
    await count(redis, NOON, hits=5)
    await redis.hset(TODAY, "12:misses", garbage)
    with pytest.raises(OverlayCountersError, match=f"{TODAY}, field 12:misses: .* is not a count"):
        await read_window(redis, NOON, 1)


async def test_garbage_in_an_hour_outside_the_window_does_not_matter(redis: Redis) -> None:
    await redis.hset(TODAY, "13:hits", "x")
    assert await told(redis, 1) == OverlayCache()


async def test_a_gauge_that_is_no_count_is_an_error_that_names_it(redis: Redis) -> None:
    await live(redis, "plm-1", 5, "5 minutes", 1000)
    with pytest.raises(OverlayCountersError, match=f"{PROCESS}, field ttl_seconds: b'5 minutes' is not"):
        await read_window(redis, NOON, 1)


@pytest.mark.parametrize("key", [TODAY, PROCESS])
async def test_a_key_of_another_type_is_an_error_that_names_it(redis: Redis, key: str) -> None:
    await redis.lpush(key, "x")
    with pytest.raises(OverlayCountersError, match=f"{key} cannot be read as a hash of counts: WRONGTYPE"):
        await read_window(redis, NOON, 1)


async def test_after_garbage_the_client_goes_on(redis: Redis) -> None:
    await redis.set(TODAY, "x")
    with pytest.raises(OverlayCountersError):
        await read_window(redis, NOON, 1)
    await redis.delete(TODAY)
    await count(redis, NOON, hits=5)
    assert await asyncio.gather(*(told(redis, 1) for _ in range(20))) == [OverlayCache(hits=5)] * 20


async def test_a_read_only_looks(redis: Redis) -> None:
    """Neither KEYS nor a script, which would hold up the others who use this Redis."""
    await live(redis, "a", 3, 300, 1000)
    await redis.config_resetstat()
    await read_window(redis, NOON, 30)
    used = {name.removeprefix("cmdstat_") for name in await redis.info("commandstats")}
    assert used - {"info", "config|resetstat"} == {"hgetall", "hmget", "scan"}


async def test_redis_away_is_not_garbage() -> None:
    async with Redis.from_url("redis://127.0.0.1:1", retry=None) as nowhere:
        with pytest.raises(RedisConnectionError):
            await read_window(nowhere, NOON, 1)


async def test_the_window_before_has_the_hours_that_overlap_it(redis: Redis) -> None:
    for days, hits in ((0, 1), (1, 10), (2, 100)):
        await count(redis, NOON - timedelta(days=days), hits=hits, misses=2 * hits)
    await count(redis, NOON - timedelta(days=2, hours=1), hits=1000)
    # The hour in which one window ends and the other begins belongs to both.
    assert (await read_window(redis, NOON, 1)).before == Lookups(110, 220)
    sharp = NOON.replace(minute=0)
    assert (await read_window(redis, sharp, 1)).before == Lookups(100, 200)
    assert (await read_window(redis, NOON, 30)).before == Lookups()
    assert (await read_window(redis, NOON, 90)).before is None


@pytest.mark.parametrize("window_days", [1, 7, 90])
async def test_the_last_hours_and_the_month_are_told_whatever_the_window_is(
    redis: Redis, window_days: int
) -> None:
    for ago, hits in ((0, 1), (1, 10), (167, 100), (168, 1000), (30 * 24, 10_000), (30 * 24 + 1, 100_000)):
        await count(redis, NOON - timedelta(hours=ago), hits=hits)
    found = await read_window(redis, NOON, window_days)
    hours = [lookups.hits for lookups in found.by_hour]
    assert (len(hours), hours[0], hours[-2:], sum(hours)) == (168, 100, [10, 1], 111)
    assert found.month == Lookups(11_111)
