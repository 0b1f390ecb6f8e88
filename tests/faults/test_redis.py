"""Redis breaks in every way it can, under load."""

import pytest

from tests.faults import redis_faults
from tests.faults.trial import Fault, trial
from tests.faults.world import World


@pytest.mark.parametrize("fault", redis_faults.FAULTS, ids=lambda fault: fault.name)
async def test_every_answer_stays_right(world: World, fault: Fault) -> None:
    print(await trial(world, fault))
