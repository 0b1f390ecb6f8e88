"""What the service's role finds in the database: tables, columns, grants, and indexes that help.

Only the catalogues are read, so no lock on a table delays the answer.
"""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct
from sqlalchemy import Boolean, SmallInteger, Text, and_, cast, column, func, select, table
from sqlalchemy.dialects.postgresql import ARRAY, OID

from service.sources.database import Database, Statement
from service.sources.tables import incidents, jobs, metadata, runs

# The tables that are read by time; an index that leads with it makes short windows cheap.
BY_TIME = (jobs.name, runs.name, incidents.name)

Problem = Literal["missing_table", "missing_column", "missing_grant"]


class Finding(Struct, frozen=True):
    """Something that the service needs and does not find. `columns` is empty for a missing table."""

    problem: Problem
    table: str
    columns: tuple[str, ...] = ()


_attributes = table(
    "pg_attribute",
    column("attrelid", OID),
    column("attname", Text),
    column("attnum", SmallInteger),
    column("attisdropped", Boolean),
    schema="pg_catalog",
)
_indexes = table(
    "pg_index",
    column("indrelid", OID),
    column("indkey", ARRAY(SmallInteger)),  # an int2vector, which counts from 0
    column("indisvalid", Boolean),
    schema="pg_catalog",
)


def _columns_found() -> Statement:
    """(table, column, may be read) of every column of our tables, as the search path finds them."""
    wanted = (
        func.unnest(cast(list(metadata.tables), ARRAY(Text))).table_valued("name").render_derived("wanted")
    )
    name, found = wanted.c.name, _attributes.c
    return (
        select(name, found.attname, func.has_column_privilege(found.attrelid, found.attnum, "SELECT"))
        .select_from(wanted)
        .join(_attributes, found.attrelid == func.to_regclass(name))
        .where(found.attnum > 0, found.attisdropped.is_(False))
    )


def _time_indexes_found() -> Statement:
    """The tables read by time that have a valid index whose first column is the time."""
    wanted = func.unnest(cast(list(BY_TIME), ARRAY(Text))).table_valued("name").render_derived("wanted")
    name, found = wanted.c.name, _attributes.c
    return (
        select(name)
        .select_from(wanted)
        .join(_indexes, _indexes.c.indrelid == func.to_regclass(name))
        .join(
            _attributes,
            and_(found.attrelid == _indexes.c.indrelid, found.attnum == _indexes.c.indkey[0]),
        )
        .where(found.attname == "created_at", _indexes.c.indisvalid)
    )


_STATEMENT = _columns_found()
_TIME_INDEXES = _time_indexes_found()


async def findings(database: Database) -> Sequence[Finding]:
    """What is missing in the database; nothing when all is well. Raises DatabaseError."""
    readable: dict[str, dict[str, bool]] = {}
    for name, column_name, may_read in await database.rows(_STATEMENT):
        readable.setdefault(name, {})[column_name] = may_read
    found = []
    for name, wanted in metadata.tables.items():
        there = readable.get(name)
        if there is None:
            found.append(Finding("missing_table", name))
            continue
        missing = tuple(each.name for each in wanted.columns if each.name not in there)
        refused = tuple(each.name for each in wanted.columns if there.get(each.name) is False)
        if missing:
            found.append(Finding("missing_column", name, missing))
        if refused:
            found.append(Finding("missing_grant", name, refused))
    return found


async def without_time_index(database: Database) -> Sequence[str]:
    """The tables whose recent rows no index leads to, whatever it may be called. Raises DatabaseError."""
    led_to = {name for (name,) in await database.rows(_TIME_INDEXES)}
    return [name for name in BY_TIME if name not in led_to]
