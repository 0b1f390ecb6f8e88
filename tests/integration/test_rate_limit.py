"""Whoever asks too often is told when to come back, by all instances alike."""

import time

import httpx
import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from service.app import create_app
from service.settings import Settings, SettingsError, from_environment
from tests.support.addresses import nowhere
from tests.support.api import PREFIX
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.tokens import SECRET, bearer, claims, token

SUMMARY = f"{PREFIX}/summary"


def caller(operator: int) -> dict[str, str]:
    return bearer(token(claims(sub=str(operator))))


async def test_each_caller_may_ask_so_often(serve: Serve, database: object) -> None:
    async with serve(NOW, auth="required", jwt_secret=SECRET, rate_limit="3/hour") as client:
        codes = [(await client.get(SUMMARY, headers=caller(1))).status_code for _ in range(5)]
        refused = await client.get(f"{PREFIX}/alerts", headers=caller(1))
        other = await client.get(SUMMARY, headers=caller(2))
    assert codes == [200, 200, 200, 429, 429]
    assert refused.json()["detail"]["code"] == "parallel_ops_rate_limited"
    assert refused.headers["cache-control"] == "no-store"
    assert other.status_code == 200


@pytest.mark.parametrize("seconds", [3599, 600, 30])
async def test_a_refusal_says_in_how_many_seconds_the_window_ends(
    serve: Serve, database: object, redis: Redis, seconds: int
) -> None:
    async with serve(NOW, rate_limit="1/hour") as client:
        await client.get(SUMMARY)
        # Redis keeps a window for another one after it.
        (window,) = await redis.keys("parallel-ops:limits*")
        started = time.monotonic()
        await redis.pexpire(window, (3600 + seconds) * 1000)
        refused = await client.get(SUMMARY)
        took = time.monotonic() - started
    assert refused.status_code == 429
    assert seconds - took <= int(refused.headers["retry-after"]) <= seconds
    assert f"try again in {refused.headers['retry-after']} s" in refused.json()["detail"]["message"]


async def test_without_authentication_an_address_is_a_caller(serve: Serve, database: object) -> None:
    async with serve(NOW, rate_limit="2/hour") as client:
        codes = [(await client.get(SUMMARY)).status_code for _ in range(3)]
    assert codes == [200, 200, 429]


async def test_health_is_never_limited(serve: Serve, database: object) -> None:
    async with serve(NOW, rate_limit="1/hour") as client:
        codes = {(await client.get("/health/ready")).status_code for _ in range(5)}
    assert codes == {200}


async def test_instances_count_together(settings: Settings, redis: Redis, database: object) -> None:
    limited = replace(settings, rate_limit="4/hour")
    first, second = create_app(limited), create_app(limited)
    async with first.lifespan(), second.lifespan(), client_of(first) as one, client_of(second) as two:
        codes = [(await client.get(SUMMARY)).status_code for _ in range(3) for client in (one, two)]
    assert codes == [200, 200, 200, 200, 429, 429]


async def test_while_redis_is_away_everybody_is_let_through(
    serve: Serve, database: object, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serve(NOW, redis_url=nowhere("redis"), rate_limit="1/hour") as client:
        codes = {(await client.get(SUMMARY)).status_code for _ in range(3)}
    assert codes == {200}
    assert capsys.readouterr().out.count("callers are not limited") == 1


async def test_off_unless_it_is_configured(serve: Serve, database: object, redis: Redis) -> None:
    async with serve(NOW) as client:
        await client.get(SUMMARY)
    assert [key async for key in redis.scan_iter("parallel-ops:limits*")] == []


@pytest.mark.parametrize("limit", ["100", "0/second", "-1/second", "10/fortnight", "1.5/second"])
def test_a_limit_that_means_nothing_stops_the_start(limit: str) -> None:
    given = {"DATABASE_URL": "postgresql://d/p", "REDIS_URL": "redis://c", "AUTH": "disabled"}
    variables = {f"PARALLEL_OPS_{name}": value for name, value in (given | {"RATE_LIMIT": limit}).items()}
    with pytest.raises(SettingsError, match=r"PARALLEL_OPS_RATE_LIMIT: .*for example"):
        from_environment(variables)


def client_of(app: object) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url="http://test")
