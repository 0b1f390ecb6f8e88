"""Faults of a standby that is read: no answer lacks what the primary had, and none is lost."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from demo.process import Server
from tests.faults import outage
from tests.faults.client import Client
from tests.faults.figures import Figures
from tests.faults.outage import Outage
from tests.faults.trial import Fault, trial
from tests.faults.world import World, running_world
from tests.support.api import PREFIX
from tests.support.standby import replay
from tests.support.tokens import bearer, claims, token
from tests.support.waiting import until

MOVED = '"reading from another server"'


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world() -> AsyncIterator[World]:
    """Instances that read a standby; nobody asks yet."""
    async with running_world(wired=False, replicated=True) as world:
        yield world


def _standby(world: World) -> Server:
    assert world.standby is not None
    return world.standby


def killed(world: World) -> Outage:
    """It is gone from one moment to the next, and comes back."""
    standby = _standby(world)
    return outage.away(standby, lambda: asyncio.to_thread(standby.kill))


@asynccontextmanager
async def behind(world: World) -> AsyncIterator[None]:
    """It takes what the primary has written, and replays none of it."""
    connection = await asyncpg.connect(_standby(world).url)
    await replay(connection, "pause")
    try:
        yield
    finally:
        await replay(connection, "resume")
        await connection.close()


FAULTS = (
    Fault("the standby killed", killed, 3),
    Fault("the standby behind", behind, 3),
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_every_answer_stays_right_by_a_standby(world: World, figures: Figures, fault: Fault) -> None:
    async with world.under_load():
        await until(partial(_all_read_standby, world), poll=1)
        figures.outcomes.append(await trial(world, fault))
        await until(partial(_all_read_standby, world), poll=1)
    assert {"primary", "standby"} <= {role for roles in _roles(world) for role in roles}


async def _all_read_standby(world: World) -> bool:
    """Whether each instance does when it reads: one may not for long, as the others read for it."""
    headers = bearer(token(claims()))
    for instance in world.instances:
        client = Client(instance.port)
        site = uuid4().hex  # that nobody has asked for: only the instance itself reads that
        answer = await client.get(f"{PREFIX}/doc-sync/failures?site_id={site}", headers)
        client.close()
        assert answer.status == 200, answer
    return {roles[-1] if roles else "nothing" for roles in _roles(world)} == {"standby"}


def _roles(world: World) -> list[list[str]]:
    """What each instance has read in turn, by its log."""
    logs = (each.log.read_text().splitlines() for each in world.instances)
    return [[json.loads(line)["role"] for line in log if MOVED in line] for log in logs]
