"""PostgreSQL breaks in every way it can, under load."""

import pytest

from tests.faults import database_faults
from tests.faults.trial import Fault, trial
from tests.faults.world import World


@pytest.mark.parametrize("fault", database_faults.FAULTS, ids=lambda fault: fault.name)
async def test_every_answer_stays_right(world: World, fault: Fault) -> None:
    outcome = await trial(world, fault)
    print(outcome)
