"""What the demo is served from: seeded data that moves, overlay counters, and a role that only reads."""

import asyncio
import shutil
import time
from collections.abc import Generator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from service.demo.folders import temporary_folder
from service.demo.overlay import seed_overlay
from service.demo.run import Environment, demo_environment
from service.overlay.counters import read_window
from service.overview.query import WINDOW_DAYS
from service.overview.sections import OverlayCache

ROWS = 500
DEADLINE_SECONDS = 30.0


@pytest.fixture
def data_dir() -> Generator[Path]:
    folder = temporary_folder()
    yield folder / "data"
    shutil.rmtree(folder)


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


@pytest.mark.parametrize("days", WINDOW_DAYS)
async def test_the_overlay_cache_misses_too_much_in_every_window(redis: Redis, days: int) -> None:
    until = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
    await seed_overlay(redis, until)
    window = await read_window(redis, until, days)
    assert isinstance(window, OverlayCache)
    requests = window.hits + window.misses
    assert requests > 1_000
    assert 0.5 < window.hits / requests < 0.8
    assert 0 < window.evictions < window.misses
