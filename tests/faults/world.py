"""Everything at once: servers, wires, instances, the programs that write, callers and their checker."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
from msgspec.structs import replace
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from demo.run import READER, reader_role_script
from demo.schema import create_schema
from demo.servers import Postgres, Valkey
from service.readings.pause import PART_OF_MAX_STALE
from service.redis_clients import connect
from service.settings import Settings
from service.shared_redis import MAX_CONNECTIONS, TIMEOUT_SECONDS
from tests.faults import counts
from tests.faults.checker import Bounds, Checker
from tests.faults.client import Broken
from tests.faults.counts import Holdings
from tests.faults.link import Link
from tests.faults.load import INTERVAL_SECONDS, Address, Caller, Load
from tests.faults.questions import BY_DAY, QUESTIONS, Question
from tests.faults.writers import AWAY, OverlayWriter, Writer, ended
from tests.support.balancer import balanced
from tests.support.folders import passing_folder
from tests.support.indexes import optional_indexes
from tests.support.instances import Instance
from tests.support.standby import REPLICATED, Standby, address_of
from tests.support.tokens import SCRAPE_TOKEN, SECRET
from tests.support.valkey_sets import ValkeyCluster, ValkeySentinels
from tests.support.waiting import until

Several = ValkeyCluster | ValkeySentinels

INSTANCES = 3
BALANCED_CALLERS, DIRECT_CALLERS = 6, 2
REFRESH_SECONDS = 3
STALE_SECONDS, MAX_STALE_SECONDS = 6, 12
OLD_DAYS_SECONDS = 12
QUERIES = 4
# A probe has a connection of its own.
CONNECTIONS = QUERIES + 1
# Requests under way are tasks; threads and files are opened when somebody first needs them.
SOME_TASKS, SOME_THREADS, SOME_FILES = 8, 4, 4
DATABASE_SETTINGS = {"synchronous_commit": "on", "max_connections": "60", "deadlock_timeout": "10s"}


def settings(database_port: int, redis_url: str) -> Settings:
    """Short ticks and bounds, so that a fault takes seconds."""
    return Settings(
        database_url=f"postgresql://{READER}@127.0.0.1:{database_port}/postgres",
        redis_url=redis_url,
        jwt_secret=SECRET,
        tenants="*",
        scrape_token=SCRAPE_TOKEN,
        refresh_seconds=REFRESH_SECONDS,
        stale_seconds=STALE_SECONDS,
        max_stale_seconds=MAX_STALE_SECONDS,
        statement_timeout_seconds=1,
        max_database_queries=QUERIES,
        # What a fault makes slow is read at every tick all the same: answers are held to that.
        database_share=64,
        rate_limit="100/second",
        drain_seconds=0.5,
        shutdown_seconds=5,
    )


class Reached(NamedTuple):
    """Where an instance finds its servers."""

    database: int
    redis_url: str
    redis_ports: Sequence[int]


def _through(database: Link, redis: Link) -> Reached:
    return Reached(database.port, f"redis://127.0.0.1:{redis.port}/0", [redis.port])


def _client(url: str) -> Redis:
    """A client that outlives what is done to a server."""
    if "+" in url:
        return connect(url)
    return Redis.from_url(url, socket_timeout=30, retry=Retry(NoBackoff(), 3))


class World:
    """What a fault may break; `instances[n]` reaches its servers through `wires[n]`, or directly.

    In place of the one Valkey there may be `several`, which are reached directly. Where it is `replicated`,
    PostgreSQL has a standby, and both are reached directly.

    With `in_turn` it has the optional indexes and all but no share of the database, so that of the old days
    some are read at each tick, and callers ask what tells days apart. `changes` are to the settings.
    """

    def __init__(
        self,
        folder: Path,
        *,
        wired: bool = True,
        several: Callable[[Path], Several] | None = None,
        in_turn: bool = False,
        replicated: bool = False,
        **changes: Any,  # noqa: ANN401
    ) -> None:
        self.folder = folder
        self.postgres = Postgres(folder / "postgres", settings=REPLICATED | DATABASE_SETTINGS)
        self.standby = Standby(folder / "standby", self.postgres) if replicated else None
        # One more asks each of several servers what it is.
        self.connections = CONNECTIONS + replicated
        if self.standby:
            changes |= {"database_url": address_of(self.postgres, self.standby)}
        if in_turn:
            changes |= {"database_share": 1e-6, "old_days_seconds": OLD_DAYS_SECONDS}
        self.questions = BY_DAY if in_turn else QUESTIONS
        self._indexes = optional_indexes() if in_turn else []
        self.valkey = Valkey(folder / "valkey")
        self.several = several and several(folder / "several")
        store = self.several or self.valkey
        self.wires = [(Link(self.postgres.port), Link(self.valkey.port)) for _ in range(INSTANCES)]
        direct = Reached(
            self.postgres.port, store.url, self.several.ports if self.several else [self.valkey.port]
        )
        self.reached = [_through(*pair) if wired and not several else direct for pair in self.wires]
        configured = [replace(settings(each.database, each.redis_url), **changes) for each in self.reached]
        self.settings = replace(settings(direct.database, direct.redis_url), **changes)
        self.instances = [Instance(of, folder / f"{n}.log") for n, of in enumerate(configured)]
        self.writer = Writer(self.postgres.url)
        self.overlay = OverlayWriter(_client(store.url))
        self.redis = _client(store.url)
        self._servers = (self.postgres, store)
        answer = self.settings.cache_policy.answer + TIMEOUT_SECONDS
        bounds = Bounds(REFRESH_SECONDS, MAX_STALE_SECONDS, answer, self.settings.old_days_seconds)
        self.checker = Checker(bounds, self.writer.history, self.overlay.history)
        self.addresses = [
            Address(f"instance {n}", instance.port) for n, instance in enumerate(self.instances)
        ]
        self.balancer = Address("nginx", 0)
        self.load = Load([])
        self.most_connections = self.most_statements = 0
        self.base: list[Holdings] = []
        # What a fault adds to the world ends with it.
        self.stack = AsyncExitStack()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Everything runs and every question has been answered during the block."""
        async with self.stack as stack:
            for server in self._servers:
                await asyncio.to_thread(server.start)
                stack.callback(server.kill)
            await self._prepare_database()
            if self.standby:
                stack.callback(self.standby.kill)
                await asyncio.to_thread(self.standby.start)
            for wire in (wire for pair in self.wires for wire in pair):
                await wire.open()
                stack.push_async_callback(wire.close)
            stack.push_async_callback(self.overlay.close)
            stack.push_async_callback(self.redis.aclose)
            for job in (self.writer.run(), self.overlay.run(), self._watch_database()):
                task = asyncio.create_task(job)
                stack.push_async_callback(ended, task)
            balancer = stack.enter_context(balanced([instance.port for instance in self.instances]))
            self.balancer = Address("nginx", balancer.port)
            for instance in self.instances:
                instance.start()
                stack.callback(instance.kill)
            for instance in self.instances:
                await instance.ready()
            await self.recovered(since=time.time())
            self.base = await self.holdings()
            yield

    @asynccontextmanager
    async def under_load(self) -> AsyncIterator[None]:
        """Many callers ask during the block, and every answer is checked."""
        self.checker.wrong.clear()
        self.load = Load(self.many_callers())
        self.load.start()
        yield
        await self.load.stop()

    async def recovered(self, since: float) -> float:
        """Wait until every instance answers every question freshly and wholly; the seconds since then."""
        callers = [
            Caller(900 + n, address, self.checker, self.questions) for n, address in enumerate(self.addresses)
        ]
        await asyncio.gather(*(_is_fresh(caller) for caller in callers))
        return time.time() - since

    async def holdings(self) -> list[Holdings]:
        """What each instance's worker holds now."""
        return [
            await counts.holdings(instance, reached.database, reached.redis_ports)
            for instance, reached in zip(self.instances, self.reached, strict=True)
        ]

    async def leftovers(self) -> set[str]:
        """What is held that was not held at first; connections are, in pools that have their limits."""
        now = await self.holdings()
        found = {f"lease {lease.decode()}" for lease in await counts.leases(self.redis)}
        for number, (worker, before) in enumerate(zip(now, self.base, strict=True)):
            most = {
                "files": before.files + SOME_FILES,
                "threads": before.threads + SOME_THREADS,
                "tasks": before.tasks + SOME_TASKS,
                "to_database": self.connections,
                "to_redis": MAX_CONNECTIONS * len(self.reached[number].redis_ports),
                "half_closed": 0,
            }
            found |= {
                f"instance {number} has more than {limit} {name}"
                for name, limit in most.items()
                if getattr(worker, name) > limit
            }
        return found

    def many_callers(self) -> list[Caller]:
        """Callers through the balancer, and some who know an instance's own port."""
        addresses = [self.balancer] * BALANCED_CALLERS + self.addresses * DIRECT_CALLERS
        return [
            Caller(number, address, self.checker, self.questions) for number, address in enumerate(addresses)
        ]

    def logs(self) -> list[str]:
        """The lines that the instances have logged so far."""
        return [line for instance in self.instances for line in instance.log.read_text().splitlines()]

    @property
    def pause(self) -> float:
        """The longest one after a statement that took too long."""
        timeout, share = self.settings.statement_timeout_seconds, self.settings.database_share
        return min(timeout / share, MAX_STALE_SECONDS * PART_OF_MAX_STALE)

    async def _prepare_database(self) -> None:
        connection = await asyncpg.connect(self.postgres.url)
        await create_schema(connection)
        await connection.execute(reader_role_script())
        for statement in self._indexes:
            await connection.execute(statement)
        await connection.close()

    async def _watch_database(self) -> None:
        """Note the most connections and statements at once, as PostgreSQL sees them."""
        while True:
            with suppress(*AWAY):
                monitor = await asyncpg.connect(self.postgres.url)
                try:
                    while True:
                        connections, statements = await counts.database_use(monitor)
                        self.most_connections = max(self.most_connections, connections)
                        self.most_statements = max(self.most_statements, statements)
                        await asyncio.sleep(0.1)
                finally:
                    monitor.terminate()
            await asyncio.sleep(0.1)


@asynccontextmanager
async def running_world(**changes: Any) -> AsyncIterator[World]:  # noqa: ANN401 - as World has them
    """A world in a folder of its own; nobody asks yet."""
    with passing_folder() as folder:
        world = World(folder, **changes)
        async with world.running():
            yield world


async def _is_fresh(caller: Caller) -> None:
    for question in caller.questions:
        # No more eagerly than anybody else asks.
        await until(partial(_answers_freshly, caller, question), seconds=30, poll=INTERVAL_SECONDS)
    caller.close()


async def _answers_freshly(caller: Caller, question: Question) -> bool:
    try:
        answer, reading = await caller.ask(question)
    except Broken:
        return False
    return answer.headers.get("x-cache") in ("hit", "miss") and reading is not None and not reading.degraded
