"""Connections to the PLM's database: few, read-only, and never held for long."""

import asyncio
import copy
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any, Self, TypeAlias

import asyncpg
import structlog
from msgspec import Struct
from sqlalchemy import URL, ColumnElement, Row, Select, func, make_url, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext import asyncio as engines
from sqlalchemy.pool import QueuePool

from service.certificates import refused

# How long the client waits past the server's own statement_timeout before it gives a server up that
# no longer answers at all, and how long for a connection.
GRACE_SECONDS = 1.0
CONNECT_SECONDS = 3.0
NO_ANSWER = "no answer"
# What a URL may say beside user, password and database; of TLS in the words of PostgreSQL's own tools, too.
TLS_OPTIONS = ("sslmode", "sslrootcert")
OPTIONS = ("host", "port", "ssl", *TLS_OPTIONS, "target_session_attrs")

# What a connection is from its beginning: poolers know these two settings, and refuse others.
CONNECTION = {"application_name": "parallel-ops", "timezone": "UTC"}
# What hashes rows has of PostgreSQL's settings.
HASHING = {"enable_sort": "off"}

Statement: TypeAlias = Select[*tuple[Any, ...]]
Record: TypeAlias = Row[*tuple[Any, ...]]
Records: TypeAlias = Sequence[Record]

log = structlog.get_logger(__name__)


class DatabaseError(OSError):
    """A statement gave no answer: the server is away, too slow, or refuses it."""


class StatementTimeout(DatabaseError):
    """The server ended a statement that took too long: the time is spent, and nothing came of it."""


class RecoveryConflict(DatabaseError):
    """A standby ended a statement that kept it from replaying what its primary has removed: ask once more."""


# By the driver's own error; nothing that is read only fails to be serialized otherwise.
_KINDS = (
    (asyncpg.QueryCanceledError, StatementTimeout),
    (asyncpg.SerializationError, RecoveryConflict),
)


class UnknownDatabaseOption(ValueError):
    """A URL has an option that is not one of OPTIONS; the message names it, and no value."""


class DatabaseLimits(Struct, frozen=True):
    """What the service may ask of the database: seconds a statement, seconds a lock, connections.

    Statements that take `slow_seconds` or longer, the wait for a connection aside, are logged.
    """

    statement_timeout_seconds: float
    lock_timeout_seconds: float
    max_queries: int
    slow_seconds: float = math.inf


class Bound(Struct, frozen=True):
    """A statement with parameters, which is built but once, and their values."""

    statement: Statement
    values: dict[str, Any]


class Connection(asyncpg.Connection):  # type: ignore[misc, unused-ignore]
    """One that closes in silence: who waits for that may have gone away, and nobody hears what it raises."""

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 - as asyncpg has it
        """Close, or end it at once if the server is away or takes longer than so many seconds."""
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await super().close(timeout=timeout)


class Connections(Struct, frozen=True):
    """How many connections of a pool are in use, how many wait idle, and how many there may be."""

    in_use: int
    idle: int
    limit: int


class Database:
    """A pool of at most `max_queries` read-only connections; so many statements run at once.

    What is asked together is one transaction, and brings its settings: behind a pooler such as PgBouncer each
    may have another session. For the same reason no prepared statement has a name, which would outlive it.
    A connection that the server closed is replaced unseen. `observe` is told the section that statements are
    for, and their seconds. Tables are looked for in that `schema` and nowhere else, if one is given.
    """

    # How it is asked: for which section, and whether rows are hashed.
    _section: str | None = None
    _is_hashing = False

    def __init__(
        self,
        url: str,
        limits: DatabaseLimits,
        observe: Callable[[str, float], None] = lambda *_: None,
        schema: str | None = None,
    ) -> None:
        self._deadline = limits.statement_timeout_seconds + GRACE_SECONDS
        self._limit = limits.max_queries
        self._slow_seconds = limits.slow_seconds
        self._observe = observe
        usual = session(limits, schema)
        self._settings = {each: select(*_set(usual | HASHING if each else usual)) for each in (False, True)}
        # By its module: that is where what traces statements puts its own in.
        self._engine = engines.create_async_engine(
            address(url),
            isolation_level="REPEATABLE READ",
            execution_options={"postgresql_readonly": True},
            pool_size=limits.max_queries,
            max_overflow=0,
            pool_timeout=self._deadline,
            pool_pre_ping=True,
            connect_args={
                "dsn": tls(url),
                "connection_class": Connection,
                "timeout": CONNECT_SECONDS,
                # Of what nobody waits for any more, too: a server that is gone would hold what is closed.
                "command_timeout": self._deadline + GRACE_SECONDS,
                "server_settings": CONNECTION,
                "statement_cache_size": 0,
                "prepared_statement_cache_size": 0,
                "prepared_statement_name_func": str,
            },
        )

    async def rows(self, statement: Statement | Bound) -> Records:
        """All rows of one statement. Raises DatabaseError."""
        return (await self.consistent(statement))[0]

    async def consistent(self, *statements: Statement | Bound) -> list[Records]:
        """The rows of several statements, which all see the same data. Raises DatabaseError."""
        return [rows for rows, _ in await self.timed(*statements)]

    async def timed(self, *statements: Statement | Bound) -> list[tuple[Records, float]]:
        """The rows of statements that see the same data, and the seconds of each. Raises DatabaseError."""
        if not statements:
            return []
        found = []
        try:
            async with asyncio.timeout(self._deadline) as deadline, self._engine.connect() as connection:
                await connection.execute(self._settings[self._is_hashing])
                for each in statements:
                    bound = each if isinstance(each, Bound) else Bound(each, {})
                    started = time.monotonic()
                    rows = (await connection.execute(bound.statement, bound.values)).all()
                    found.append((rows, time.monotonic() - started))
                    deadline.reschedule(asyncio.get_running_loop().time() + self._deadline)
        except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            section = f"{self._section}: " if self._section else ""
            kind = next((kind for cause, kind in _KINDS if isinstance(_cause(error), cause)), DatabaseError)
            raise kind(section + self._reason(error, deadline)) from error
        self._note([seconds for _, seconds in found])
        return found

    def _note(self, seconds: Sequence[float]) -> None:
        if self._section is not None:
            self._observe(self._section, sum(seconds))
        if max(seconds) >= self._slow_seconds:
            log.warning("slow statement", section=self._section or "-", seconds=round(max(seconds), 3))

    def for_section(self, name: str) -> "Database":
        """The same pool, whose slow statements are logged under that name."""
        return self._asked(name, is_hashing=self._is_hashing)

    def hashing(self) -> "Database":
        """The same pool, for statements that count many rows: they hash these, never mind how many groups.

        The planner takes some thousand groups for a million, and would sort all rows on disk.
        """
        return self._asked(self._section, is_hashing=True)

    def like(self, other: "Database") -> "Database":
        """The same pool, asked as another one is."""
        return self._asked(other._section, is_hashing=other._is_hashing)

    def _asked(self, section: str | None, *, is_hashing: bool) -> Self:
        asked = copy.copy(self)
        asked._section, asked._is_hashing = section, is_hashing
        return asked

    def connections(self) -> Connections:
        """The pool as it is now."""
        pool = self._engine.pool
        in_use, idle = (pool.checkedout(), pool.checkedin()) if isinstance(pool, QueuePool) else (0, 0)
        return Connections(in_use, idle, self._limit)

    async def fill(self, *rehearsed: Bound) -> None:
        """Open all the connections that there may be, for statements to find. Raises DatabaseError.

        What a connection's first statements cost more than later ones is spent on the `rehearsed`, of which
        no row is read.
        """
        missing = self._limit - self.connections().in_use
        try:
            async with asyncio.timeout(self._deadline) as deadline, AsyncExitStack() as opened:
                connections = [
                    await opened.enter_async_context(self._engine.connect()) for _ in range(missing)
                ]
                for connection in connections:
                    await connection.execute(self._settings[self._is_hashing])
                    for each in rehearsed:
                        await connection.execute(each.statement.limit(0), each.values)
                    await connection.rollback()  # a pooler may have fewer sessions than this
        except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise DatabaseError(self._reason(error, deadline)) from error

    def _reason(self, error: Exception, deadline: asyncio.Timeout) -> str:
        """What the server said, or for how long it did not."""
        if isinstance(error, TimeoutError):
            return f"{NO_ANSWER} within {self._deadline if deadline.expired() else CONNECT_SECONDS:g} s"
        return str(refused("PostgreSQL", error) or _words(error))

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


def address(url: str) -> URL:
    """The URL as the driver takes it. Raises UnknownDatabaseOption, or SQLAlchemy's error or ValueError."""
    given = make_url(url).set(drivername="postgresql+asyncpg")
    unknown = sorted(given.query.keys() - set(OPTIONS))
    if unknown:
        raise UnknownDatabaseOption(f"has an option that is not known: {', '.join(unknown)}")
    given = given.difference_update_query(TLS_OPTIONS)
    # Several hosts have rules of their own.
    given.get_dialect()().create_connect_args(given)
    return given


def tls(url: str) -> str:
    """What the URL says of TLS, as an address of its own: only from one does the driver take a CA's file."""
    given = make_url(url).query
    options = {name: given[name] for name in TLS_OPTIONS if name in given}
    return URL.create("postgresql", query=options).render_as_string()


def session(limits: DatabaseLimits, schema: str | None = None) -> dict[str, str]:
    """PostgreSQL's settings for every transaction of the service."""
    path = {} if schema is None else {"search_path": f'"{schema}"'}
    return path | {
        "statement_timeout": _milliseconds(limits.statement_timeout_seconds),
        "lock_timeout": _milliseconds(limits.lock_timeout_seconds),
        # Sections are read side by side, so each keeps to one core: `max_queries` is then also the
        # number of cores that this service can ever take from the PLM.
        "max_parallel_workers_per_gather": "0",
        # The few scans are large, and compiling them takes longer than it saves.
        "jit": "off",
        # Room to tell some 200,000 descriptions of incidents apart without the disk.
        "work_mem": "16MB",
    }


def _set(settings: Mapping[str, str]) -> list[ColumnElement[str]]:
    """The settings, as a transaction begins with them."""
    return [func.set_config(name, value, True) for name, value in settings.items()]


def _milliseconds(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))


def _cause(error: Exception) -> BaseException:
    """The driver's own error."""
    wrapped: Exception = getattr(error, "orig", None) or error
    return wrapped.__cause__ or wrapped


def _words(error: Exception) -> str:
    """The server's own words, without the statement and its parameters."""
    cause = _cause(error)
    first_line = str(cause).partition("\n")[0]
    return f"{type(cause).__name__}: {first_line}" if first_line else type(cause).__name__
