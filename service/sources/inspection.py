"""What the service's role finds in the database: tables, columns, grants, and indexes that help.

Only the catalogues are read, so no lock on a table delays the answer.
"""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct
from sqlalchemy import Boolean, Float, SmallInteger, Text, and_, cast, column, func, select, table
from sqlalchemy.dialects.postgresql import ARRAY, OID

from service.sources.database import Database, Statement
from service.sources.tables import incidents, jobs, metadata, runs

# What is read of each table that is read by time: the rows of a window, and the failed ones among them.
READS = (
    (jobs.name, "window"),
    (runs.name, "window"),
    (incidents.name, "window"),
    (jobs.name, "failures"),
    (runs.name, "failures"),
)

Problem = Literal["wrong_encoding", "missing_table", "missing_column", "missing_grant"]
# What is compared, trimmed and lower-cased in the database is Unicode.
ENCODING = "UTF8"


class Finding(Struct, frozen=True):
    """Something that the service needs and does not find. `columns` is empty for a missing table.

    A wrong encoding is the whole database's: `table` is the name of the encoding.
    """

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
_classes = table("pg_class", column("oid", OID), column("reltuples", Float), schema="pg_catalog")
_indexes = table(
    "pg_index",
    column("indexrelid", OID),
    column("indrelid", OID),
    column("indkey", ARRAY(SmallInteger)),  # an int2vector, which counts from 0
    column("indisvalid", Boolean),
    column("indpred", Text),
    schema="pg_catalog",
)


def _columns_found() -> Statement:
    """(table, column, may be read, encoding) of every column of our tables, as the search path finds them."""
    wanted = (
        func.unnest(cast(list(metadata.tables), ARRAY(Text))).table_valued("name").render_derived("wanted")
    )
    name, found = wanted.c.name, _attributes.c
    may_read = func.has_column_privilege(found.attrelid, found.attnum, "SELECT")
    return (
        select(name, found.attname, may_read, func.current_setting("server_encoding"))
        .select_from(wanted)
        .join(_attributes, found.attrelid == func.to_regclass(name))
        .where(found.attnum > 0, found.attisdropped.is_(False))
    )


def _indexes_found() -> Statement:
    """(table, whole, first column, definition) of the valid indexes of the tables that are read by time.

    An index is whole when it leaves no row out; the column is null where an expression comes first.
    """
    tables = list(dict.fromkeys(name for name, _ in READS))
    wanted = func.unnest(cast(tables, ARRAY(Text))).table_valued("name").render_derived("wanted")
    name, index, found = wanted.c.name, _indexes.c, _attributes.c
    first = and_(found.attrelid == index.indrelid, found.attnum == index.indkey[0])
    return (
        select(name, index.indpred.is_(None), found.attname, func.pg_get_indexdef(index.indexrelid))
        .select_from(wanted)
        .join(_indexes, index.indrelid == func.to_regclass(name))
        .outerjoin(_attributes, first)
        .where(index.indisvalid)
    )


def _rows_counted() -> Statement:
    """(table, rows) as the planner's statistics have it; a table never analysed has -1."""
    wanted = (
        func.unnest(cast(list(metadata.tables), ARRAY(Text))).table_valued("name").render_derived("wanted")
    )
    of_wanted = _classes.c.oid == func.to_regclass(wanted.c.name)
    return select(wanted.c.name, _classes.c.reltuples).select_from(wanted).join(_classes, of_wanted)


_STATEMENT = _columns_found()
_INDEXES = _indexes_found()
_ROWS = _rows_counted()


async def findings(database: Database) -> Sequence[Finding]:
    """What is missing in the database; nothing when all is well. Raises DatabaseError."""
    readable: dict[str, dict[str, bool]] = {}
    encodings: set[str] = set()
    for name, column_name, may_read, encoding in await database.rows(_STATEMENT):
        readable.setdefault(name, {})[column_name] = may_read
        encodings.add(encoding)
    found = [Finding("wrong_encoding", encoding) for encoding in encodings if encoding != ENCODING]
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


async def without_index(database: Database) -> Sequence[tuple[str, str]]:
    """Those of READS that no index serves, whatever it may be called. Raises DatabaseError."""
    served = {
        (name, read)
        for name, whole, first_column, definition in await database.rows(_INDEXES)
        for read, does in (
            ("window", whole and first_column == "created_at"),
            # In the form that the statements have, or PostgreSQL does not take it for the same.
            ("failures", "lower((status)::text)" in definition),
        )
        if does
    }
    return [read for read in READS if read not in served]


async def row_counts(database: Database) -> dict[str, int]:
    """About how many rows each table has, by its name. Raises DatabaseError."""
    return {name: max(0, round(rows)) for name, rows in await database.rows(_ROWS)}
