"""Whole random databases: the service answers what a slow, obvious reading of the contract answers.

The run is the same every time. RANDOM_DATABASES=500 makes 500 other databases instead:

    RANDOM_DATABASES=500 pytest tests/integration/test_random_databases.py
"""

import csv
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pprint import pformat
from typing import Any

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from tests import oracle
from tests.oracle import NO_OVERLAY, Buckets, Document, Overlay
from tests.support.builders import Database, clear, insert
from tests.support.strategies import BUCKETS, INSTANTS, WINDOWS, Filters, databases, filters, overlays

Serve = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
Parameters = dict[str, str | float]

CSV: Parameters = {"export_format": "csv"}
FRESH = int(os.environ.get("RANDOM_DATABASES", "0"))
LEVELS = (None, "warn", " Critical ", "info", "\t")
SHARES = st.sampled_from((0, 1, 0.02, 0.05, 0.3, 0.5, 0.8, 1e-9))
OVERRIDES: dict[str, st.SearchStrategy[float]] = {
    "overlay_cache_hit_rate_warn": SHARES,
    "overlay_cache_min_requests_warn": st.sampled_from((0, 1, 16, 10**20)),
    "doc_sync_dead_letter_rate_warn": SHARES,
    "workflow_failed_rate_warn": SHARES,
    "breakage_open_rate_warn": SHARES,
}


@dataclass(frozen=True)
class Case:
    """A database, the instant it is looked at, and what is asked of it in every window."""

    instant: datetime
    rows: Database
    overlay: Overlay
    filters: Filters
    overrides: oracle.Overrides
    level: str | None
    page: int
    page_size: int


@dataclass(frozen=True)
class Question:
    """One request and the answer that the contract gives."""

    path: str
    parameters: Parameters
    answer: Document | list[list[str]] = field(repr=False)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Everything that one example needs."""
    instant = draw(st.sampled_from(INSTANTS))
    rows = draw(databases(instant))
    return Case(
        instant=instant,
        rows=rows,
        overlay=draw(overlays()),
        filters=draw(filters(rows)),
        overrides=draw(st.fixed_dictionaries({}, optional=OVERRIDES)),
        level=draw(st.sampled_from(LEVELS)),
        page=draw(st.sampled_from((1, 1, 1, 2, 3, 10**12))),
        page_size=draw(st.sampled_from((20, 20, 1, 2, 3, 200))),
    )


# The fixtures outlive an example on purpose: each one empties the tables and starts the service anew.
@settings(
    max_examples=FRESH or 20,
    derandomize=not FRESH,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(case=cases())
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@pytest.mark.timeout(3600)  # hypothesis may take minutes to make a failing database small
async def test_every_answer_is_the_contracts(
    database: asyncpg.Connection, redis: Redis, serve: Serve, case: Case
) -> None:
    note(pformat(case, width=110))  # easier to read than hypothesis's own report, which is one line
    await clear(database)
    await insert(database, case.rows)
    async with serve(instant=case.instant) as client:
        await count_lookups(redis, case.overlay, case.instant)
        answers = [(question, await ask(client, question)) for question in questions(case)]
    for question, response in answers:
        assert response.status_code == 200, (question, response.text)
        answer = said(response)
        if json.dumps(answer) != json.dumps(question.answer):
            assert written(answer) == written(question.answer), question


async def ask(client: httpx.AsyncClient, question: Question) -> httpx.Response:
    """What the service answers."""
    return await client.get("/api/v1/parallel-ops" + question.path, params=question.parameters)


def said(response: httpx.Response) -> Any:  # noqa: ANN401 - any JSON, or rows
    """What an answer says: its JSON, or the rows of its csv."""
    if response.headers["content-type"].startswith("text/csv"):
        return list(csv.reader(io.StringIO(response.text, newline=""), strict=True))
    return response.json()


def written(answer: object) -> str:
    """An answer as text, so that the order of keys counts and 1 is not 1.0."""
    return json.dumps(answer, indent=1, ensure_ascii=False)


async def count_lookups(redis: Redis, overlay: Overlay, instant: datetime) -> None:
    """Leave overlay counters in an hour that every window overlaps, by way of section 6's keys."""
    hour = instant - timedelta(hours=overlay["hours_ago"])
    fields = ("hits", "misses", "evictions")
    counts: Mapping[Any, Any] = {f"{hour:%H}:{name}": overlay[name] for name in fields}
    await redis.hset(f"parallel-ops:{{-}}:overlay:counts:{hour:%Y-%m-%d}", mapping=counts)
    process: Mapping[Any, Any] = {name: overlay[name] for name in NO_OVERLAY if name not in fields}
    await redis.hset("parallel-ops:{-}:overlay:process:p1", mapping=process)


def questions(case: Case) -> Iterator[Question]:
    """Every window and every bucket size, with the filters and overrides and without."""
    for chosen, overrides in ((Filters(), {}), (case.filters, case.overrides)):
        asked = parameters(site_id=chosen.site_id, target_object=chosen.target_object)
        answer = oracle.budgets(case.rows, case.instant, case.overlay, chosen.query(30))
        yield Question("/budgets", asked, answer)
        for window_days in WINDOWS:
            yield from overview_questions(case, chosen, overrides, window_days)
            yield from failure_questions(case, chosen, window_days)


def overview_questions(
    case: Case, chosen: Filters, overrides: oracle.Overrides, window_days: int
) -> Iterator[Question]:
    """Summary, alerts and the trends of every bucket size that the window allows; the largest as a file."""
    limits = oracle.overridden(oracle.DEFAULT_THRESHOLDS, overrides)
    about = (case.rows, case.instant, case.overlay, chosen.query(window_days))
    asked = parameters(
        window_days=window_days,
        site_id=chosen.site_id,
        target_object=chosen.target_object,
        template_key=chosen.template_key,
    )
    summary, judged = oracle.summary(*about, limits), {**asked, **overrides}
    yield Question("/summary", judged, summary)
    yield Question("/summary/export", judged | CSV, oracle.summary_csv(summary))
    alerts = oracle.alerts(*about, case.level, thresholds=limits)
    yield Question("/alerts", judged | parameters(level=case.level), alerts)
    for bucket_days in BUCKETS:
        if bucket_days <= window_days:
            trends, cut = oracle.trends(*about, Buckets(bucket_days)), asked | {"bucket_days": bucket_days}
            yield Question("/trends", cut, trends)
    yield Question("/trends/export", cut | CSV, oracle.trends_csv(trends))
    if window_days <= 7:
        yield Question("/trends", asked | {"bucket_hours": 6}, oracle.trends(*about, Buckets(hours=6)))
    yield Question("/trends", asked | {"align": "clock"}, oracle.trends(*about, Buckets(by_clock=True)))


def failure_questions(case: Case, chosen: Filters, window_days: int) -> Iterator[Question]:
    """One page of each kind of failures."""
    about = (case.rows, case.instant, chosen.query(window_days), case.page, case.page_size)
    page = parameters(window_days=window_days, page=case.page, page_size=case.page_size)
    asked = page | parameters(site_id=chosen.site_id)
    yield Question("/doc-sync/failures", asked, oracle.doc_sync_failures(*about))
    asked = page | parameters(target_object=chosen.target_object)
    yield Question("/workflow/failures", asked, oracle.workflow_failures(*about))


def parameters(**values: str | int | None) -> Parameters:
    """The parameters that are sent: those that are not None."""
    return {name: value for name, value in values.items() if value is not None}
