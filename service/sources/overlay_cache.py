"""The 3D overlay cache: its counters of a window, as all processes together have counted them in Redis."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast

from msgspec import Struct
from parallel_ops_recorder.keys import (
    GAUGES,
    KINDS,
    MAX_DIGITS,
    NO_TENANT,
    counts_field,
    counts_key,
    process_key,
    window_hours,
)
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import ResponseError

from service.overview.clock import HOURS_DAYS, MONTH_DAYS
from service.overview.query import WINDOW_DAYS, Query
from service.overview.sections import Lookups, OverlayCache, window_since
from service.redis_clients import owner_of
from service.shared_redis import SharedRedis, UnusableValue

# Keys that Redis looks at for one page of process keys; some 0.1 ms of its time.
SCAN_COUNT = 1000
# What JSON and msgpack can say. A window's hours cannot get there, but ever so many processes can.
LARGEST_SUM = 2**63 - 1
ScanPage = tuple[int, list[bytes]]
Hash = dict[bytes, bytes]
HOURS = HOURS_DAYS * 24
FIELDS = tuple(tuple(counts_field(hour, kind).encode() for kind in KINDS) for hour in range(24))


class OverlayCountersError(UnusableValue):
    """A key holds something other than counts, so no number of the window can be trusted.

    It is a RedisError, as Redis being away is: for either the answer is that the counters are not to be had.
    """


class _Day(Struct, frozen=True):
    """The counts of a day, and the key that they are from."""

    key: str
    counts: Hash


async def read(redis: SharedRedis, query: Query, instant: datetime, tenant: str) -> OverlayCache:
    """The overlay section of a tenant's window; no filter applies to it. Raises RedisError."""
    return await redis.ask(lambda client: read_window(client, instant, query.window_days, tenant))


async def read_window(
    redis: Redis, instant: datetime, window_days: int, tenant: str = NO_TENANT
) -> OverlayCache:
    """A tenant's counts of the UTC hours that [instant - window_days, instant] touches, and the live caches.

    `instant` is aware; the client does not decode responses. One round trip, and one more if there are live
    processes; more only where Redis holds so many keys that looking for processes takes several pages.
    Raises OverlayCountersError for anything that is no count, other RedisErrors when Redis does not answer.
    """
    since = window_since(instant, window_days)
    before = None if 2 * window_days > WINDOW_DAYS[-1] else window_since(since, window_days)
    by_hour = instant.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    month = window_since(instant, MONTH_DAYS)
    days = list(window_hours(min(before or since, month), instant))
    keys, processes = [counts_key(day, tenant) for day in days], process_key("*", tenant)
    hashes, page, owner = await _look(redis, keys, processes)
    counts = {day: _day(*found) for day, *found in zip(days, keys, hashes, strict=True)}
    hits, misses, evictions = map(sum, zip(*_by_hour(counts, since, instant), strict=True))
    entries, ttls, limits = await _processes(redis, processes, page, owner)
    if sum(entries) > LARGEST_SUM:
        raise OverlayCountersError(f"{processes}, field entries: the counts of {len(entries)} overflow")
    return OverlayCache(
        entries=sum(entries),
        hits=hits,
        misses=misses,
        evictions=evictions,
        ttl_seconds=max(ttls, default=0),
        max_entries=max(limits, default=0),
        by_hour=tuple(Lookups(hits, misses) for hits, misses, _ in _by_hour(counts, by_hour, instant)),
        before=None if before is None else _lookups(counts, before, since - timedelta.resolution),
        month=_lookups(counts, month, instant),
    )


def _lookups(counts: Mapping[date, _Day], since: datetime, until: datetime) -> Lookups:
    hits, misses, _ = map(sum, zip(*_by_hour(counts, since, until), strict=True))
    return Lookups(hits, misses)


def _by_hour(counts: Mapping[date, _Day], since: datetime, until: datetime) -> Iterator[list[int]]:
    """The counts of each kind of the hours that [since, until] touches; other fields are left alone."""
    for day, hours in window_hours(since, until).items():
        of_day = counts[day]
        for hour in hours:
            yield [_count(of_day.key, field, of_day.counts.get(field)) for field in FIELDS[hour]]


def _day(key: str, counts: object) -> _Day:
    _refuse_error(key, counts)
    return _Day(key, cast(Hash, counts))


async def _look(
    redis: Redis, keys: Iterable[str], processes: str
) -> tuple[list[Any], object, dict[str, Any]]:
    """The hashes of the days, a first page of process keys, and the option that asks where those are."""
    owner = await owner_of(redis, processes)
    async with redis.pipeline(transaction=False) as pipe:
        _scan(pipe, 0, processes, owner)
        for key in keys:
            pipe.hgetall(key)
        page, *hashes = await pipe.execute(raise_on_error=False)
    if owner != await owner_of(redis, processes):
        # The hashes were elsewhere already, and so were the processes.
        return await _look(redis, keys, processes)
    return hashes, page, owner


def _scan(pipe: Pipeline, cursor: int, processes: str, owner: dict[str, Any]) -> None:
    pipe.execute_command("SCAN", cursor, "MATCH", processes, "COUNT", SCAN_COUNT, **owner)


async def _processes(redis: Redis, processes: str, page: object, owner: dict[str, Any]) -> list[list[int]]:
    """A column for each gauge, with a row for each process that is still live when its hash is read."""
    _refuse_error(processes, page)
    cursor, found = cast(ScanPage, page)
    keys = dict.fromkeys(found)  # a key may be on two pages
    while cursor:
        async with redis.pipeline(transaction=False) as pipe:
            _scan(pipe, cursor, processes, owner)
            (page,) = await pipe.execute()
        cursor, found = cast(ScanPage, page)
        keys.update(dict.fromkeys(found))
    columns: list[list[int]] = [[] for _ in GAUGES]
    for key, values in zip(keys, await _gauges(redis, list(keys)), strict=True):
        name = key.decode(errors="replace")
        _refuse_error(name, values)
        for column, gauge, value in zip(columns, GAUGES, values, strict=True):
            column.append(_count(name, gauge.encode(), value))
    return columns


async def _gauges(redis: Redis, keys: Sequence[bytes]) -> list[Any]:
    if not keys:
        return []
    async with redis.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.hmget(key, GAUGES)
        return await pipe.execute(raise_on_error=False)


def _count(key: str, field: bytes, value: bytes | None) -> int:
    """The number that a field holds; one that is missing, or that has expired with its key, is 0."""
    if value is None:
        return 0
    # int() would take "1_000", " 7 " and digits of other scripts, which HINCRBY never writes.
    if not value.isdigit() or len(value) > MAX_DIGITS:
        raise OverlayCountersError(f"{key}, field {field.decode()}: {value[:50]!r} is not a count")
    return int(value)


def _refuse_error(key: str, reply: object) -> None:
    if isinstance(reply, ResponseError):
        raise OverlayCountersError(f"{key} cannot be read as a hash of counts: {reply}") from reply
