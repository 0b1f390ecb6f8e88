"""Hypothesis strategies: whole databases and what is asked of them, nasty by design.

Values come from short lists of troublemakers, so that filters, maps and groups meet often. Text keeps to
letters whose lower case PostgreSQL's C.UTF-8 and Python agree on; NUL and lone surrogates cannot be stored.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Final, TypeVar

from hypothesis import strategies as st

from tests.oracle import NO_OVERLAY, Query, site_of, template_versions
from tests.support import builders
from tests.support.builders import INFINITY, SQL_NULL, Database, RawJson, Row, SqlNull, raw
from tests.support.troublemakers import (
    ALPHABET,
    DESCRIPTIONS,
    ID_STARTS,
    INTEGERS,
    NAMES,
    NEITHER,
    NUMBERS,
    ODD_DOCUMENTS,
    ODD_TEMPLATES,
    RESPONSIBILITIES,
    RESULT_CODES,
    SEVERITIES,
    SPACES,
    STATUSES,
    TARGETS,
    TASK_TYPES,
    TEXTS,
    VALUES,
)

T = TypeVar("T")

WINDOWS: Final = (1, 7, 14, 30, 90)
BUCKETS: Final = (1, 7, 14, 30)
DAY: Final = timedelta(days=1)
MICROSECOND: Final = timedelta(microseconds=1)

# An ordinary minute, a leap day, New Year, and both changes of the clock in Europe.
INSTANTS: Final = (
    datetime(2026, 3, 10, 9, 41, tzinfo=UTC),
    datetime(2024, 2, 29, tzinfo=UTC),
    datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2025, 3, 30, 1, 30, tzinfo=UTC),
    datetime(2025, 10, 26, 2, 15, tzinfo=UTC),
)


@dataclass(frozen=True)
class Filters:
    """The three filters as a client sends them; None is a parameter that is not sent."""

    site_id: str | None = None
    target_object: str | None = None
    template_key: str | None = None

    def query(self, window_days: int) -> Query:
        """The oracle's query for one window."""
        return Query(window_days, self.site_id, self.target_object, self.template_key)


@st.composite
def databases(draw: st.DrawFn, instant: datetime) -> Database:
    """Four tables, each of up to about forty rows, that stand around `instant`."""
    return Database(
        jobs=draw(_table(_jobs(instant))),
        runs=draw(_table(_runs(instant))),
        incidents=draw(_table(_incidents(instant))),
        plans=draw(_table(_plans(instant))),
    )


@st.composite
def filters(draw: st.DrawFn, database: Database) -> Filters:
    """Filters drawn from values that the rows have, padded at times, and from values that none has."""
    sites = [site_of(job) for job in database.jobs]
    targets = [run["target_object"] for run in database.runs]
    keys = [key for key, _ in template_versions(database.plans, None)]
    return Filters(draw(_filter(sites)), draw(_filter(targets)), draw(_filter(keys)))


def overlays() -> st.SearchStrategy[dict[str, int]]:
    """Overlay counters, with hit rates on either side of the threshold, of an hour that every window has."""
    counts = st.sampled_from((0, 1, 2, 7, 8, 9, 10, 799, 800, 801, 2**40))
    hours_ago = st.sampled_from((0, 1, 5, 6, 23))
    return st.fixed_dictionaries({**dict.fromkeys(NO_OVERLAY, counts), "hours_ago": hours_ago})


def _filter(existing: Sequence[str | None]) -> st.SearchStrategy[str | None]:
    known = st.sampled_from([value for value in existing if value] or ["none has it"])
    return _weighted(
        (2, st.none()),
        (5, _padded(known)),
        (1, _padded(st.sampled_from(NAMES + TARGETS))),
        (1, _padded(_texts(6))),
        (1, st.just("x" * 200)),
    )


def _table(rows: st.SearchStrategy[Row]) -> st.SearchStrategy[list[Row]]:
    few, many = st.lists(rows, max_size=5), st.lists(rows, min_size=15, max_size=40)
    return _weighted((1, few), (3, many)).map(_numbered)


def _numbered(rows: list[Row]) -> list[Row]:
    """Unique ids whose order, by code points, is that of no language and not that of the rows."""
    return [row | {"id": f"{row['id']}{number}"} for number, row in enumerate(rows)]


def _jobs(instant: datetime) -> st.SearchStrategy[Row]:
    integers = _weighted((9, st.sampled_from(INTEGERS)), (1, st.none()))
    return st.builds(
        builders.job,
        id=st.sampled_from(ID_STARTS),
        task_type=st.sampled_from(TASK_TYPES),
        payload=_payloads(),
        status=_weighted((9, _statuses(20)), (1, st.none())),
        attempt_count=integers,
        max_attempts=integers,
        last_error=st.sampled_from(TEXTS),
        dedupe_key=st.none() | _texts(8),
        created_at=_weighted((19, _created_at(instant)), (1, st.none())),
    )


def _runs(instant: datetime) -> st.SearchStrategy[Row]:
    return st.builds(
        builders.run,
        id=st.sampled_from(ID_STARTS),
        rule_id=_texts(5),
        object_id=_texts(5),
        target_object=st.sampled_from(TARGETS),
        from_state=st.none() | _texts(5),
        to_state=st.none() | _texts(5),
        trigger_phase=st.sampled_from(("before", "after", "")),
        status=_statuses(30),
        attempts=st.sampled_from(INTEGERS),
        last_error=st.sampled_from(TEXTS),
        result=_results(),
        created_at=_created_at(instant),
    )


def _incidents(instant: datetime) -> st.SearchStrategy[Row]:
    blank = st.just("")
    return st.builds(
        builders.incident,
        id=st.sampled_from(ID_STARTS),
        description=_padded(_weighted((8, st.sampled_from(DESCRIPTIONS)), (1, blank), (1, _texts(4)))),
        responsibility=_weighted((9, st.sampled_from(RESPONSIBILITIES)), (1, _texts(4))),
        status=_statuses(30),
        severity=_weighted((9, st.sampled_from(SEVERITIES)), (1, _texts(30))),
        created_at=_created_at(instant),
    )


def _plans(instant: datetime) -> st.SearchStrategy[Row]:
    return st.builds(
        builders.plan,
        id=st.sampled_from(ID_STARTS),
        state=st.sampled_from(("active", "Draft", "")),
        properties=_properties(),
        created_at=_created_at(instant),
    )


def _created_at(instant: datetime) -> st.SearchStrategy[datetime]:
    """Times on the edges of windows, buckets and days, a microsecond beside them, and anywhere."""
    edges = [instant - days * DAY for days in _edge_days()]
    beside = [edge + off for edge, off in product(edges, (-MICROSECOND, MICROSECOND))]
    far = (instant + 400 * DAY, instant - 4000 * DAY, _year(1), _year(9999), INFINITY, INFINITY)
    ago = st.timedeltas(min_value=-DAY, max_value=92 * DAY)
    recently = st.timedeltas(min_value=timedelta(0), max_value=8 * DAY)
    return _weighted(
        (4, st.sampled_from(edges)),
        (4, st.sampled_from(beside)),
        (4, ago.map(instant.__sub__)),
        (4, recently.map(instant.__sub__)),
        (2, st.sampled_from(far)),
    )


def _edge_days() -> list[int]:
    """How many days ago a day, a bucket of any size, or a window begins; and their neighbours."""
    starts = {
        window - days
        for window, bucket in product(WINDOWS, BUCKETS)
        for days in range(0, window, bucket)
        if 1 < bucket <= window
    }
    return sorted(starts | {0, 1, 2, 6, 8, 13, 15, 29, 31, 89, 91})


def _year(number: int) -> datetime:
    return datetime(number, 1, 1, tzinfo=UTC)


def _statuses(max_size: int) -> st.SearchStrategy[str]:
    return _weighted((9, st.sampled_from(STATUSES)), (1, _texts(max_size)))


def _payloads() -> st.SearchStrategy[RawJson]:
    with_site = _names().map('{{"n": 1, "site_id": {}}}'.format)
    return _weighted((9, with_site), (1, st.sampled_from(ODD_DOCUMENTS))).map(raw)


def _results() -> st.SearchStrategy[RawJson | SqlNull]:
    codes = _weighted((9, st.sampled_from(RESULT_CODES)), (1, _texts(5).map(json.dumps)))
    with_code = codes.map('{{"result_code": {}, "x": 1}}'.format)
    documents = _weighted((7, with_code), (2, st.sampled_from(ODD_DOCUMENTS))).map(raw)
    return _weighted((9, documents), (1, st.just(SQL_NULL)))


def _properties() -> st.SearchStrategy[RawJson | SqlNull]:
    flags = _weighted((1, st.just("true")), (1, st.sampled_from(VALUES)))
    template = '{{"key": {}, "is_template_version": {}, "is_active": {}}}'.format
    templates = _weighted(
        (9, st.builds(template, _names(), flags, flags)), (1, st.sampled_from(ODD_TEMPLATES))
    )
    properties = templates.map('{{"template": {}, "n": 1}}'.format)
    documents = _weighted((18, properties), (1, st.sampled_from(ODD_DOCUMENTS))).map(raw)
    return _weighted((19, documents), (1, st.just(SQL_NULL)))


def _names() -> st.SearchStrategy[str]:
    """A site or template key as JSON: strings, numbers, and what is neither."""
    strings = _padded(st.sampled_from(NAMES)).map(json.dumps)
    return _weighted((6, strings), (3, st.sampled_from(NUMBERS)), (1, st.sampled_from(NEITHER)))


def _texts(max_size: int) -> st.SearchStrategy[str]:
    return st.text(ALPHABET, max_size=max_size)


def _padded(text: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    spaces = _weighted((2, st.just("")), (1, st.sampled_from(SPACES)))
    return st.builds("{}{}{}".format, spaces, text, spaces)


def _weighted(*choices: tuple[int, st.SearchStrategy[T]]) -> st.SearchStrategy[T]:
    """One of the strategies, by weight; st.one_of() ignores repeats."""
    by_weight = [number for number, (weight, _) in enumerate(choices) for _ in range(weight)]
    return st.sampled_from(by_weight).flatmap(lambda number: choices[number][1])
