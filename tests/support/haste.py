"""What lets tests take less time, without changing what is tested. A pytest plugin."""

import gc
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import structlog
from asyncpg import Connection

# Below are the types that PostgreSQL brings, which are the same in each of its databases.
FIRST_OID_OF_OURS = 16_384


def pytest_configure() -> None:
    """From the start."""
    _keep_tracebacks_short()
    _remember_types()


def pytest_collection_finish() -> None:
    """Set aside what is loaded for good, as a worker does: the collector then looks through the rest only."""
    gc.collect()
    gc.freeze()


def _keep_tracebacks_short() -> None:
    """Where nothing is configured structlog draws every variable of every frame, for a tenth of a second."""
    *others, console = structlog.get_config()["processors"]
    assert isinstance(console, structlog.dev.ConsoleRenderer)
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure([*others, plain])


def _remember_types() -> None:
    """Have asyncpg ask only once what PostgreSQL's array types are made of.

    It asks on every connection, with a statement that takes PostgreSQL longer than most of the service's,
    and here nearly every test opens connections of its own.
    """
    introspect = Connection._introspect_types
    known: dict[frozenset[int], Any] = {}

    async def once(connection: Connection, oids: Iterable[int], *timeout: float | None) -> tuple[Any, Any]:
        wanted = frozenset(oids)
        if wanted in known:
            return known[wanted], SimpleNamespace(name="none was needed")
        types, statement = await introspect(connection, oids, *timeout)
        if max(wanted) < FIRST_OID_OF_OURS:
            known[wanted] = types
        return types, statement

    Connection._introspect_types = once
