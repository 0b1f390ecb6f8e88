"""Each fault under steady load: every answer stays what it must be, and nothing is left behind."""

import pytest

from tests.faults.all_faults import FAULTS
from tests.faults.figures import Figures
from tests.faults.trial import Fault, trial
from tests.faults.world import World


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_every_answer_stays_right(world: World, figures: Figures, fault: Fault) -> None:
    figures.outcomes.append(await trial(world, fault))
