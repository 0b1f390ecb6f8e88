"""What the demo is served from: seeded data that moves, overlay counters, and a role that only reads."""

import asyncio
import os
import subprocess
import time
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx
import psutil
import pytest
from redis.asyncio import Redis

from demo.overlay_counters import seed_overlay
from demo.process import free_port
from demo.run import Environment, demo_environment
from demo.tenants import guarded, tenants_of
from service.environment import PREFIX
from service.overview.sections import OverlayCache
from service.overview.slo import HINT_CODES
from service.settings import from_environment
from service.sources.overlay_cache import read_window
from tests.support.children import ending_with_us
from tests.support.folders import passing_folder
from tests.support.seeded import FEW_ROWS
from tests.support.served import COMMAND
from tests.support.waiting import until

ROWS = 500
DEADLINE_SECONDS = 30.0


@pytest.fixture
def data_dir() -> Generator[Path]:
    with passing_folder() as folder:
        yield folder / "data"


def test_an_environment_is_seeded_moves_and_is_kept(
    data_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with closing(asyncio.new_event_loop()) as loop:
        with demo_environment(data_dir, ROWS) as environment:
            assert "meta_conversion_jobs" in capfd.readouterr().err
            loop.run_until_complete(wait_until_it_moves(environment))
        with demo_environment(data_dir, ROWS) as environment:
            assert "The data is there already" in capfd.readouterr().err
            assert loop.run_until_complete(jobs(environment.database_url)) > ROWS


def test_tenants_have_a_database_and_a_token_each() -> None:
    tenants = tenants_of(2)
    with demo_environment(None, ROWS, tenants) as environment:
        settings = from_environment(
            {
                f"{PREFIX}DATABASE_URL": environment.database_url,
                f"{PREFIX}REDIS_URL": environment.redis_url,
                **guarded(tenants).variables,
            }
        )
        for number, tenant in enumerate(tenants, 1):
            place = settings.tenancy.place_of(settings.tenancy.admit(tenant))
            found = asyncio.run(jobs(place.url))
            assert ROWS // number <= found < ROWS // number + 100


async def test_a_demo_that_is_killed_takes_everything_with_it(data_dir: Path) -> None:
    folder, port = data_dir.parent, free_port()
    with running_demo(folder, port) as demo:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            await until(lambda: is_answering(client, demo), DEADLINE_SECONDS)
            assert "parallel_ops_build_info" in (await client.get("/metrics")).text
        family = psutil.Process(demo.pid).children(recursive=True)
        assert {"postgres", "valkey-server"} < set(map(name_of, family))
        demo.kill()
    await until(lambda: not any(map(is_alive, family)) and os.listdir(folder) == ["said"], DEADLINE_SECONDS)
    said = (folder / "said").read_text()
    welcome = said[said.index("Open ") :]
    assert welcome.startswith(f"Open http://127.0.0.1:{port}/ for the duty board")
    assert f"curl 'http://127.0.0.1:{port}/api/v1/parallel-ops/alerts'" in welcome


@contextmanager
def running_demo(folder: Path, port: int) -> Generator[subprocess.Popen[bytes]]:
    """The command, with its temporary files in a folder, where it also leaves what it said."""
    command: list[str | Path] = [COMMAND, "demo", "--port", str(port), "--rows", str(FEW_ROWS)]
    environment = os.environ | {"TMPDIR": str(folder), "RUNTIME_DIRECTORY": str(folder)}
    with (
        (folder / "said").open("wb") as said,
        subprocess.Popen(ending_with_us(command), env=environment, stdout=said, stderr=said) as demo,
    ):
        try:
            yield demo
        finally:
            demo.kill()


async def is_answering(client: httpx.AsyncClient, demo: subprocess.Popen[bytes]) -> bool:
    assert demo.poll() is None
    try:
        answer = await client.get("/api/v1/parallel-ops/alerts")
    except httpx.TransportError:
        return False
    return answer.status_code == 200 and bool(answer.json()["total"] == len(HINT_CODES))


def is_alive(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):  # it may end between the two questions
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def name_of(process: psutil.Process) -> str:
    """Its program; of one that has ended meanwhile nothing."""
    with suppress(psutil.NoSuchProcess):
        return process.name()
    return ""


async def wait_until_it_moves(environment: Environment) -> None:
    """Fresh rows and the gauges of a live overlay cache appear."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    async with Redis.from_url(environment.redis_url) as redis:
        while (
            await jobs(environment.database_url) <= ROWS
            or (await read_window(redis, datetime.now(UTC), 1)).entries == 0
        ):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)


async def jobs(database_url: str) -> int:
    connection = await asyncpg.connect(database_url)
    try:
        return int(await connection.fetchval("SELECT count(id) FROM meta_conversion_jobs"))
    finally:
        await connection.close()


@pytest.mark.parametrize(("days", "is_bad"), [(7, True), (90, False)])
async def test_the_overlay_cache_missed_too_much_of_late(redis: Redis, days: int, is_bad: bool) -> None:
    until = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
    await seed_overlay(redis, until)
    window = await read_window(redis, until, days)
    assert isinstance(window, OverlayCache)
    requests = window.hits + window.misses
    assert requests > 1_000
    hit_rate = window.hits / requests
    assert 0.5 < hit_rate < 0.95
    assert (hit_rate < 0.8) is is_bad
    assert 0 < window.evictions < window.misses
