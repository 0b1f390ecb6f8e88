"""Faults of a Redis that is several servers: answers and counters stay right while it finds itself anew."""

from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio

from tests.faults.figures import Figures
from tests.faults.several_faults import OF_A_CLUSTER, OF_SENTINELS
from tests.faults.trial import Fault, trial
from tests.faults.world import World, running_world
from tests.support.valkey_sets import ValkeyCluster, ValkeySentinels

THREE_PRIMARIES = partial(ValkeyCluster, primaries=3, replicas=True)
THREE_SENTINELS = partial(ValkeySentinels, replicas=2, sentinels=3)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def whole_several(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Instances with a cluster, or with a primary by its sentinels; nobody asks yet."""
    async with running_world(several=request.param) as world:
        yield world


@pytest_asyncio.fixture(loop_scope="session")
async def world(whole_several: World) -> AsyncIterator[World]:
    """That world, while many callers ask and every answer is checked."""
    async with whole_several.under_load():
        yield whole_several


@pytest.mark.parametrize(
    ("whole_several", "fault"),
    [
        *((THREE_PRIMARIES, fault) for fault in OF_A_CLUSTER),
        *((THREE_SENTINELS, fault) for fault in OF_SENTINELS),
    ],
    indirect=["whole_several"],
    ids=lambda value: getattr(value, "name", ""),
)
async def test_every_answer_stays_right(world: World, figures: Figures, fault: Fault) -> None:
    figures.outcomes.append(await trial(world, fault))
