"""Reading from a standby that has all that the primary has by now, and from the primary where none has.

What is read of a standby is never older than the question: the primary says first how far it has written, and
the standby is read once it has replayed that. Clocks do not matter for it, and a primary at rest is no lag.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Literal

import structlog
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import case, func, literal_column, make_url, select

from service.sources.database import (
    CONNECT_SECONDS,
    NO_ANSWER,
    Bound,
    Connections,
    Database,
    DatabaseError,
    DatabaseLimits,
    Records,
    RecoveryConflict,
    Statement,
    StatementTimeout,
)

PREFER_STANDBY = "prefer-standby"
# One that failed, or was too far behind, is left alone for so long.
REST_SECONDS = 5.0
# Connections to the primary that nobody has read by for so long are given back.
UNUSED_SECONDS = 60.0
POLL_SECONDS = 0.02
# A standby, it once more after a conflict, and then the primary, which may just have changed.
ATTEMPTS = 4

Role = Literal["primary", "standby"]

log = structlog.get_logger(__name__)

_in_recovery = func.pg_is_in_recovery()
_position = case((_in_recovery, func.pg_last_wal_replay_lsn()), else_=func.pg_current_wal_insert_lsn())
_STATE = select(_in_recovery, func.pg_wal_lsn_diff(_position, literal_column("'0/0'::pg_lsn")))


class State(Struct, frozen=True):
    """What a server is, and up to which byte it has written, or replayed, its log."""

    role: Role
    position: int


class Server:
    """One of several: what is known of it."""

    def __init__(
        self,
        url: str,
        limits: DatabaseLimits,
        observe: Callable[[str, float], None] = lambda *_: None,
        schema: str | None = None,
    ) -> None:
        parts = make_url(url)
        self.place = f"{parts.host}:{parts.port}"
        self.database = Database(url, limits, observe, schema)
        # What fills the pool is no reason to take a server for away; one statement at a time fills none.
        alone = limits.max_queries == 1
        self._asked = self.database if alone else Database(url, replace(limits, max_queries=1))
        self.rests_until = 0.0
        self.behind_since: float | None = None
        self.lag = 0.0
        self.is_well = True

    async def state(self) -> State:
        """What it is now. Raises DatabaseError, also if that takes longer than it may take to connect."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                ((is_standby, position),) = await self._asked.rows(_STATE)
        except TimeoutError:
            raise DatabaseError(f"{NO_ANSWER} within {CONNECT_SECONDS:g} s") from None
        return State("standby" if is_standby else "primary", int(position))

    async def close(self) -> None:
        """Close every connection."""
        await self.database.close()
        await self._asked.close()


class Standbys(Struct, frozen=True):
    """So many seconds they may be behind. `tell` is told what was read from, and how far behind they were."""

    max_lag: float
    tell: Callable[[Role, float], None] = lambda *_: None


NO_LAG = Standbys(0.0)


class Servers:
    """All of them, and which is read."""

    def __init__(self, servers: Sequence[Server], standbys: Standbys) -> None:
        self.all = list(servers)
        self._max_lag = standbys.max_lag
        self._tell = standbys.tell
        self._primary = self.all[0]
        self._asking = asyncio.Lock()
        self._failure: DatabaseError | None = None
        self._read_from: Server | None = None
        self._primary_read_at: float | None = None

    async def choose(self) -> Server:
        """What to read now. Raises DatabaseError while no primary answers: what is missing, nobody knows."""
        position = await self._written_by_now()
        for server in self.all:
            may_do = server is not self._primary and time.monotonic() >= server.rests_until
            if may_do and await self._has(server, position):
                await self._note(server, "standby")
                return server
        await self._note(self._primary, "primary")
        return self._primary

    def leave_alone(self, server: Server, why: str) -> None:
        """Do not read that standby for a while; it is logged once until it is read again."""
        server.rests_until = time.monotonic() + REST_SECONDS
        if server.is_well:
            log.warning("a standby cannot be read: reading elsewhere", server=server.place, why=why)
        server.is_well = False

    def is_primary(self, server: Server) -> bool:
        """Whether it was the primary when it was last asked."""
        return server is self._primary

    async def _written_by_now(self) -> int:
        """How far the primary has written; who waited for another to ask in vain does not ask after it."""
        before = self._failure
        async with self._asking:  # by one connection to the primary
            if self._failure is not before:
                raise DatabaseError(str(self._failure))
            try:
                return await self._written()
            except DatabaseError as failure:
                self._failure = failure
                raise

    async def _written(self) -> int:
        """How far the primary has written, whichever it is by now."""
        failure = DatabaseError("no primary among the servers: all are standbys")
        for server in sorted(self.all, key=lambda each: each is not self._primary):
            try:
                state = await server.state()
            except DatabaseError as error:
                failure = error
                continue
            if state.role == "primary":
                self._primary = server
                return state.position
        raise failure

    async def _has(self, server: Server, position: int) -> bool:
        """Whether a standby has replayed up to there, or does within the lag that is allowed."""
        started = time.monotonic()
        try:
            while True:
                state = await server.state()
                waited = time.monotonic() - started
                if state.role == "standby" and state.position >= position:
                    server.behind_since, server.lag, server.is_well = None, waited, True
                    return True
                if state.role == "primary" or waited >= self._max_lag:
                    break
                await asyncio.sleep(POLL_SECONDS)
        except DatabaseError as error:
            self.leave_alone(server, str(error))
            return False
        server.behind_since = server.behind_since or started
        server.lag = time.monotonic() - server.behind_since
        self.leave_alone(server, f"it lags by {server.lag:.1f} s or more; {self._max_lag:g} s are allowed")
        return False

    async def _note(self, server: Server, role: Role) -> None:
        """Say where reading goes on, and give back what it does not need there any more."""
        now = time.monotonic()
        self._tell(role, max(each.lag for each in self.all))
        if server is not self._read_from:
            log.info("reading from another server", server=server.place, role=role)
            self._read_from = server
        if role == "primary":
            self._primary_read_at = now
        elif self._primary_read_at is not None and now - self._primary_read_at > UNUSED_SECONDS:
            self._primary_read_at = None
            await self._primary.database.close()


class Replicated(Database):
    """A pool of `max_queries` connections to each of several servers; what is asked goes to one of them."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers

    async def timed(self, *statements: Statement | Bound) -> list[tuple[Records, float]]:
        """As of one server; what a standby cannot give is asked once more, there or elsewhere."""
        conflicts: list[Server] = []
        for _ in range(ATTEMPTS):
            server = await self._servers.choose()
            try:
                return await server.database.like(self).timed(*statements)
            except StatementTimeout:
                raise
            except RecoveryConflict as error:
                if server in conflicts:
                    self._servers.leave_alone(server, str(error))
                conflicts.append(server)
            except DatabaseError as error:
                if self._servers.is_primary(server):
                    raise
                self._servers.leave_alone(server, str(error))
        raise DatabaseError("the servers changed while they were asked")

    def connections(self) -> Connections:
        """The pools as they are now, together."""
        pools = [each.database.connections() for each in self._servers.all]
        return Connections(
            sum(each.in_use for each in pools),
            sum(each.idle for each in pools),
            sum(each.limit for each in pools),
        )

    async def fill(self, *rehearsed: Bound) -> None:
        """Open all connections that there may be to the server that is read now. Raises DatabaseError."""
        await (await self._servers.choose()).database.like(self).fill(*rehearsed)

    async def close(self) -> None:
        """Close every connection."""
        for each in self._servers.all:
            await each.close()


def several(url: str) -> list[str]:
    """The address of each server where a standby among several is to be read; none where there is but one."""
    parts = make_url(url)
    hosts = parts.normalized_query.get("host", ())
    if len(hosts) < 2 or parts.query.get("target_session_attrs") != PREFER_STANDBY:
        return []
    rest = parts.difference_update_query(["host", "target_session_attrs"])
    split = [each.rpartition(":") for each in hosts]
    return [
        rest.set(host=host, port=int(port)).render_as_string(hide_password=False) for host, _, port in split
    ]


def database_at(
    url: str,
    limits: DatabaseLimits,
    observe: Callable[[str, float], None] = lambda *_: None,
    schema: str | None = None,
    standbys: Standbys = NO_LAG,
) -> Database:
    """One server's pool, or several servers'."""
    each = several(url)
    if not each:
        return Database(url, limits, observe, schema)
    return Replicated(Servers([Server(one, limits, observe, schema) for one in each], standbys))
