"""One fault under load: broken, looked at, mended, recovered from, and nothing left behind."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from tests.faults import counts
from tests.faults.figures import Outcome
from tests.faults.world import INSTANCES, REFRESH_SECONDS, World
from tests.support.waiting import until

RECOVERY_SECONDS = 2 * REFRESH_SECONDS
CLEAN_SECONDS = 15
SHOWS_SECONDS = 30
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Fault:
    """What is broken, for how long at least, and what that excuses.

    `shows` are the kinds of answers that prove that the fault was felt: it lasts until there were some.
    Requests through the addresses in `breaks` may be left without an answer. After one that `pauses` it,
    the fleet refreshes as much later as its share of the database demands.
    """

    name: str
    broken: Callable[[World], AbstractAsyncContextManager[None]]
    seconds: float = 4.0
    excuses: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()
    breaks: frozenset[str] = frozenset()
    pauses: bool = False


async def _until_clean(world: World) -> None:
    """Wait until each thing that was left over has been gone once; under load, new ones come and go."""
    deadline = time.monotonic() + CLEAN_SECONDS
    persisting = await world.leftovers()
    while persisting:
        assert time.monotonic() < deadline, persisting
        await asyncio.sleep(POLL_SECONDS)
        persisting &= await world.leftovers()


async def trial(world: World, fault: Fault) -> Outcome:
    """Break it, hold every answer to what it must be, and see it heal. Raises AssertionError."""
    already_logged = set(world.logs())
    world.load.broken.clear()
    world.most_connections = world.most_statements = 0
    world.checker.excuse(*fault.excuses)
    async with fault.broken(world):
        await asyncio.sleep(fault.seconds)
        await until(lambda: world.checker.seen.shows(*fault.shows), SHOWS_SECONDS)
    mended = time.time()
    recovery = await world.recovered(mended)
    world.checker.strict(time.time())
    await _until_clean(world)
    seen = world.checker.seen
    assert not world.checker.wrong, "\n".join(world.checker.wrong[:5])
    assert not seen.answers["429"], "callers who keep the limit were limited"
    assert set(+world.load.broken) <= fault.breaks, world.load.broken
    within = RECOVERY_SECONDS + (world.pause if fault.pauses else 0)
    assert recovery <= within, f"recovered after {recovery:.1f} s instead of {within:.1f}"
    assert world.most_connections <= INSTANCES * world.connections, world.most_connections
    complaints = counts.complaints([line for line in world.logs() if line not in already_logged])
    assert not complaints, complaints[:3]
    return Outcome(
        name=fault.name,
        answers=seen.answers["200"] + seen.answers["304"],
        refusals=seen.answers["503"],
        oldest=seen.oldest,
        slowest=seen.slowest,
        recovery=recovery,
        connections=world.most_connections,
        statements=world.most_statements,
    )
