"""What the service holds on to: connections, descriptors, threads, tasks, leases and memory."""

import os
import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil
from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis

from tests.faults.client import Client
from tests.support.instances import Instance
from tests.support.tokens import SCRAPE_TOKEN, bearer

LEASES = "parallel-ops:{-}:v1:*:lease"
OURS = "FROM pg_stat_activity WHERE application_name = 'parallel-ops' AND pid <> pg_backend_pid()"


@dataclass(frozen=True)
class Holdings:
    """What one worker process holds.

    `files` are the descriptors that are no sockets; `half_closed` are callers' connections that they have
    closed and we have not.
    """

    files: int
    threads: int
    tasks: int
    to_database: int
    to_redis: int
    half_closed: int
    memory: int


def worker_of(instance: Instance) -> psutil.Process:
    """The process that answers: the one child of an instance."""
    (worker,) = psutil.Process(instance.process.pid).children()
    return worker


async def holdings(instance: Instance, database_port: int, redis_ports: Collection[int]) -> Holdings:
    """Count what an instance's worker holds now."""
    worker = worker_of(instance)
    tasks = await own_metric(instance, "parallel_ops_asyncio_tasks")
    sockets = worker.net_connections("tcp")
    peers = [port for socket in sockets for port in socket.raddr[1:]]
    return Holdings(
        files=_files(worker),
        threads=worker.num_threads(),
        tasks=int(tasks),
        to_database=peers.count(database_port),
        to_redis=sum(port in redis_ports for port in peers),
        half_closed=sum(
            socket.status == psutil.CONN_CLOSE_WAIT and socket.laddr.port == instance.port
            for socket in sockets
        ),
        memory=worker.memory_info().rss,
    )


def _files(worker: psutil.Process) -> int:
    count = 0
    for link in Path(f"/proc/{worker.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            count += not os.readlink(link).startswith("socket:")
    return count


async def own_metric(instance: Instance, name: str) -> float:
    """The sum of one of the service's own gauges or counters over all its labels."""
    client = Client(instance.port)
    answer = await client.get("/metrics", bearer(SCRAPE_TOKEN))
    client.close()
    families = text_string_to_metric_families(answer.body.decode())
    return sum(sample.value for family in families for sample in family.samples if sample.name == name)


async def leases(redis: Redis) -> set[bytes]:
    """The leases on computations that are held now."""
    return {key async for key in redis.scan_iter(LEASES, count=1000)}


async def database_use(monitor: asyncpg.Connection) -> tuple[int, int]:
    """How many connections the service has, and how many of them run a statement."""
    row = await monitor.fetchrow(f"SELECT count(*), count(*) FILTER (WHERE state = 'active') {OURS}")
    return int(row[0]), int(row[1])


def complaints(lines: list[str]) -> list[str]:
    """The lines of the instances' logs that no outage explains."""
    strange = re.compile(r"unforeseen error|Traceback|never retrieved|never awaited|RuntimeWarning|panicked")
    return [line for line in lines if strange.search(line)]
