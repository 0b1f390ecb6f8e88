"""The figures of a summary as one would ask PostgreSQL for them by hand, in several ways each.

It is what a cold summary is measured against, so it is written to be quick: no day cells, nothing that
a summary does not show, and not since which hour its hints are. $1 is the window's first instant, $2 that
of the window before it, or the same where that is not told.
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
# $1 and $2.
Times: TypeAlias = tuple[datetime, datetime]

_SPACE = "E'" + "".join(f"\\u{ord(character):04x}" for character in WHITE_SPACE) + "'"
_STATUS = "lower(coalesce(nullif(status, ''), 'unknown'))"
_IS_NOW = "created_at >= $1 AS is_now"
_JOBS = r"""FROM meta_conversion_jobs WHERE created_at >= $2 AND task_type LIKE 'document\_sync\_%'"""
_RUNS = "FROM meta_workflow_custom_action_runs WHERE created_at >= $2"
_INCIDENTS = "FROM meta_breakage_incidents WHERE created_at >="
_DEAD = "max_attempts > 0 AND coalesce(attempt_count, 0) >= max_attempts"
_SITE = """CASE WHEN kind IS DISTINCT FROM 'none' THEN btrim(site, {space}) END"""
_TOLD, _KIND = f"lower(btrim(told, {_SPACE}))", "substr(lower(task_type), 15)"
_DIRECTION = f"""CASE WHEN {_TOLD} IN ('push', 'pull') THEN {_TOLD}
    WHEN {_KIND} IN ('push', 'pull') THEN {_KIND} ELSE 'unknown' END"""
_JOB_AXES = """status, payload ->> 'site_id' AS site, payload ->> 'direction' AS told, task_type,
    CASE WHEN left(payload ->> 'site_id', 1) IN ('t', 'f', '[', '{') AND
    jsonb_typeof(payload -> 'site_id') <> 'string' THEN 'none' END AS kind"""
_NO_CODE = """('null', 'false', '0', '""')"""
_AXES = f"""{_STATUS} AS status, lower(coalesce(nullif(severity, ''), 'unknown')) AS severity,
    coalesce(nullif(responsibility, ''), 'unassigned') AS responsibility"""
_DESCRIPTION = f"lower(btrim(description, {_SPACE}))"


def _jobs(rows: str) -> Way:
    """The groups of these rows, of which only the few are worked up."""
    return (
        f"""SELECT is_now, {_STATUS} AS status, {_SITE.format(space=_SPACE)} AS site,
            {_DIRECTION} AS direction,
            sum(total) AS total, sum(attempts) AS attempts,
            sum(dead) FILTER (WHERE lower(status) = 'failed') AS dead FROM (
            SELECT is_now, status, site, told, task_type, kind, count(*) AS total,
            sum(attempt_count) AS attempts, count(*) FILTER (WHERE {_DEAD}) AS dead
            FROM ({rows}) AS rows GROUP BY 1, 2, 3, 4, 5, 6) AS cells GROUP BY 1, 2, 3, 4""",
    )


_JOB_ROWS = f"SELECT {_IS_NOW}, {_JOB_AXES}, attempt_count, max_attempts {_JOBS}"
JOBS: Sequence[Way] = (_jobs(_JOB_ROWS), _jobs(f"{_JOB_ROWS} OFFSET 0"))
RUNS: Sequence[Way] = (
    (
        f"""SELECT {_IS_NOW}, target_object AS target, {_STATUS} AS status,
            CASE WHEN jsonb_typeof(result) = 'object' THEN
            CASE WHEN coalesce((result -> 'result_code')::text, 'null') IN {_NO_CODE} THEN 'UNKNOWN'
            ELSE result ->> 'result_code' END END AS code, count(*) AS total {_RUNS} GROUP BY 1, 2, 3, 4""",
    ),
    (
        f"""SELECT is_now, target, {_STATUS} AS status,
            CASE WHEN nothing THEN 'UNKNOWN' ELSE code END AS code, sum(total) AS total FROM (
            SELECT is_now, target, status, code, CASE WHEN code IS NULL THEN jsonb_typeof(result) = 'object'
            WHEN code < '1' OR code = 'false' THEN result -> 'result_code' IN ('0', 'false', '""')
            END AS nothing, count(*) AS total FROM (
            SELECT {_IS_NOW}, target_object AS target, status, result, result ->> 'result_code' AS code
            {_RUNS} OFFSET 0) AS runs GROUP BY 1, 2, 3, 4, 5) AS cells GROUP BY 1, 2, 3, 4""",
    ),
)
INCIDENTS: Sequence[Way] = (
    (
        f"SELECT {_IS_NOW}, {_AXES}, count(*) AS total {_INCIDENTS} $2 GROUP BY 1, 2, 3, 4",
        f"""SELECT sum(total) AS repeated FROM (SELECT count(*) AS total {_INCIDENTS} $1
            AND btrim(description, {_SPACE}) <> '' GROUP BY {_DESCRIPTION} HAVING count(*) > 1) AS groups""",
    ),
    (
        f"""SELECT is_now, status, severity, responsibility, sum(total) AS total,
            description IS NOT NULL AS repeats FROM (
            SELECT {_IS_NOW}, {_AXES}, {_DESCRIPTION} AS description, count(*) AS total {_INCIDENTS} $2
            GROUP BY GROUPING SETS ((1, 2, 3, 4), (1, 5))) AS groups
            WHERE description IS NULL OR (description <> '' AND total > 1) GROUP BY 1, 2, 3, 4, 6""",
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


async def best_ways(connection: asyncpg.Connection, times: Times, repeats: int = 3) -> list[Way]:
    """Of each section the way that is quickest here and for this window."""
    best = []
    for ways in SECTIONS:
        taken = {}
        for way in ways:
            taken[way] = min([(await timed(connection, [way], times))[0] for _ in range(repeats)])
        best.append(min(taken, key=taken.__getitem__))
    return best


async def timed(
    connection: asyncpg.Connection, ways: Sequence[Way], times: Times
) -> tuple[float, list[Rows]]:
    """The seconds of all statements one after another, and their rows."""
    started = time.perf_counter()
    rows = []
    for statement in [statement for way in ways for statement in way]:
        used = times if "$2" in statement else times[:1] if "$1" in statement else ()
        rows.append(await connection.fetch(statement, *used))
    return time.perf_counter() - started, rows
