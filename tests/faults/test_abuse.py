"""Callers who do not behave harm nobody who does, and leave nothing behind."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.faults import abuse
from tests.faults.figures import Figures
from tests.faults.trial import Fault, trial
from tests.faults.world import World
from tests.support.instances import Instance
from tests.support.openapi import schemathesis
from tests.support.tokens import bearer, token

EXAMPLES = 300
SECONDS = 240


@pytest.mark.parametrize("fault", abuse.FAULTS, ids=lambda fault: fault.name)
async def test_everybody_else_is_answered_as_ever(world: World, figures: Figures, fault: Fault) -> None:
    figures.outcomes.append(await trial(world, fault))


async def test_who_asks_300_new_questions_at_once_leaves_room_for_others(world: World) -> None:
    """At an instance of its own: the others' limit on callers would hide it."""
    await abuse.one_curious_caller(world)


@pytest.mark.timeout(SECONDS + 60)
async def test_thousands_of_requests_that_a_machine_thought_of(world: World, tmp_path: Path) -> None:
    """With authentication on: schemathesis tries without a token, too, and with bad ones."""
    # Its requests are one caller's, who asks more than callers may.
    instance = Instance(replace(world.settings, rate_limit=None), world.folder / "schemathesis.log")
    instance.start()
    await instance.ready()
    options = ("--header", f"Authorization: {bearer(token())['Authorization']}")
    try:
        report = await asyncio.to_thread(
            schemathesis, instance.url, tmp_path, *options, examples=EXAMPLES, seconds=SECONDS
        )
    finally:
        instance.kill()
    assert report.returncode == 0, report.stdout + report.stderr
    assert not world.checker.wrong, world.checker.wrong[:5]
