"""Two hundred tenants with a schema each on three instances: how their boards do while one of them floods."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime
from random import Random
from statistics import median, quantiles

import asyncpg
import httpx
import psutil
from msgspec import Struct

from benchmarks.processor import spent
from benchmarks.report import Table
from benchmarks.stage import Service, Stage, service, stage_with
from demo.progress import Progress
from demo.run import READER
from demo.schema import TABLES, quietly
from demo.seed import Counts, seed
from service.api.table import PREFIX
from service.tenants.tenancy import TENANT
from tests.support.children import ending_with_us
from tests.support.tenants import SCHEMA_SCRIPT, SCHEMA_TEMPLATE
from tests.support.tokens import bearer, claims, token

TENANTS = 200
ROWS = 1_000
INSTANCES = 3
# Of all readings, and of each board's questions.
REFRESH_SECONDS = 60
EVERY_SECONDS = 15.0
SECONDS = 60
# One after another they are opened, so that the start is no flood itself.
OPENING_AT_ONCE = 6
VARIABLES = {
    "tenants": "*",
    "database_schema": SCHEMA_TEMPLATE,
    "max_database_queries": "16",
    "refresh_seconds": str(REFRESH_SECONDS),
    "stale_seconds": str(2 * REFRESH_SECONDS),
    "database_share": "0.1",
}
CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE usename = $1"


class Phase(Struct):
    """What was seen while all boards asked for a while."""

    waits: list[float]
    ages: list[int]
    failed: int
    database: float
    instances: float
    connections: int
    memory: list[int]


def run() -> Table:
    """The boards of all tenants alone, and beside a flood."""
    with (
        stage_with(_fill, {"shared_buffers": "1GB", "max_connections": "100"}) as servers,
        ExitStack() as started,
    ):
        instances = [started.enter_context(service(servers, VARIABLES)) for _ in range(INSTANCES)]
        return asyncio.run(_phases(servers, instances))


async def _fill(connection: asyncpg.Connection, progress: Progress) -> None:
    """The same rows in each tenant's schema, with the PLM's own indexes."""
    await seed(connection, Counts.of(ROWS), datetime.now(UTC).replace(microsecond=0), progress)
    await quietly(connection, f"CREATE ROLE {READER} LOGIN")
    for number in range(TENANTS):
        schema = SCHEMA_TEMPLATE.replace(TENANT, f"t{number}")
        await connection.execute(f"CREATE SCHEMA {schema}")
        for table in TABLES:
            await connection.execute(f"CREATE TABLE {schema}.{table} (LIKE public.{table} INCLUDING ALL)")
            await connection.execute(f"INSERT INTO {schema}.{table} SELECT * FROM public.{table}")
        await connection.execute(f"SET search_path = {schema}")
        await connection.execute(SCHEMA_SCRIPT.read_text())
        await connection.execute("RESET search_path")
    await connection.execute("ANALYZE")


async def _phases(servers: Stage, instances: Sequence[Service]) -> Table:
    async with httpx.AsyncClient(timeout=30) as client, _admin(servers) as admin:
        boards = Boards(client, servers, instances, admin)
        opening = await boards.opened()
        alone = await boards.asked()
        flood = await asyncio.create_subprocess_exec(
            *ending_with_us([sys.executable, "-m", "benchmarks.flood", instances[0].url, str(SECONDS)]),
            stdout=asyncio.subprocess.PIPE,
        )
        beside = await boards.asked()
        flooded, _ = await flood.communicate()
    columns = (
        *("", "p50 ms", "p99 ms", "longest", "answers", "failed", "oldest s", "PostgreSQL cores"),
        *("instances' cores", "connections", "memory of a worker, MiB"),
    )
    rows = [_row(name, phase) for name, phase in (("boards alone", alone), ("beside a flood", beside))]
    notes = [
        f"{TENANTS} tenants, a schema each with the demo's {ROWS:,} jobs, and {INSTANCES} instances; each "
        f"board asks for a summary every {EVERY_SECONDS:g} s, of any instance, and each phase takes "
        f"{SECONDS} s. The first answers of each instance for each tenant took {opening:.0f} s together, "
        f"{OPENING_AT_ONCE} at a time. "
        f"Ticks take {REFRESH_SECONDS} s. MAX_DATABASE_QUERIES is 16, so there may be 48 connections in all, "
        "and one each for readiness; DATABASE_SHARE is 0.1.",
        "The flood asks one instance, over 32 connections, for pages that nobody has asked for: "
        f"{flooded.decode()}.",
    ]
    return Table(columns, rows, notes)


def _row(name: str, phase: Phase) -> tuple[str, ...]:
    milliseconds = [1000 * each for each in phase.waits]
    return (
        *(name, f"{median(milliseconds):.1f}", f"{quantiles(milliseconds, n=100)[98]:.0f}"),
        *(f"{max(milliseconds):.0f}", f"{len(milliseconds):,}", str(phase.failed), str(max(phase.ages))),
        *(f"{phase.database:.2f}", f"{phase.instances:.2f}", str(phase.connections)),
        f"{min(phase.memory)}-{max(phase.memory)}",
    )


@asynccontextmanager
async def _admin(servers: Stage) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(servers.admin_url)
    try:
        yield connection
    finally:
        await connection.close()


class Boards:
    """One board a tenant, which asks any instance."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        servers: Stage,
        instances: Sequence[Service],
        admin: asyncpg.Connection,
    ) -> None:
        self._client = client
        self._servers = servers
        self._instances = instances
        self._admin = admin
        self._chance = Random(1)
        self._headers = [bearer(token(claims(tenant_id=f"t{number}"))) for number in range(TENANTS)]

    async def opened(self) -> float:
        """How long the first answers of all instances for all of them take, in seconds."""
        turns, started = asyncio.Semaphore(OPENING_AT_ONCE), time.monotonic()

        async def first(number: int, instance: Service) -> None:
            async with turns:
                (await self._ask(number, instance)).raise_for_status()

        for instance in self._instances:
            await asyncio.gather(*(first(number, instance) for number in range(TENANTS)))
        return time.monotonic() - started

    async def asked(self) -> Phase:
        """All boards for a while. The flooding one's own answers do not count."""
        phase = Phase([], [], 0, 0.0, 0.0, 0, [])
        until = time.monotonic() + SECONDS
        before = self._spent()
        watching = asyncio.create_task(self._watch(phase))
        await asyncio.gather(*(self._board(number, phase, until) for number in range(1, TENANTS)))
        watching.cancel()
        after = self._spent()
        phase.database, phase.instances = ((b - a) / SECONDS for a, b in zip(before, after, strict=True))
        workers = [worker for instance in self._instances for worker in instance.workers]
        phase.memory = [round(worker.memory_info().rss / 2**20) for worker in workers]
        return phase

    def _spent(self) -> tuple[float, float]:
        instances = sum(spent(instance.parent) for instance in self._instances)
        return spent(psutil.Process(self._servers.postmaster.pid)), instances

    async def _board(self, number: int, phase: Phase, until: float) -> None:
        await asyncio.sleep(self._chance.uniform(0, EVERY_SECONDS))
        while time.monotonic() < until:
            started = time.monotonic()
            try:
                answer = await self._ask(number, self._chance.choice(self._instances))
                answer.raise_for_status()
            except httpx.HTTPError:
                phase.failed += 1
            else:
                phase.ages.append(int(answer.headers["age"]))
            phase.waits.append(time.monotonic() - started)
            await asyncio.sleep(EVERY_SECONDS)

    async def _ask(self, number: int, instance: Service) -> httpx.Response:
        return await self._client.get(f"{instance.url}{PREFIX}/summary", headers=self._headers[number])

    async def _watch(self, phase: Phase) -> None:
        while True:
            phase.connections = max(phase.connections, await self._admin.fetchval(CONNECTIONS, READER))
            await asyncio.sleep(0.2)
