"""Rows for tests: small builders, a database of them, and the way into the real tables.

A row is a dict whose keys are column names. JSON columns hold JSON *text*, because jsonb tells 7 from
7.0 and Python's json does not; None is SQL's null and the text `null` is JSON's. Builders take any
Python value for a JSON column, `raw(...)` for JSON text, and SQL_NULL. created_at is naive UTC.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final

import asyncpg

Row = dict[str, Any]

DEFAULT_CREATED_AT: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
INFINITY: Final = datetime.max  # noqa: DTZ901 - asyncpg's name for PostgreSQL's infinity
_numbers = count(1)


class RawJson(str):
    """JSON text that goes into a column as it is written."""

    __slots__ = ()


class SqlNull:
    """The type of SQL_NULL."""


SQL_NULL: Final = SqlNull()


@dataclass
class Database:
    """The rows of the four tables that the service reads."""

    jobs: list[Row] = field(default_factory=list)
    runs: list[Row] = field(default_factory=list)
    incidents: list[Row] = field(default_factory=list)
    plans: list[Row] = field(default_factory=list)


def raw(text: str) -> RawJson:
    """JSON text for a JSON column, where its spelling matters: raw('{"site_id": 1e2}')."""
    return RawJson(text)


def job(**overrides: object) -> Row:
    """A completed document sync job of site S1."""
    defaults: Row = {
        "id": _unique("job"),
        "task_type": "document_sync_push",
        "payload": {"site_id": "S1"},
        "status": "completed",
        "attempt_count": 1,
        "max_attempts": 3,
        "last_error": None,
        "dedupe_key": None,
        "created_at": DEFAULT_CREATED_AT,
    }
    return _row(defaults, overrides, json_column="payload")


def run(**overrides: object) -> Row:
    """A completed workflow action run on a Part, with result code OK."""
    defaults: Row = {
        "id": _unique("run"),
        "rule_id": "rule-1",
        "object_id": "object-1",
        "target_object": "Part",
        "from_state": None,
        "to_state": None,
        "trigger_phase": "after",
        "status": "completed",
        "attempts": 1,
        "last_error": None,
        "result": {"result_code": "OK"},
        "created_at": DEFAULT_CREATED_AT,
    }
    return _row(defaults, overrides, json_column="result")


def incident(**overrides: object) -> Row:
    """A closed incident with a description of its own, so that it repeats no other."""
    number = _unique("incident")
    defaults: Row = {
        "id": number,
        "description": f"Broken: {number}",
        "responsibility": None,
        "status": "closed",
        "severity": "minor",
        "created_at": DEFAULT_CREATED_AT,
    }
    return _row(defaults, overrides)


def plan(**overrides: object) -> Row:
    """A consumption plan that is no template version."""
    defaults: Row = {
        "id": _unique("plan"),
        "state": "active",
        "properties": SQL_NULL,
        "created_at": DEFAULT_CREATED_AT,
    }
    return _row(defaults, overrides, json_column="properties")


def template(key: object, version: object = True, active: object = False, **overrides: object) -> Row:
    """A consumption plan that holds a template version."""
    value = {"key": key, "is_template_version": version, "is_active": active}
    return plan(properties={"template": value}, **overrides)


async def insert(connection: asyncpg.Connection, database: Database) -> None:
    """Write all rows to the real tables, with one COPY a table."""
    for table, rows in _tables(database).items():
        if rows:
            columns = list(rows[0])
            records = [[row[column] for column in columns] for row in rows]
            await connection.copy_records_to_table(table, records=records, columns=columns)


async def clear(connection: asyncpg.Connection) -> None:
    """Empty the tables; one that nothing was written to since costs nothing."""
    written = (
        "SELECT array_agg(name) FROM unnest($1::text[]) AS name WHERE pg_relation_size(name::regclass) > 0"
    )
    tables = await connection.fetchval(written, list(_tables(Database())))
    if tables:
        await connection.execute("TRUNCATE " + ", ".join(tables))


def _tables(database: Database) -> dict[str, list[Row]]:
    return {
        "meta_conversion_jobs": database.jobs,
        "meta_workflow_custom_action_runs": database.runs,
        "meta_breakage_incidents": database.incidents,
        "meta_consumption_plans": database.plans,
    }


def _unique(prefix: str) -> str:
    return f"{prefix}-{next(_numbers):08d}"


def _row(defaults: Row, overrides: Row, json_column: str | None = None) -> Row:
    unknown = overrides.keys() - defaults.keys()
    if unknown:
        raise TypeError(f"no such column: {', '.join(sorted(unknown))}")
    row = defaults | overrides
    row["created_at"] = _naive_utc(row["created_at"])
    if json_column:
        row[json_column] = _json_text(row[json_column])
    return row


def _naive_utc(created_at: datetime | None) -> datetime | None:
    if created_at is None or created_at.tzinfo is None:
        return created_at
    return created_at.astimezone(UTC).replace(tzinfo=None)


def _json_text(value: object) -> str | None:
    if isinstance(value, SqlNull):
        return None
    return str(value) if isinstance(value, RawJson) else json.dumps(value)
