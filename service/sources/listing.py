"""Rows as lists have them: the newest first, cut into pages by the database."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, case, func, literal
from sqlalchemy.dialects.postgresql import TIMESTAMP

from service.overview.bounds import MAX_ERROR_LENGTH, shortened
from service.overview.query import PageQuery
from service.sources.database import Record, Records, Statement
from service.sources.expressions import count

# The largest OFFSET that PostgreSQL takes; a page beyond it is as empty as any past the end.
MAX_OFFSET = 2**63 - 1
# Python knows no later year; PostgreSQL does, and `infinity` too.
_LAST = literal(datetime(9999, 12, 31, 23, 59, 59), TIMESTAMP())  # noqa: DTZ001

Rows = Select[*tuple[Any, ...]]


def page_of(found: Rows, query: PageQuery) -> Subquery:
    """The rows of a page, so that what is made of a row is made of those alone."""
    offset = min((query.page - 1) * query.page_size, MAX_OFFSET)
    return newest(found, query.page_size, offset).subquery("page")


def newest(found: Rows, limit: int, offset: int = 0) -> Rows:
    """So many of the rows, the newest first."""
    return found.order_by(*newest_first(found.selected_columns)).limit(limit).offset(offset)


def newest_first(columns: Any) -> tuple[ColumnElement[Any], ColumnElement[Any]]:  # noqa: ANN401
    """How lists are sorted. Ties go by code points, whatever the database's collation is."""
    return columns.created_at.desc(), columns.id.collate("C").desc()


def counted(found: Rows) -> Statement:
    """How many rows there are."""
    return found.with_only_columns(count(), maintain_column_froms=True)


def only(rows: Records) -> int:
    """The one number of a statement that counts."""
    return int(rows[0][0])


def beginning(text: ColumnElement[Any], name: str) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """What is told of a long text, under that name, and its length; the rest stays in the database."""
    return func.left(text, MAX_ERROR_LENGTH).label(name), func.char_length(text).label("length")


def representable(created_at: ColumnElement[Any]) -> ColumnElement[Any]:
    """A row's date, null for one past the year 9999."""
    return case((created_at <= _LAST, created_at)).label("created_at")


def fields_of(row: Record, long: str) -> dict[str, Any]:
    """The fields that a row's columns make; `long` is the text of which the beginning is told."""
    found = {**row._mapping, "created_at": _utc(row.created_at)}
    found[long] = shortened(found[long], found.pop("length"))
    return found


def _utc(created_at: datetime | None) -> datetime | None:
    return created_at and created_at.replace(tzinfo=UTC)
