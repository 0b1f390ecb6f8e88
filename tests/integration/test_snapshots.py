"""What snapshots cost: statements a tick, nothing on hot requests; and that none takes another's place."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx
import pytest
from redis.asyncio import Redis

from service.cache.entry import MAX_STORED_BYTES
from service.cache.tick_cache import MAX_FLIGHTS, MAX_FLIGHTS_OF_ONE
from tests.support.api import PREFIX
from tests.support.builders import Database, insert, job, run
from tests.support.clock import Clock
from tests.support.fixtures import Serve
from tests.support.reads import is_first_reading, know_all_days
from tests.support.slow_jobs import napping
from tests.support.statement_log import StatementLog
from tests.support.tokens import SECRET, bearer, claims, token
from tests.support.waiting import until

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STRANGE = [
    "a:target_object=b",
    "a%3Atarget_object=b",
    "a:1764000000",
    "a:lease",
    "*",
    "a\tb",
    "#",
    "雪" * 200,
    "雪" * 199 + "雨",
    "%" * 200,
    "%" * 199 + "#",
]


async def test_25_sites_and_4_targets_cost_no_statement_of_their_own(
    database: asyncpg.Connection, serve: Serve, statements: StatementLog
) -> None:
    async with serve(NOW) as client:
        asked = [
            client.get(f"{PREFIX}/summary", params={"site_id": f"S{site}", "target_object": f"T{target}"})
            for site in range(25)
            for target in range(4)
        ]
        assert {answer.status_code for answer in await asyncio.gather(*asked)} == {200}
        await until(lambda: is_first_reading(statements.tables()))


@pytest.mark.parametrize(
    "path",
    [
        *("/summary", "/trends", "/alerts", "/metrics", "/summary/export", "/trends/export", "/report"),
        *("/doc-sync/failures", "/summary?breakage_open_rate_warn=0.7"),
    ],
)
async def test_a_hot_request_asks_neither_redis_nor_the_database(
    path: str, database: asyncpg.Connection, serve: Serve, redis: Redis, statements: StatementLog
) -> None:
    async with serve(NOW) as client:
        await know_all_days(client)
        await client.get(PREFIX + path)
        cold, calls = statements.tables(), await _calls(redis)
        answers = [await client.get(PREFIX + path) for _ in range(3)]
        assert [answer.headers["x-cache"] for answer in answers] == ["hit"] * 3
        assert (statements.tables(), await _calls(redis)) == (cold, calls)


async def test_a_second_instance_takes_what_the_first_one_computed(
    database: asyncpg.Connection, serve: Serve, statements: StatementLog
) -> None:
    async with serve(NOW) as first, serve(NOW, flush=False) as second:
        await know_all_days(first)
        one = await first.get(f"{PREFIX}/summary")
        cold = statements.tables()
        other = await second.get(f"{PREFIX}/summary")
    assert (one.headers["x-cache"], other.headers["x-cache"]) == ("miss", "hit")
    assert one.content == other.content
    assert one.headers["etag"] == other.headers["etag"]
    assert statements.tables() == cold


async def test_windows_do_not_mix(database: asyncpg.Connection, serve: Serve) -> None:
    ages = {1: 1, 7: 2, 14: 3, 30: 4, 90: 5}
    await insert(
        database, Database(jobs=[job(created_at=NOW - timedelta(days=days, hours=-1)) for days in ages])
    )
    async with serve(NOW) as client:
        for _ in range(2):
            for days, total in ages.items():
                answer = await client.get(f"{PREFIX}/summary", params={"window_days": days})
                assert answer.json()["doc_sync"]["total"] == total


async def test_strange_filters_reach_their_own_rows_only(database: asyncpg.Connection, serve: Serve) -> None:
    rows = Database(
        jobs=[
            job(payload={"site_id": value}, created_at=NOW)
            for n, value in enumerate(STRANGE)
            for _ in range(n + 1)
        ],
        runs=[run(target_object=value[:60], created_at=NOW) for value in STRANGE],
    )
    await insert(database, rows)
    async with serve(NOW) as client:
        for _ in range(2):
            for number, value in enumerate(STRANGE):
                answer = (await client.get(f"{PREFIX}/summary", params={"site_id": value})).json()
                assert answer["doc_sync"]["site_filter"] == value
                assert answer["doc_sync"]["total"] == number + 1


async def test_values_in_redis_expire_and_their_keys_can_be_read(
    database: asyncpg.Connection, serve: Serve, redis: Redis
) -> None:
    asked: dict[str, str | int] = {"window_days": 90, "site_id": "SH-01", "target_object": "雪" * 60}
    async with serve(NOW) as client:
        await client.get(f"{PREFIX}/summary", params=asked)
        await know_all_days(client)
    keys = await redis.keys("*")
    tick = int(NOW.timestamp())
    assert f"parallel-ops:{{-}}:v1:doc_sync:window_days=90:site_id=SH-01:zone=UTC:{tick}".encode() in keys
    assert f"parallel-ops:{{-}}:v1:readings:refresh=15:zone=UTC:{tick}".encode() in keys
    # Five sections, three of a filter, what stands at the tick, and a reading for each day of three tables.
    assert len(keys) == 5 + 3 + 1 + 3 * 91
    assert max(map(len, keys)) < 250
    assert all([await redis.ttl(key) > 0 for key in keys])


async def test_what_is_too_large_to_share_is_answered_all_the_same(
    database: asyncpg.Connection, serve: Serve, redis: Redis
) -> None:
    site = {"site_id": "x" * (MAX_STORED_BYTES // 100)}
    jobs = [job(status="failed", payload=site, created_at=NOW) for _ in range(101)]
    await insert(database, Database(jobs=jobs))
    path = f"{PREFIX}/doc-sync/failures?page_size=200"
    async with serve(NOW) as first, serve(NOW, flush=False) as second:
        answers = [await client.get(path) for client in (first, second)]
    assert [answer.headers["x-cache"] for answer in answers] == ["miss", "miss"]
    assert answers[0].content == answers[1].content
    assert await redis.keys("*failures*") == []


async def test_a_flood_of_distinct_questions_is_refused_and_not_queued(
    slow_jobs: asyncpg.Connection, serve: Serve
) -> None:
    await slow_jobs.execute(napping(60))
    async with serve(NOW, auth="required", jwt_secret=SECRET, statement_timeout_seconds=30) as client:
        asked = [_page(client, page, operator=page) for page in range(1, MAX_FLIGHTS + 100)]
        # Without a limit the first of them would end when the first statement is given up.
        done, waiting = await asyncio.wait(asked, timeout=20, return_when=asyncio.FIRST_COMPLETED)
        answer = done.pop().result()
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        for request in waiting:
            request.cancel()


async def test_one_caller_who_asks_something_new_all_the_time_leaves_room_for_others(
    slow_jobs: asyncpg.Connection, serve: Serve
) -> None:
    await slow_jobs.execute(napping(0.05))
    async with serve(NOW, auth="required", jwt_secret=SECRET) as client:
        asked = [_page(client, page, operator=1) for page in range(1, MAX_FLIGHTS + 100)]
        too_many = len(asked) - MAX_FLIGHTS_OF_ONE
        await until(lambda: sum(each.done() for each in asked) == too_many)
        refused = [each.result() for each in asked if each.done()]
        assert {(each.status_code, each.headers["retry-after"]) for each in refused} == {(429, "2")}
        assert refused[0].json()["detail"]["code"] == "parallel_ops_rate_limited"
        others = [client.get(f"{PREFIX}/workflow/failures?page={n}", headers=_token(n)) for n in range(2, 22)]
        assert [answer.status_code for answer in await asyncio.gather(*others)] == [200] * 20
        answered = [(await each).status_code for each in asked]
        assert answered.count(200) == MAX_FLIGHTS_OF_ONE


def _page(client: httpx.AsyncClient, page: int, operator: int) -> asyncio.Task[httpx.Response]:
    path = f"{PREFIX}/doc-sync/failures?page={page}"
    return asyncio.create_task(client.get(path, headers=_token(operator)))


def _token(operator: int) -> dict[str, str]:
    return bearer(token(claims(sub=str(operator))))


@pytest.mark.parametrize("step", [-5, 5])
async def test_instances_whose_clocks_differ_answer_sensibly(
    step: int, database: asyncpg.Connection, serve: Serve
) -> None:
    one, other = Clock(NOW), Clock(NOW + timedelta(seconds=step))
    async with serve(one) as first, serve(other, flush=False) as second:
        for _ in range(10):
            for client, clock in ((first, one), (second, other)):
                clock.now += 3
                answer = await client.get(f"{PREFIX}/summary")
                generated_at = datetime.fromisoformat(answer.json()["generated_at"]).timestamp()
                assert answer.status_code == 200
                assert 0 <= clock.now - generated_at <= 60
                assert int(answer.headers["age"]) == int(clock.now - generated_at)


async def test_a_clock_that_steps_back_serves_nothing_of_the_future_and_goes_on(
    database: asyncpg.Connection, serve: Serve
) -> None:
    clock = Clock(NOW)
    async with serve(clock) as client:
        await client.get(f"{PREFIX}/summary")
        clock.now -= 3600
        for _ in range(3):
            answer = await client.get(f"{PREFIX}/summary")
            assert answer.headers["age"] == "0"
            assert datetime.fromisoformat(answer.json()["generated_at"]).timestamp() == clock.now
            clock.now += 600


async def _calls(redis: Redis) -> int:
    """Commands that clients other than this one have sent so far."""
    stats = await redis.info("commandstats")
    return sum(command["calls"] for name, command in stats.items() if name != "cmdstat_info")
