"""The figures of a summary as one would ask PostgreSQL for them by hand, in several ways each.

It is what a cold summary is measured against, so it is written to be quick: no day cells, nothing that
a summary does not show. $1 is the window's first instant.
"""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

import asyncpg

from service.sources.expressions import WHITE_SPACE

Rows: TypeAlias = list[asyncpg.Record]
# One section: the statements that give its figures, run one after another.
Way: TypeAlias = Sequence[str]

_SPACE = "E'" + "".join(f"\\u{ord(character):04x}" for character in WHITE_SPACE) + "'"
_STATUS = "lower(coalesce(nullif(status, ''), 'unknown'))"
_JOBS = r"""FROM meta_conversion_jobs WHERE created_at >= $1 AND task_type LIKE 'document\_sync\_%'"""
_RUNS = "FROM meta_workflow_custom_action_runs WHERE created_at >= $1"
_INCIDENTS = "FROM meta_breakage_incidents WHERE created_at >= $1"
_DEAD = "max_attempts > 0 AND coalesce(attempt_count, 0) >= max_attempts"
_NO_CODE = """('null', 'false', '0', '""')"""
_AXES = f"""{_STATUS} AS status, lower(coalesce(nullif(severity, ''), 'unknown')) AS severity,
    coalesce(nullif(responsibility, ''), 'unassigned') AS responsibility"""
_DESCRIPTION = f"lower(btrim(description, {_SPACE}))"

JOBS: Sequence[Way] = (
    (
        f"""SELECT {_STATUS} AS status, count(*) AS total, sum(attempt_count) AS attempts,
            count(*) FILTER (WHERE {_DEAD} AND lower(status) = 'failed') AS dead {_JOBS} GROUP BY 1""",
    ),
    (
        f"""SELECT {_STATUS} AS status, sum(total) AS total, sum(attempts) AS attempts,
            sum(dead) FILTER (WHERE lower(status) = 'failed') AS dead FROM (
            SELECT status, count(*) AS total, sum(attempt_count) AS attempts,
            count(*) FILTER (WHERE {_DEAD}) AS dead {_JOBS} GROUP BY 1) AS cells GROUP BY 1""",
    ),
)
RUNS: Sequence[Way] = (
    (
        f"""SELECT {_STATUS} AS status, CASE WHEN jsonb_typeof(result) = 'object' THEN
            CASE WHEN coalesce((result -> 'result_code')::text, 'null') IN {_NO_CODE} THEN 'UNKNOWN'
            ELSE result ->> 'result_code' END END AS code, count(*) AS total {_RUNS} GROUP BY 1, 2""",
    ),
    (
        f"""SELECT {_STATUS} AS status, CASE WHEN code IN {_NO_CODE} THEN 'UNKNOWN'
            ELSE jsonb_build_array(code::jsonb) ->> 0 END AS code, sum(total) AS total FROM (
            SELECT status, coalesce((result -> 'result_code')::text,
            CASE WHEN jsonb_typeof(result) = 'object' THEN 'null' END) AS code, count(*) AS total
            {_RUNS} GROUP BY 1, 2) AS cells GROUP BY 1, 2""",
    ),
    (
        f"""SELECT {_STATUS} AS status, CASE WHEN nothing THEN 'UNKNOWN' ELSE code END AS code,
            sum(total) AS total FROM (
            SELECT status, code, CASE WHEN code IS NULL THEN jsonb_typeof(result) = 'object'
            WHEN code < '1' OR code = 'false' THEN result -> 'result_code' IN ('0', 'false', '""')
            END AS nothing, count(*) AS total FROM (
            SELECT status, result, result ->> 'result_code' AS code {_RUNS} OFFSET 0) AS runs
            GROUP BY 1, 2, 3) AS cells GROUP BY 1, 2""",
    ),
)
INCIDENTS: Sequence[Way] = (
    (
        f"SELECT {_AXES}, count(*) AS total {_INCIDENTS} GROUP BY 1, 2, 3",
        f"""SELECT sum(total) AS repeated FROM (SELECT count(*) AS total {_INCIDENTS}
            AND btrim(description, {_SPACE}) <> '' GROUP BY {_DESCRIPTION} HAVING count(*) > 1) AS groups""",
    ),
    (
        f"""SELECT status, severity, responsibility, sum(total) AS total, description IS NOT NULL AS repeats
            FROM (SELECT {_AXES}, {_DESCRIPTION} AS description, count(*) AS total {_INCIDENTS}
            GROUP BY GROUPING SETS ((1, 2, 3), (4))) AS groups
            WHERE description IS NULL OR (description <> '' AND total > 1) GROUP BY 1, 2, 3, 5""",
    ),
)
_KEY = f"""CASE jsonb_typeof(template -> 'key') WHEN 'string' THEN btrim(template ->> 'key', {_SPACE})
    WHEN 'number' THEN template ->> 'key' END"""
_FALSY = """('null', 'false', '0', '""', '[]', '{{}}')"""
_VERSIONS = f"""SELECT {_KEY} AS key, template -> 'is_active' NOT IN {_FALSY} AS active FROM (
    SELECT properties -> 'template' AS template FROM meta_consumption_plans {{fence}}) AS documents
    WHERE template -> 'is_template_version' NOT IN {_FALSY} {{fence}}"""
TEMPLATES: Sequence[Way] = tuple(
    (
        f"""SELECT key, count(*) AS versions, count(*) FILTER (WHERE active) AS active
            FROM ({_VERSIONS.format(fence=fence)}) AS versions WHERE key <> '' GROUP BY 1""",
    )
    for fence in ("", "OFFSET 0")
)
SECTIONS = (JOBS, RUNS, INCIDENTS, TEMPLATES)


async def best_ways(connection: asyncpg.Connection, since: datetime, repeats: int = 3) -> list[Way]:
    """Of each section the way that is quickest here and for this window."""
    best = []
    for ways in SECTIONS:
        taken = {}
        for way in ways:
            taken[way] = min([(await timed(connection, [way], since))[0] for _ in range(repeats)])
        best.append(min(taken, key=taken.__getitem__))
    return best


async def timed(
    connection: asyncpg.Connection, ways: Sequence[Way], since: datetime
) -> tuple[float, list[Rows]]:
    """The seconds of all statements one after another, and their rows."""
    started = time.perf_counter()
    rows = []
    for statement in [statement for way in ways for statement in way]:
        arguments = (since,) if "$1" in statement else ()
        rows.append(await connection.fetch(statement, *arguments))
    return time.perf_counter() - started, rows
