"""What can happen between one instance and the servers; the other two are well."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from tests.faults.checker import APART, DEGRADED
from tests.faults.link import Link
from tests.faults.trial import Fault
from tests.faults.world import World

DATABASE, REDIS = 0, 1
Trouble = Callable[[Link], AbstractAsyncContextManager[None]]
TROUBLES: dict[str, Trouble] = {
    "cut": Link.cut,
    "silent": Link.silent,
    "slow": lambda link: link.slow(0.2),
    "dripping": lambda link: link.dripping(16, 0.02),
}


def _on(server: int, trouble: Trouble) -> Callable[[World], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def broken(world: World) -> AsyncIterator[None]:
        async with trouble(world.wires[0][server]):
            yield

    return broken


FAULTS = (
    *(Fault(f"the wire to PostgreSQL {name}", _on(DATABASE, of), 5) for name, of in TROUBLES.items()),
    *(
        Fault(f"the wire to Redis {name}", _on(REDIS, of), 5, excuses=(DEGRADED, APART))
        for name, of in TROUBLES.items()
    ),
)
