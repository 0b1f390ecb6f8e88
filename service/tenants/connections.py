"""The connections of all tenants of a process together: as many as one database may have elsewhere.

A tenant has one, and so has its statements one after another. It keeps it while there is room; whoever was
not asked for longest gives it up for another's. So each waits for one statement of each other tenant at most.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
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
_NO_DATABASE = ("InvalidCatalogName", "no such database")


class Turns:
    """Lets `most` statements run at once, and as many connections be open."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._free = asyncio.Semaphore(most)
        self._taken: set[Seat] = set()
        # In the order in which they had their last turns.
        self._seats: dict[Seat, None] = {}
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
        self._seats.pop(seat, None)
        await seat.let_go()

    def connections(self) -> Connections:
        """Those of all seats."""
        return Connections(self._in_use(), self._idle(), self._most)

    async def _make_room(self, seat: "Seat") -> None:
        """Have others give up their connections, unless the seat has one, or one more may be open."""
        async with self._making_room:  # nobody connects while somebody is looked at
            await seat.closed()
            self._seats.pop(seat, None)
            self._seats[seat] = None
            if seat.idle:
                return
            for other in list(self._seats):
                if len(self._taken) + self._idle() <= self._most:
                    break
                if other not in self._taken:  # it may wait for a turn, and connects again then
                    await other.let_go()

    def _in_use(self) -> int:
        return sum(seat.database.connections().in_use for seat in self._seats)

    def _idle(self) -> int:
        return sum(seat.idle for seat in self._seats)


class Seat:
    """A tenant's one connection, open or not."""

    def __init__(self, database: "TenantDatabase") -> None:
        self.database = database
        self.turn = asyncio.Lock()
        self._closing: asyncio.Task[None] | None = None

    @property
    def idle(self) -> int:
        """How many connections are open and have nothing to do: one or none."""
        return self.database.connections().idle

    async def let_go(self) -> None:
        """Close the connection, whoever waits for that may go away; the next statement opens another one."""
        self._closing = asyncio.ensure_future(Database.close(self.database))
        await self.closed()

    async def closed(self) -> None:
        """Wait until what is being closed is."""
        if self._closing is not None:
            await asyncio.shield(self._closing)


class TenantDatabase(Database):
    """A tenant's database: its statements take turns with those of other tenants."""

    def __init__(
        self, place: Place, limits: DatabaseLimits, observe: Callable[[str, float], None], turns: Turns
    ) -> None:
        super().__init__(place.url, replace(limits, max_queries=1), observe, place.schema)
        self._turns = turns
        self._seat = Seat(self)

    async def timed(self, *statements: Statement | Bound) -> list[tuple[Records, float]]:
        """The rows of statements that see the same data, and the seconds of each. Raises DatabaseError."""
        async with AsyncExitStack() as turn:
            try:
                async with asyncio.timeout(self._deadline):
                    await turn.enter_async_context(self._turns.of(self._seat))
            except TimeoutError:
                raise DatabaseError(f"{NO_ANSWER} within {self._deadline:g} s: no turn was free") from None
            return await super().timed(*statements)

    async def close(self) -> None:
        """Close the connection for good."""
        await self._turns.close(self._seat)


async def is_there(database: Database, schema: str | None) -> bool:
    """Whether the database, and a schema in it, are there; while nothing tells, as of a server that is away,
    they may be.

    The session's own word counts for the schema: a pooler may have dropped what it was told.
    """
    try:
        ((found,),) = await database.rows(select(func.current_schema()))
    except DatabaseError as error:
        return not any(words in str(error) for words in _NO_DATABASE)
    return schema in (None, found)
