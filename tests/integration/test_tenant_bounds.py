"""What tenants have together is bounded together, and a flood by one takes its share."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest
from redis.asyncio import Redis
from sqlalchemy import select
from structlog.testing import capture_logs

from demo.run import READER
from service.api.table import PREFIX
from service.cache.observer import Observer
from service.cache.unavailable import Unavailable
from service.overview.query import PageQuery, Query
from service.readings.manifest import Manifest
from service.report.found import read
from service.settings import Settings
from service.shared_redis import SharedRedis
from service.sources.replicas import NO_LAG
from service.tenants.connections import NotThere
from service.tenants.tenancy import Tenancy
from service.tenants.tenant import Forbidden, Tenant
from service.tenants.workspace import Common
from service.tenants.workspaces import IDLE_SECONDS, REFUSED_SECONDS, Workspaces
from tests.support.clock import NOW
from tests.support.fixtures import Serve
from tests.support.tenants import SCHEMA_TEMPLATE, make_schemas, refusing_the_reader
from tests.support.tokens import SECRET, bearer, claims, token

TENANTS = [f"tenant{number}" for number in range(9)]
# Both lead to one schema.
FIRST, SECOND = Tenant("a-b"), Tenant("A_B")
MOST = 3
CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE usename = $1 AND query NOT LIKE 'SELECT 1%'"


class Opened:
    """Workspaces of two tenants, a timer that a test moves, and whose readings stand."""

    def __init__(self, settings: Settings, redis: Redis) -> None:
        self.now = 0.0
        self.standing: dict[str, Manifest] = {}
        tenancy = Tenancy(settings.database_url, SCHEMA_TEMPLATE, ("*",))
        common = Common(
            redis=SharedRedis(redis),
            policy=settings.cache_policy,
            grid=settings.grid,
            share=0.5,
            clock=NOW.timestamp,
            observer=Observer(),
            limits=settings.database_limits,
            standbys=NO_LAG,
            ran=lambda *_: None,
            watch=self.watch,
        )
        self.all = Workspaces(tenancy, common, lambda: self.now)

    def watch(self, tenant: str, manifest: Manifest | None) -> None:
        if manifest is None:
            self.standing.pop(tenant, None)
        else:
            self.standing[tenant] = manifest


@pytest.fixture
async def opened(settings: Settings, redis: Redis, database: asyncpg.Connection) -> AsyncIterator[Opened]:
    await make_schemas(database, ["acme", "beta"])
    opened = Opened(settings, redis)
    yield opened
    await opened.all.close()


@pytest.fixture
async def other(settings: Settings, redis: Redis) -> AsyncIterator[Opened]:
    """Those of another instance."""
    other = Opened(settings, redis)
    yield other
    await other.all.close()


async def test_nine_tenants_have_no_more_connections_than_are_allowed(
    serve: Serve, database: asyncpg.Connection
) -> None:
    await make_schemas(database, TENANTS)
    many: dict[str, Any] = {"tenants": "*", "database_schema": SCHEMA_TEMPLATE, "max_database_queries": MOST}
    found = [0]

    async def look(over: asyncio.Event) -> None:
        async with asyncio.timeout(60):
            while not over.is_set():
                found.append(await database.fetchval(CONNECTIONS, READER))

    over = asyncio.Event()
    async with serve(NOW, auth="required", jwt_secret=SECRET, **many) as client:
        looking = asyncio.create_task(look(over))
        asked = (f"{PREFIX}/{path}" for path in ("summary", "workflow/failures", "doc-sync/failures"))
        answers = await asyncio.gather(
            *(client.get(path, headers=of(tenant)) for path in asked for tenant in TENANTS)
        )
        over.set()
        await looking
    assert {answer.status_code for answer in answers} == {200}
    assert 0 < max(found) <= MOST


async def test_a_tenant_that_nobody_asks_for_gives_back_all_it_has(
    opened: Opened, database: asyncpg.Connection
) -> None:
    acme, beta = [await opened.all.of(Tenant(each)) for each in ("acme", "beta")]
    await acme.readings.suggestions(int(NOW.timestamp()))
    assert (acme.size > 0, set(opened.standing)) == (True, {"acme"})
    assert opened.all.connections().idle == 2
    opened.now = IDLE_SECONDS - 1
    assert opened.all.at_hand(Tenant("beta")) is beta
    await opened.all.close_idle()
    opened.now += 1
    await opened.all.close_idle()
    assert opened.all.at_hand(Tenant("acme")) is None
    assert opened.all.at_hand(Tenant("beta")) is beta
    assert (opened.all.connections().idle, opened.standing) == (1, {})
    assert await opened.all.of(Tenant("acme")) is not acme


async def test_readings_that_take_too_much_go_with_who_has_most_and_then_who_asked_longest_ago(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, each in enumerate(("beta", "acme")):
        opened.now = number
        await (await opened.all.of(Tenant(each))).readings.suggestions(int(NOW.timestamp()))
    acme, beta = (opened.all.at_hand(Tenant(each)) for each in ("acme", "beta"))
    assert acme is not None
    assert beta is not None
    opened.now = 2
    opened.all.at_hand(Tenant("acme"))
    monkeypatch.setattr("service.tenants.workspaces.MOST_READINGS_BYTES", acme.size)
    await opened.all.close_idle()
    assert (opened.all.at_hand(Tenant("acme")), opened.all.at_hand(Tenant("beta"))) == (acme, None)
    opened.now = 3
    assert (await opened.all.of(Tenant("beta"))).size < acme.size
    await opened.all.close_idle()  # whose are many goes, whenever asked
    monkeypatch.setattr("service.tenants.workspaces.MOST_READINGS_BYTES", 0)
    await opened.all.close_idle()
    assert opened.all.at_hand(Tenant("beta")) is not None  # and the only one stays
    assert opened.all.at_hand(Tenant("acme")) is None


async def test_who_is_closed_by_somebody_else_meanwhile_is_not_closed_twice(opened: Opened) -> None:
    for each in ("acme", "beta"):
        await opened.all.of(Tenant(each))
    opened.now = IDLE_SECONDS
    await asyncio.gather(opened.all.close_idle(), opened.all.close_idle())
    assert (list(opened.all.latest()), opened.all.connections().idle) == ([], 0)


async def test_tenants_of_a_server_have_its_share_together(opened: Opened) -> None:
    acme = await opened.all.of(Tenant("acme"))
    assert acme.share == 0.5
    await opened.all.of(Tenant("beta"))
    assert acme.share == 0.25


async def test_tenants_of_a_server_are_counted_in_the_whole_fleet(opened: Opened, other: Opened) -> None:
    acme, beta = await opened.all.of(Tenant("acme")), await other.all.of(Tenant("beta"))
    for each in (acme, beta):
        await each.readings.suggestions(int(NOW.timestamp()))
    assert opened.all.spending().needed == acme.readings.spending.needed > 0  # before anybody told
    for fleet in (other.all, opened.all, other.all):
        await fleet.tell_neighbours()
    assert [each.share for each in (acme, beta)] == [0.25, 0.25]
    needed = sum(each.readings.spending.needed for each in (acme, beta))
    assert [each.all.spending().needed for each in (opened, other)] == [pytest.approx(needed)] * 2
    assert needed > 0
    await (await opened.all.of(Tenant("beta"))).database.rows(select(1))
    await opened.all.tell_neighbours()  # who has read nothing of beta does not say that it needs nothing
    assert opened.all.spending().needed == pytest.approx(needed)
    opened.now = IDLE_SECONDS
    await opened.all.close_idle()
    assert opened.all.spending().needed == 0


async def test_who_waits_while_a_workspace_is_closed_hears_that_there_is_no_answer(
    opened: Opened, redis: Redis
) -> None:
    """Not that he went away himself, which would be no answer at all."""
    acme = await opened.all.of(Tenant("acme"))
    moment = NOW.timestamp()
    await redis.client_pause(5_000)
    try:
        waiting = [
            asyncio.create_task(acme.snapshots.get(Query(7), moment)),
            asyncio.create_task(acme.snapshots.failed_jobs(PageQuery(7, None, page=1, page_size=20), moment)),
            asyncio.create_task(read(acme.snapshots, Query(7), moment)),
        ]
        await asyncio.wait(waiting, timeout=0.1)
        assert not any(task.done() for task in waiting)
        await acme.cache.close()
        ends = await asyncio.gather(*waiting, return_exceptions=True)
    finally:
        await redis.client_unpause()
    assert all(isinstance(end, Unavailable) for end in ends), ends


async def test_a_tenant_that_comes_to_be_is_found_a_minute_later(
    opened: Opened, database: asyncpg.Connection
) -> None:
    await database.execute("DROP SCHEMA IF EXISTS yt_t_late CASCADE")
    with pytest.raises(Forbidden):
        await opened.all.of(Tenant("late"))
    await make_schemas(database, ["late"])
    with pytest.raises(Forbidden):
        await opened.all.of(Tenant("late"))
    opened.now += REFUSED_SECONDS
    assert (await opened.all.of(Tenant("late"))).tenant == Tenant("late")


async def test_a_tenant_of_whom_nothing_could_be_told_is_refused_as_soon_as_that_it_is_not_there(
    opened: Opened, database: asyncpg.Connection
) -> None:
    """As while the server is away, or no turn is free; then what is left of it is given back."""
    async with refusing_the_reader(database):
        nobody = await opened.all.of(Tenant("nobody"))
    with pytest.raises(NotThere):
        await nobody.database.rows(select(1))
    assert opened.all.at_hand(Tenant("nobody")) is None
    with pytest.raises(Forbidden):
        await opened.all.of(Tenant("nobody"))
    await opened.all.close_idle()
    assert opened.all.connections().idle == 0


async def test_of_two_ids_with_one_schema_the_whole_fleet_lets_in_the_same(
    opened: Opened, other: Opened, redis: Redis, database: asyncpg.Connection
) -> None:
    await make_schemas(database, ["a-b"])
    await opened.all.of(FIRST)
    with pytest.raises(Forbidden):
        await other.all.of(SECOND)
    await other.all.of(FIRST)
    for each in (opened, other):  # the claim is the fleet's, whoever has it open
        each.now = IDLE_SECONDS
        await each.all.close_idle()
        with pytest.raises(Forbidden):
            await each.all.of(SECOND)
    await redis.flushall()
    opened.now += REFUSED_SECONDS
    await opened.all.of(SECOND)  # and nobody's when it has lapsed
    await redis.flushall()
    other.now += REFUSED_SECONDS
    await other.all.of(FIRST)  # as while Redis is away, until it is back
    for each in (other, opened):
        await each.all.renew_claims()
    assert opened.all.at_hand(SECOND) is None
    assert other.all.at_hand(FIRST) is not None


async def test_a_second_id_that_came_while_the_database_was_away_makes_room_for_the_first(
    opened: Opened, other: Opened, database: asyncpg.Connection
) -> None:
    await make_schemas(database, ["a-b"])
    await other.all.of(FIRST)
    with capture_logs() as logs:
        async with refusing_the_reader(database):
            await opened.all.of(SECOND)
        with pytest.raises(Forbidden):
            await opened.all.of(FIRST)
        await opened.all.renew_claims()
    assert opened.all.at_hand(SECOND) is None
    assert [(each["tenant"], each["owner"]) for each in logs] == [("a-b", "A_B"), ("A_B", "a-b")]
    opened.now += REFUSED_SECONDS
    assert (await opened.all.of(FIRST)).tenant == FIRST


async def test_what_nobody_is_known_to_own_is_left_to_who_has_it(
    opened: Opened, database: asyncpg.Connection
) -> None:
    async with refusing_the_reader(database):
        await opened.all.of(Tenant("acme"))
    await opened.all.renew_claims()
    assert opened.all.at_hand(Tenant("acme")) is not None


async def test_a_flood_of_one_tenant_is_refused_and_another_is_answered(
    serve: Serve, database: asyncpg.Connection
) -> None:
    await make_schemas(database, ["acme", "beta"])
    many: dict[str, Any] = {"tenants": "acme,beta", "database_schema": SCHEMA_TEMPLATE}
    async with serve(NOW, auth="required", jwt_secret=SECRET, **many) as client:
        flood = [asyncio.create_task(_page(client, number)) for number in range(400)]
        answer = await client.get(f"{PREFIX}/summary", headers=of("beta"))
        unanswered = sum(not each.done() for each in flood)
        statuses = [await each for each in flood]
    assert answer.status_code == 200
    assert unanswered > 0
    assert {200, 429} == set(statuses)


async def _page(client: httpx.AsyncClient, number: int) -> int:
    path = f"{PREFIX}/doc-sync/failures?page={number + 1}"
    return (await client.get(path, headers=of("acme", sub=str(number)))).status_code


def of(tenant: str, **more: str) -> dict[str, str]:
    return bearer(token(claims(tenant_id=tenant, **more)))
