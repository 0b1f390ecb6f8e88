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


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cluster_world() -> AsyncIterator[World]:
    """Instances with a cluster of three primaries, each with a replica; nobody asks yet."""
    async with running_world(several=partial(ValkeyCluster, primaries=3, replicas=True)) as world:
        yield world


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sentinel_world() -> AsyncIterator[World]:
    """Instances with a primary that has two replicas and is watched by three sentinels; nobody asks yet."""
    async with running_world(several=partial(ValkeySentinels, replicas=2, sentinels=3)) as world:
        yield world


@pytest.mark.parametrize("fault", OF_A_CLUSTER, ids=lambda fault: fault.name)
async def test_every_answer_stays_right_in_a_cluster(
    cluster_world: World, figures: Figures, fault: Fault
) -> None:
    async with cluster_world.under_load():
        figures.outcomes.append(await trial(cluster_world, fault))


@pytest.mark.parametrize("fault", OF_SENTINELS, ids=lambda fault: fault.name)
async def test_every_answer_stays_right_by_sentinels(
    sentinel_world: World, figures: Figures, fault: Fault
) -> None:
    async with sentinel_world.under_load():
        figures.outcomes.append(await trial(sentinel_world, fault))
