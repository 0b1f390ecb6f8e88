"""A cold summary over HTTP against the same figures by hand-written SQL, one after another.

The service keeps nothing from one second to the next, so every answer is a miss: leases, the statements, the
readings and their sums, what Redis is told, and the encoding are all in its time. The hand has one
connection, which is open and warm, and the best of several ways for each section. Both figures are
compared first.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg
import httpx
from msgspec import Struct

from benchmarks.handwritten import SECTIONS, Rows, Times, best_ways, timed
from benchmarks.report import Table, spread
from benchmarks.stage import USUAL, Service, Stage, service, stage
from demo.seed import Counts
from service.api.table import PREFIX
from service.overview.query import WINDOW_DAYS
from tests.support.tokens import bearer, token
from tests.support.waiting import until

SUMMARY = f"{PREFIX}/summary"
ROUNDS = 9
BEFORE = ("doc_sync", "workflow_actions", "breakages")
TENFOLD = Counts(*(10 * rows for rows in (USUAL.jobs, USUAL.runs, USUAL.incidents, USUAL.plans)))
# Nothing older than a tick may be served, and a tick is a second.
FORGETFUL = {
    "refresh_seconds": "1",
    "stale_seconds": "0.001",
    "max_stale_seconds": "0.001",
    "old_days_seconds": "1",
}
# Between two statements of a pass over all days the service makes readings, for some tenths of a second.
QUIET = """
SELECT count(*) = 0 FROM pg_stat_activity
WHERE application_name = 'parallel-ops'
AND (state <> 'idle' OR state_change > clock_timestamp() - interval '0.5 seconds')
"""


class Pair(Struct, frozen=True):
    """Seconds of one cold answer and of the same figures by hand."""

    ours: float
    by_hand: float


def run() -> Table:
    """Milliseconds of both, for every window and two sizes."""
    rows = []
    for counts in (USUAL, TENFOLD):
        with stage(counts) as servers, service(servers, FORGETFUL) as cold:
            for days, pairs in asyncio.run(measure(servers, cold)).items():
                rows.append((f"{counts.jobs:,}", f"{days} days", *row(pairs)))
    return Table(
        ("jobs, runs", "window", "cold summary, ms", "by hand, ms", "ratio"),
        rows,
        [f"{ROUNDS} rounds, in turn. No index but the PLM's own; all rows in PostgreSQL's memory."],
    )


def row(pairs: Sequence[Pair]) -> tuple[str, str, str]:
    """The figures of one window."""
    return (
        spread([1000 * pair.ours for pair in pairs], ".0f"),
        spread([1000 * pair.by_hand for pair in pairs], ".0f"),
        f"**{spread([pair.ours / pair.by_hand for pair in pairs])}**",
    )


async def measure(servers: Stage, cold: Service, rounds: int = ROUNDS) -> dict[int, list[Pair]]:
    """The pairs of every window."""
    connection = await asyncpg.connect(servers.settings.database_url)
    headers = bearer(token())
    try:
        async with httpx.AsyncClient(base_url=cold.url, headers=headers, timeout=120) as client:
            await missed(client, WINDOW_DAYS[-1])  # opens the connections
            return {days: await _pairs(connection, client, days, rounds) for days in WINDOW_DAYS}
    finally:
        await connection.close()


async def _pairs(
    connection: asyncpg.Connection, client: httpx.AsyncClient, days: int, rounds: int
) -> list[Pair]:
    _, summary = await missed(client, days)
    await quiet(connection)
    ways = await best_ways(connection, _times(summary))
    _, rows = await timed(connection, ways, _times(summary))
    _compare(summary, rows)
    pairs = []
    for _ in range(rounds):
        seconds, summary = await missed(client, days)
        await quiet(connection)
        by_hand, _ = await timed(connection, ways, _times(summary))
        pairs.append(Pair(seconds, by_hand))
    return pairs


async def missed(client: httpx.AsyncClient, days: int) -> tuple[float, dict[str, Any]]:
    """The seconds of a cold summary, and the summary."""
    await asyncio.sleep(1.02 - time.time() % 1)  # a little into the next tick
    started = time.perf_counter()
    answer = await client.get(SUMMARY, params={"window_days": days})
    seconds = time.perf_counter() - started
    assert answer.raise_for_status().headers["x-cache"] == "miss"
    return seconds, answer.json()


async def quiet(connection: asyncpg.Connection) -> None:
    """Wait until the service has read what it reads behind an answer: the days that were not asked for."""

    async def is_quiet() -> bool:
        return bool(await connection.fetchval(QUIET))

    await until(is_quiet, 120)


def _times(summary: dict[str, Any]) -> Times:
    """Where the window begins, and the one before it."""
    begins = (each["window_since"] for each in (summary, summary["previous"] or summary))
    since, before = (datetime.fromisoformat(each).replace(tzinfo=None) for each in begins)
    return since, before


def _compare(summary: dict[str, Any], results: list[Rows]) -> None:
    """Both must say the same, or there is nothing to compare."""
    *counted, again, templates = results if len(results) > len(SECTIONS) else (*results[:3], [], results[3])
    (jobs, jobs_before), (runs, runs_before), (incidents, incidents_before) = map(_by_window, counted)
    by_hand = {
        "doc_sync.by_status": _sums(jobs, "status"),
        "doc_sync.by_direction": _sums(jobs, "direction"),
        "doc_sync.dead_letter_total": _dead(jobs),
        "workflow_actions.by_status": _sums(runs, "status"),
        "workflow_actions.by_result_code": _sums(runs, "code"),
        "breakages.by_status": _sums(incidents, "status"),
        "breakages.by_severity": _sums(incidents, "severity"),
        "breakages.by_responsibility": _sums(incidents, "responsibility"),
        "breakages.repeated_total": sum(row["repeated"] for row in again)
        or sum(row["total"] for row in incidents if row.get("repeats")),
        "consumption_templates.versions_total": sum(row["versions"] for row in templates),
        "consumption_templates.active_versions_total": sum(row["active"] for row in templates),
    }
    for path, figure in by_hand.items():
        section, field = path.split(".")
        assert summary[section][field] == figure, (path, summary[section][field], figure)
    actions = summary["workflow_actions"]
    for axis, told, rows in (
        ("site", {row["site_id"]: row["total"] for row in summary["doc_sync"]["by_site"]}, jobs),
        ("target", {row["target_object"]: row["total"] for row in actions["by_target_object"]}, runs),
    ):
        told.pop(None, None)
        assert told.items() <= _sums(rows, axis).items(), axis
    if summary["previous"]:
        before = {name: figures["total"] for name, figures in summary["previous"].items() if name in BEFORE}
        totals = [_total(rows) for rows in (jobs_before, runs_before, incidents_before)]
        assert before == dict(zip(BEFORE, totals, strict=True))
        assert summary["previous"]["doc_sync"]["dead_letter_total"] == _dead(jobs_before)


def _by_window(rows: Rows) -> tuple[Rows, Rows]:
    """The groups of the window, and of the one before it."""
    return [row for row in rows if row["is_now"]], [row for row in rows if not row["is_now"]]


def _dead(rows: Rows) -> int:
    return int(sum(row["dead"] or 0 for row in rows))


def _total(rows: Rows) -> int:
    return int(sum(row["total"] for row in rows if not row.get("repeats")))


def _sums(rows: Rows, axis: str) -> dict[str, int]:
    """How many rows there are of each value of an axis; of one that is null none are told."""
    sums: Counter[str] = Counter()
    for row in rows:
        if row[axis] is not None:
            sums[row[axis]] += int(row["total"])
    return dict(sorted(sums.items()))
