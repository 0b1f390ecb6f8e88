"""Each fault under steady load: every answer stays what it must be, and nothing is left behind."""

import pytest

from tests.faults import database_faults, instance_faults, network_faults, redis_faults
from tests.faults.figures import Figures
from tests.faults.trial import Fault, trial
from tests.faults.world import World

FAULTS = (*database_faults.FAULTS, *redis_faults.FAULTS, *instance_faults.FAULTS, *network_faults.FAULTS)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_every_answer_stays_right(world: World, figures: Figures, fault: Fault) -> None:
    figures.outcomes.append(await trial(world, fault))
