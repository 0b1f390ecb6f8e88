"""No answer ever holds what is another tenant's, whoever asks beside whom, and whatever befalls Redis."""

import asyncio
import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any
from urllib.parse import urlencode

import asyncpg
import httpx
import pytest
from parallel_ops_recorder.keys import counts_field, counts_key
from redis.asyncio import Redis

from demo.servers import Postgres, Valkey
from service.api.table import PREFIX
from tests.support.builders import Database, incident, insert, job, run, template
from tests.support.clock import NOW, Clock
from tests.support.fixtures import Serve
from tests.support.relay import Relay
from tests.support.tenants import (
    DATABASE_TEMPLATE,
    SCHEMA_TEMPLATE,
    connected,
    databases_url,
    make_databases,
    make_schemas,
)
from tests.support.tokens import SCRAPE_TOKEN, SECRET, bearer, claims, token

# By how many rows each of its tables has: no sum of some is another one.
TENANTS = {"north": 3, "South": 5, "east-1": 11, "west_2": 23}
ALL = "|".join(map(re.escape, TENANTS))
MARK = re.compile(rf"mark-({ALL})-mark")
ROUNDS, AT_ONCE, SEED = 20, 12, 1
# All bodies that say how many rows there are, by what stands before that number.
TOTALS = re.compile(
    r'"(?:doc_sync|workflow_actions|breakages)":\{"total":(\d+)|"(?:doc_sync|workflow|breakages)_total":(\d+)'
    r"|^doc_sync\.total,(\d+)|\| doc_sync\.total \| (\d+) \||doc_sync_jobs_total\{[^}]*\} (\d+)\.0"
    r'|"total": (\d+),\n    "by_status"',
    re.MULTILINE,
)
MANY: dict[str, Any] = {"auth": "required", "jwt_secret": SECRET, "scrape_token": SCRAPE_TOKEN}


def mark(tenant: str) -> str:
    """What stands in every text of a tenant's rows."""
    return f"mark-{tenant}-mark"


def rows(tenant: str) -> Database:
    """Of an hour of its own: alerts say no number, but since when they hold."""
    text, many, at = mark(tenant), range(TENANTS[tenant]), NOW - timedelta(hours=TENANTS[tenant])
    return Database(
        jobs=[
            job(payload={"site_id": text}, status="failed", last_error=text, dedupe_key=text, created_at=at)
            for _ in many
        ],
        runs=[run(target_object=text, status="failed", last_error=text, created_at=at) for _ in many],
        incidents=[incident(description=text, responsibility=text, created_at=at) for _ in many],
        plans=[template(text)],
    )


@dataclass
class Asker:
    """Asks at random, and looks through each answer."""

    chance: Random
    owners: dict[str, str] = field(default_factory=dict)
    answered: int = 0
    unchanged: int = 0

    def target(self, tenant: str) -> str:
        """An address: any endpoint, the board among them, with the tenant's own filters or none."""
        window = {"window_days": self.chance.choice([1, 7, 30])}
        filters = self.chance.choice([{}, {"site_id": mark(tenant)}, {"target_object": mark(tenant)}])
        path, more = self.chance.choice(
            [
                *((path, {}) for path in ("/summary", "/trends", "/alerts", "/budgets", "/metrics")),
                *(("/summary/export", {"export_format": each}) for each in ("json", "csv", "md")),
                *(("/trends/export", {"export_format": each}) for each in ("json", "csv")),
                *(("/report", {"lang": each}) for each in ("en", "zh")),
                *((path, {}) for path in ("/doc-sync/failures", "/workflow/failures", "")),
            ]
        )
        return f"{PREFIX + path if path else '/'}?{urlencode(window | filters | more)}"

    async def ask(self, client: httpx.AsyncClient) -> None:
        """A random tenant's request, now and then with tags that somebody got; then again with its own."""
        tenant = self.chance.choice(list(TENANTS))
        headers, target = bearer(token(claims(tenant_id=tenant))), self.target(tenant)
        if "/metrics" in target and self.chance.random() < 0.5:
            headers |= bearer(SCRAPE_TOKEN)
            target += f"&tenant_id={tenant}"
        known, often = sorted(self.owners), self.chance.random() < 0.5
        tags = self.chance.sample(known, min(len(known), 20)) if often else []
        for _ in range(2):
            sent = {"If-None-Match": ", ".join(tags)} if tags else {}
            answer = await client.get(target, headers=headers | sent)
            self.look_at(tenant, target, tags, answer)
            tags = answer.headers.get_list("etag")

    def look_at(self, tenant: str, target: str, sent: list[str], answer: httpx.Response) -> None:
        """The answer is the tenant's, and nobody else's; so is its entity tag."""
        assert answer.status_code in (200, 304), (target, answer.text)
        etag = answer.headers.get("etag", "")
        if etag:
            owner = self.owners.setdefault(etag, tenant)
            assert owner == tenant, f"{tenant} was told what {owner} was told before: {target}"
        if answer.status_code == 304:
            assert etag in sent
            self.unchanged += 1
            return
        assert set(MARK.findall(answer.text)) <= {tenant}, target
        for found in TOTALS.findall(answer.text):
            assert int("".join(found)) in (0, TENANTS[tenant]), (target, found)
        for hits in re.findall(r'"hits": ?(\d+)', answer.text):
            assert int(hits) in (0, TENANTS[tenant] * 1000), target
        self.answered += 1


Client = AbstractAsyncContextManager[httpx.AsyncClient]


@pytest.fixture(params=["databases", "schemas"])
async def instance(
    request: pytest.FixtureRequest, serve: Serve, postgres: Postgres, database: asyncpg.Connection
) -> Callable[..., Client]:
    """Starts an instance for tenants with a database, or a schema, each."""
    if request.param == "databases":
        await make_databases(postgres, list(TENANTS))
        for tenant in TENANTS:
            async with connected(postgres, DATABASE_TEMPLATE.format(tenant_id=tenant)) as connection:
                await insert(connection, rows(tenant))
        where = {"database_url": databases_url(postgres), "tenants": "*"}
    else:
        await make_schemas(database, list(TENANTS))
        for tenant in TENANTS:
            name = tenant.lower().replace("-", "_")
            await database.execute(f"SET search_path = yt_t_{name}")
            await insert(database, rows(tenant))
            await database.execute("RESET search_path")
        where = {"database_schema": SCHEMA_TEMPLATE, "tenants": ",".join(TENANTS)}

    return lambda clock, **changes: serve(clock, flush=False, **(MANY | where | changes))


async def count_lookups(redis: Redis) -> None:
    """As many hits for each tenant as none of the others has."""
    for tenant, number in TENANTS.items():
        await redis.hset(counts_key(NOW.date(), tenant), counts_field(NOW.hour, "hits"), str(number * 1000))


async def test_no_answer_holds_what_is_anothers(
    instance: Callable[..., Client], postgres: Postgres, valkey: Valkey, redis: Redis
) -> None:
    await count_lookups(redis)
    asker, clock, log_from = Asker(Random(SEED)), Clock(NOW), postgres.log.stat().st_size
    async with Relay(valkey.port) as relay:
        url = f"redis://127.0.0.1:{relay.port}/0"
        async with instance(clock, redis_url=url) as one, instance(clock, redis_url=url) as other:
            for number in range(ROUNDS):
                relay.breaks = 10**9 if number % 10 in (4, 5, 6) else 0
                if number % 3 == 2:
                    clock.now += 15
                await asyncio.gather(*(asker.ask(asker.chance.choice([one, other])) for _ in range(AT_ONCE)))
    assert asker.answered > ROUNDS * AT_ONCE / 2
    assert asker.unchanged > 0
    keys: list[Any] = [key for key in await redis.keys("*") if b":{-}:" not in key]
    for key in keys:
        assert key.startswith(tuple(f"parallel-ops:{{{tenant}}}:".encode() for tenant in TENANTS))
        if (marked := MARK.search(key.decode())) is not None:
            assert f"{{{marked[1]}}}" in key.decode()
    assert_asked_at_home(postgres, log_from)


def assert_asked_at_home(postgres: Postgres, log_from: int) -> None:
    """What was asked with a tenant's filter was asked of its own database, by PostgreSQL's log."""
    asked = 0
    for line in postgres.log.read_bytes()[log_from:].decode(errors="replace").split("[parallel-ops] "):
        at = re.match(rf"tenant_({ALL}) ", line)
        for tenant in MARK.findall(line):
            asked += at is not None
            assert at is None or at[1] == tenant, line
    assert asked or not postgres.log.read_bytes()[log_from:].count(b"[parallel-ops] tenant_")
