"""Whoever asks too often is told when to come back, by all instances alike."""

import time

import httpx
import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from service.app import create_app
from service.dashboard.assets import by_address
from service.settings import Settings, SettingsError, from_environment
from tests.support.addresses import nowhere
from tests.support.api import PREFIX
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.tokens import SCRAPE_TOKEN, SECRET, bearer, claims, token
from tests.support.waiting import probed

SUMMARY = f"{PREFIX}/summary"
SCRAPED = ("/metrics", f"{PREFIX}/metrics")


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
        (window,) = await redis.keys("parallel-ops:{-}:limits*")
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


async def test_strangers_use_up_nobody_elses_requests(serve: Serve, database: object) -> None:
    """Behind a balancer they have the same address as the scraper, and as whoever loads the board's files."""
    guarded = {"auth": "required", "jwt_secret": SECRET, "scrape_token": SCRAPE_TOKEN}
    async with serve(NOW, **guarded, rate_limit="3/hour") as client:
        for _ in range(5):
            await client.post("/sign-in", data={"token": "bad"})
        refused = await client.post("/sign-in", data={"token": "bad"})
        scrapes = [await client.get(path, headers=bearer(SCRAPE_TOKEN)) for path in SCRAPED]
        files = [await client.get(path) for path in by_address()]
        known = await client.get(SUMMARY, headers=caller(1))
    assert refused.status_code == 429
    assert {answer.status_code for answer in (*scrapes, *files, known)} == {200}
    assert len(files) > 3


async def test_the_scraper_is_a_caller_like_others(serve: Serve, database: object) -> None:
    async with serve(NOW, scrape_token=SCRAPE_TOKEN, rate_limit="2/hour") as client:
        scrapes = [await client.get("/metrics", headers=bearer(SCRAPE_TOKEN)) for _ in range(3)]
        other = await client.get(SUMMARY, headers=bearer(SCRAPE_TOKEN))
    assert [answer.status_code for answer in scrapes] == [200, 200, 429]
    assert other.status_code == 200


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer bad"}, {"Cookie": "parallel_ops_token=bad"}]
)
async def test_who_has_no_good_token_is_limited_too(
    serve: Serve, database: object, headers: dict[str, str]
) -> None:
    async with serve(NOW, auth="required", jwt_secret=SECRET, rate_limit="3/hour") as client:
        codes = [(await client.get(SUMMARY, headers=headers)).status_code for _ in range(5)]
        known = await client.get(SUMMARY, headers=caller(1))
    assert codes == [401, 401, 401, 429, 429]
    assert known.status_code == 200


@pytest.mark.parametrize(
    ("trusted", "codes"), [("127.0.0.0/8", [200, 200, 429]), ("10.0.0.1", [200, 429, 429])]
)
async def test_a_forwarded_address_counts_from_a_trusted_proxy_alone(
    serve: Serve, database: object, trusted: str, codes: list[int]
) -> None:
    asked_by = ("198.51.100.4", "198.51.100.5", "203.0.113.9, 198.51.100.5")
    async with serve(NOW, rate_limit="1/hour", trusted_proxies=trusted) as client:
        answers = [await client.get(SUMMARY, headers={"X-Forwarded-For": each}) for each in asked_by]
    assert [answer.status_code for answer in answers] == codes


async def test_health_is_never_limited(serve: Serve, database: object) -> None:
    async with serve(NOW, rate_limit="1/hour") as client:
        for _ in range(5):
            await probed(client)


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
    assert [key async for key in redis.scan_iter("parallel-ops:{-}:limits*")] == []


@pytest.mark.parametrize("limit", ["100", "0/second", "-1/second", "10/fortnight", "1.5/second"])
def test_a_limit_that_means_nothing_stops_the_start(limit: str) -> None:
    given = {"DATABASE_URL": "postgresql://d/p", "REDIS_URL": "redis://c", "AUTH": "disabled"}
    variables = {f"PARALLEL_OPS_{name}": value for name, value in (given | {"RATE_LIMIT": limit}).items()}
    with pytest.raises(SettingsError, match=r"PARALLEL_OPS_RATE_LIMIT: .*for example"):
        from_environment(variables)


def client_of(app: object) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url="http://test")
