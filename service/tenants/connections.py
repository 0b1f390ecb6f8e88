"""The connections of all tenants of a process together: as many as one database may have elsewhere.

A tenant has one, and so has its statements one after another. It keeps it while there is room; whoever was
not asked for longest gives it up for another's. So each waits for one statement of each other tenant at most.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from msgspec.structs import replace
from sqlalchemy import func, select

from service.sources.database import (
    NO_ANSWER,
    Bound,
    Connections,
    Database,
    DatabaseError,
    DatabaseLimits,
    Records,
    Statement,
)
from service.tenants.tenancy import Place

# As PostgreSQL's driver calls it, and as PgBouncer says it.
_NO_DATABASE = re.compile(r'InvalidCatalogName|no such database|database ".*" does not exist')


class NotThere(DatabaseError):
    """There is no such database or schema, or it is another's."""


class Turns:
    """Lets `most` statements run at once, and as many connections be open."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._free = asyncio.Semaphore(most)
        self._taken: set[Seat] = set()
        # Those that have a connection, as far as is known, in the order of their last turns.
        self._open: dict[Seat, None] = {}
        self._making_room = asyncio.Lock()

    @asynccontextmanager
    async def of(self, seat: "Seat") -> AsyncIterator[None]:
        """A turn of that seat's, during the block; others of the same seat wait for its end."""
        async with seat.turn, self._free:
            self._taken.add(seat)
            try:
                await self._make_room(seat)
                yield
            finally:
                self._taken.remove(seat)

    async def close(self, seat: "Seat") -> None:
        """Close the seat's connection for good."""
        self._open.pop(seat, None)
        await seat.let_go()

    def connections(self) -> Connections:
        """Those of all seats."""
        pools = [seat.database.connections() for seat in self._open]
        return Connections(sum(pool.in_use for pool in pools), sum(pool.idle for pool in pools), self._most)

    async def _make_room(self, seat: "Seat") -> None:
        """Have another give up its connection, unless the seat has one, or one more may be open."""
        async with self._making_room:  # nobody connects while somebody is looked at
            await seat.closed()
            has_one = seat in self._open
            self._open.pop(seat, None)
            if not has_one and len(self._open) >= self._most:
                # One that only waits for its turn will connect again.
                idle = next(other for other in self._open if other not in self._taken)
                del self._open[idle]
                await idle.let_go()
            self._open[seat] = None


class Seat:
    """A tenant's one connection, open or not."""

    def __init__(self, database: "TenantDatabase") -> None:
        self.database = database
        self.turn = asyncio.Lock()
        self.is_known = False
        self._closing: asyncio.Task[None] | None = None

    async def let_go(self) -> None:
        """Close the connection, whoever waits for that may go away; the next statement opens another one."""
        self._closing = asyncio.ensure_future(Database.close(self.database))
        await self.closed()

    async def closed(self) -> None:
        """Wait until what is being closed is; should that fail, whoever comes later does not hear of it."""
        closing = self._closing
        if closing is not None:
            try:
                await asyncio.shield(closing)
            finally:
                if closing.done():
                    self._closing = None


class TenantDatabase(Database):
    """A tenant's database: its statements take turns with those of other tenants.

    `judge` is told whether it is there, as soon as the server tells, and says whether the tenant may have it.
    Nothing else is asked before that.
    """

    def __init__(
        self,
        place: Place,
        limits: DatabaseLimits,
        observe: Callable[[str, float], None],
        turns: Turns,
        judge: Callable[[bool], Awaitable[bool]],
    ) -> None:
        super().__init__(place.url, replace(limits, max_queries=1), observe, place.schema)
        self._schema = place.schema
        self._turns = turns
        self._judge = judge
        self._seat = Seat(self)

    async def timed(self, *statements: Statement | Bound) -> list[tuple[Records, float]]:
        """The rows of statements that see the same data, and the seconds of each.

        Raises DatabaseError, and NotThere, which may be all that is asked.
        """
        async with AsyncExitStack() as turn:
            try:
                async with asyncio.timeout(self._deadline):
                    await turn.enter_async_context(self._turns.of(self._seat))
            except TimeoutError:
                raise DatabaseError(f"{NO_ANSWER} within {self._deadline:g} s: no turn was free") from None
            if not self._seat.is_known:
                await self._look()
            return await super().timed(*statements)

    async def _look(self) -> None:
        if not await self._judge(await is_there(self._unjudged, self._schema)):
            raise NotThere("the tenant has no database or schema of its own")
        self._seat.is_known = True

    async def _unjudged(self, statement: Statement) -> Records:
        ((rows, _),) = await super().timed(statement)
        return rows

    async def close(self) -> None:
        """Close the connection for good."""
        await self._turns.close(self._seat)


async def is_there(ask: Callable[[Statement], Awaitable[Records]], schema: str | None) -> bool:
    """Whether the database that is asked, and a schema in it, are there.

    The session's own word counts for the schema: a pooler may have dropped what it was told. Raises
    DatabaseError while nothing tells, as of a server that is away.
    """
    try:
        ((found,),) = await ask(select(func.current_schema()))
    except DatabaseError as error:
        if says_none(error):
            return False
        raise
    return schema in (None, found)


def says_none(error: DatabaseError) -> bool:
    """Whether a server that answers says that it has no such database."""
    return _NO_DATABASE.search(str(error)) is not None
