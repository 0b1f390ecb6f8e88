"""Whether a process should be given requests, told quickly whatever the servers behind it do."""

import asyncio
import time

import asyncpg
import httpx
import pytest
import structlog

from demo.servers import Postgres
from service.api.telemetry.health import KEPT_SECONDS, WAIT_SECONDS, Readiness, Unhealthy
from service.app import create_app
from service.settings import Settings
from tests.support.addresses import nowhere
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.statement_log import StatementLog
from tests.support.waiting import probed, until, until_blocked

pytestmark = pytest.mark.usefixtures("database")

READY = "/health/ready"


async def test_ready_with_what_it_needs(serve: Serve) -> None:
    async with serve(NOW) as client:
        response = await probed(client)
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
    report = response.json()
    assert report["status"] == "ready"
    assert {name: check["status"] for name, check in report["checks"].items()} == {
        "postgresql": "ok",
        "redis": "ok",
    }
    assert all(check["seconds"] >= 0 for check in report["checks"].values())


async def test_alive_without_anything(serve: Serve) -> None:
    async with serve(NOW, database_url=nowhere("postgresql"), redis_url=nowhere("redis")) as client:
        response = await client.get("/health/live")
    assert (response.status_code, response.json()) == (200, {"status": "live"})


async def test_without_postgresql_it_is_not_ready(serve: Serve) -> None:
    async with serve(NOW, database_url=nowhere("postgresql")) as client:
        response = await probed(client, 503)
    assert (response.status_code, response.json()["status"]) == (503, "not_ready")
    assert "does not answer" in response.json()["checks"]["postgresql"]["reason"]
    assert "127.0.0.1" not in response.text


async def test_without_redis_it_is_ready_and_says_so(serve: Serve) -> None:
    async with serve(NOW, redis_url=nowhere("redis")) as client:
        response = await probed(client)
    assert (response.status_code, response.json()["status"]) == (200, "ready")
    assert response.json()["checks"]["redis"]["status"] == "failed"


async def test_a_missing_column_is_not_ready(serve: Serve, spare: asyncpg.Connection, spare_url: str) -> None:
    await spare.execute("ALTER TABLE meta_breakage_incidents DROP COLUMN severity")
    async with serve(NOW, database_url=spare_url) as client:
        response = await probed(client, 503)
    assert response.status_code == 503
    assert "meta_breakage_incidents" in response.json()["checks"]["postgresql"]["reason"]


async def test_a_database_that_is_no_unicode_is_not_ready(
    serve: Serve, other_encoding: tuple[str, str]
) -> None:
    """Statements compare with characters that it does not have."""
    encoding, url = other_encoding
    async with serve(NOW, database_url=url) as client:
        response = await probed(client, 503)
    assert (response.status_code, response.json()["status"]) == (503, "not_ready")
    reason = response.json()["checks"]["postgresql"]["reason"]
    assert reason.startswith(f"the database's encoding is {encoding}, and UTF8 is needed")


async def test_a_locked_table_is_no_reason_to_be_taken_out(
    serve: Serve, spare: asyncpg.Connection, spare_url: str
) -> None:
    async def ready_at_first_look() -> bool:
        async with serve(NOW, database_url=spare_url) as client, spare.transaction():
            await spare.execute("LOCK TABLE meta_conversion_jobs IN ACCESS EXCLUSIVE MODE")
            return (await client.get(READY)).status_code == 200

    await until(ready_at_first_look)


async def test_readers_that_fill_the_pool_are_no_reason_either(
    serve: Serve, spare: asyncpg.Connection, spare_url: str
) -> None:
    async def ready_at_first_look() -> bool:
        async with serve(NOW, database_url=spare_url, max_database_queries=1) as client, spare.transaction():
            await spare.execute("LOCK TABLE meta_conversion_jobs IN ACCESS EXCLUSIVE MODE")
            reading = asyncio.create_task(client.get("/api/v1/parallel-ops/doc-sync/failures"))
            await until_blocked(spare)
            response = await client.get(READY)
            reading.cancel()
        return response.status_code == 200

    await until(ready_at_first_look)


async def test_a_frozen_postgresql_is_found_out_in_time_and_forgiven_later(
    serve: Serve, postgres: Postgres
) -> None:
    async with serve(NOW) as client:
        await probed(client)
        postgres.pause()
        try:
            started = time.monotonic()
            while (response := await client.get(READY)).status_code == 200:
                assert time.monotonic() - started < 3 * (KEPT_SECONDS + WAIT_SECONDS)
            assert response.json()["status"] == "not_ready"
        finally:
            postgres.resume()
        await probed(client)


async def test_many_probes_cost_one_statement(
    serve: Serve, statements: StatementLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    # All of them look at once, and a machine that is busy has much to do then.
    monkeypatch.setattr("service.api.telemetry.health.WAIT_SECONDS", 30)
    async with serve(NOW) as client:
        responses = await asyncio.gather(*(client.get(READY) for _ in range(50)))
    assert {response.status_code for response in responses} == {200}
    assert statements.count("has_column_privilege") == 1


async def test_the_log_says_once_what_fails_and_when_it_goes_well_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("service.api.telemetry.health.KEPT_SECONDS", 0)
    reasons = [None, "it is away", "it is away", "it is locked", None, None]
    coming = iter(reasons)

    async def look() -> None:
        if (reason := next(coming)) is not None:
            raise Unhealthy(reason)

    readiness = Readiness({"a server": look}, frozenset(), lambda: False)
    with structlog.testing.capture_logs() as logs:
        for _ in reasons:
            await readiness.report()
    told = [(entry["log_level"], entry.get("reasons")) for entry in logs]
    away, locked = {"a server": "it is away"}, {"a server": "it is locked"}
    assert told == [("warning", away), ("warning", locked), ("info", None)]


async def test_a_check_that_is_late_is_no_news_of_what_fails_already(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is frozen: it does not answer, and now and then the probe is the first to give up."""
    monkeypatch.setattr("service.api.telemetry.health.KEPT_SECONDS", 0)

    answering = asyncio.Event()

    async def look() -> None:
        await answering.wait()
        raise Unhealthy("it is away")

    readiness = Readiness({"a server": look}, frozenset(), lambda: False)
    with structlog.testing.capture_logs() as logs:
        for is_late in (False, True, False, True, False):
            (answering.clear if is_late else answering.set)()
            monkeypatch.setattr("service.api.telemetry.health.WAIT_SECONDS", 0 if is_late else 30)
            await readiness.report()
    assert [entry.get("reasons") for entry in logs] == [{"a server": "it is away"}]


async def test_draining_is_not_ready_at_once(settings: Settings) -> None:
    draining = False
    app = create_app(settings, draining=lambda: draining)
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        await probed(client)
        draining = True
        response = await client.get(READY)
        assert (response.status_code, response.json()["status"]) == (503, "draining")
        assert (await client.get("/health/live")).status_code == 200
        assert (await client.get("/api/v1/parallel-ops/summary")).status_code == 200
