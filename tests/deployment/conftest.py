"""What is deployed, run here: three instances, nginx, Prometheus, PostgreSQL and Valkey."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import pytest_asyncio

from service.settings import Settings
from tests.support.balancer import Balancer, balanced
from tests.support.instances import Instance, three_instances


@pytest_asyncio.fixture
async def instances(
    settings: Settings,
    database: asyncpg.Connection,
    redis: object,
    tmp_path: Path,
) -> AsyncIterator[list[Instance]]:
    """Three instances on empty tables."""
    async with three_instances(settings, tmp_path) as started:
        yield started


@pytest_asyncio.fixture
async def balancer(instances: list[Instance]) -> AsyncIterator[Balancer]:
    """nginx before the three instances."""
    with balanced([instance.port for instance in instances]) as running:
        yield running


@pytest_asyncio.fixture
async def client(balancer: Balancer) -> AsyncIterator[httpx.AsyncClient]:
    """A caller of the balancer."""
    async with httpx.AsyncClient(base_url=balancer.url, timeout=30) as caller:
        yield caller
