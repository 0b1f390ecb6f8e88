"""Callers who do not behave harm nobody who does, and leave nothing behind."""

import pytest

from tests.faults import abuse
from tests.faults.trial import Fault, trial
from tests.faults.world import World


@pytest.mark.parametrize("fault", abuse.FAULTS, ids=lambda fault: fault.name)
async def test_everybody_else_is_answered_as_ever(world: World, fault: Fault) -> None:
    print(await trial(world, fault))
