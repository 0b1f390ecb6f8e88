"""What a statement's rows make of a day, and what sums over days make of a section."""

from typing import Any, NamedTuple

import pytest

from service.overview.sections import (
    Breakages,
    BreakagesDay,
    DocSync,
    DocSyncDay,
    WorkflowActions,
    WorkflowActionsDay,
)
from service.readings.grid import Grid, Window
from service.readings.reading import StoredDay
from service.readings.sums import Sums
from service.readings.tables import DAY_TABLES, INCIDENTS, JOBS, RUNS, DayTable, names_apart, span_of
from service.sources.span import Span

TICK = 20_000 * 86_400 + 43_200
# Two days, the first one cut at noon.
SPAN = Span(19_999, ((43_200,), ()), (10, 10), is_open=True)


class JobsOfADay(NamedTuple):
    """A row of the statement of jobs: of each day an array of each column."""

    day: int
    is_complete: bool
    cells: list[int]
    names: list[str | None]
    statuses: list[str]
    totals: list[int]
    attempts: list[int]
    exhausted: list[int]
    push: list[int]
    pull: list[int]


def test_a_section_is_read_from_its_own_table() -> None:
    assert {section: each.table for section, each in DAY_TABLES.items()} == {
        "doc_sync": "meta_conversion_jobs",
        "workflow_actions": "meta_workflow_custom_action_runs",
        "breakages": "meta_breakage_incidents",
    }
    assert {section: each.section for section, each in DAY_TABLES.items()} == {
        each: each for each in DAY_TABLES
    }


def test_a_day_is_kept_by_name_with_its_labels_once_and_a_day_without_rows_is_empty() -> None:
    row = JobsOfADay(
        *(0, False, [0, 1, 0], ["S1", None, "S1"], ["failed", "completed", "failed"]),
        *([4, 1, 2], [9, 1, 2], [3, 0, 1], [1, 0, 0], [2, 0, 1]),
    )
    first, second = JOBS.stored(SPAN, TICK, [row])  # type: ignore[list-item]
    assert first == StoredDay(
        *(19_999, TICK, (43_200,), False, (("failed",), ("completed",))),
        (("S1", [0, 0, 4, 9, 3, 1, 2, 0, 0, 2, 2, 1, 0, 1]), (None, [1, 1, 1, 1, 0, 0, 0])),
    )
    assert second == StoredDay(20_000, TICK, (), True, (), ())


class RunsOfADay(NamedTuple):
    """A row of the statement of runs."""

    day: int
    is_complete: bool
    cells: list[int]
    names: list[str | None]
    statuses: list[str]
    codes: list[str | None]
    totals: list[int]


class IncidentsOfADay(NamedTuple):
    """A row of the statement of incidents."""

    day: int
    is_complete: bool
    cells: list[int]
    names: list[str | None]
    statuses: list[str | None]
    severities: list[str | None]
    responsibilities: list[str | None]
    totals: list[int]


def test_labels_of_runs_are_statuses_with_codes_and_those_of_incidents_one_of_three() -> None:
    run = RunsOfADay(1, True, [0, 0], ["A", "A"], ["failed", "failed"], ["E1", None], [3, 4])
    _, runs = RUNS.stored(SPAN, TICK, [run])  # type: ignore[list-item]
    assert (runs.labels, runs.rows) == ((("failed", "E1"), ("failed", None)), (("A", [0, 0, 3, 0, 1, 4]),))
    incident = IncidentsOfADay(
        1, True, [0, 0], [None, None], ["open", None], [None, "high"], [None, None], [5, 6]
    )
    _, incidents = INCIDENTS.stored(SPAN, TICK, [incident])  # type: ignore[list-item]
    assert incidents.labels == (("open", None, None), (None, "high", None))
    assert incidents.rows == ((None, [0, 0, 5, 0, 1, 6]),)


def test_figures_of_a_reading_are_in_the_order_of_the_days_fields() -> None:
    rows = (("S1", [0, 0, 4, 9, 3, 1, 2, 0, 1, 7, 7, 5, 0, 0]),)
    jobs = StoredDay(0, TICK, (), True, (("failed",), ("completed",)), rows)
    made = JOBS.reading(jobs).figures("S1")
    assert DocSyncDay(*made) == DocSyncDay(total=11, completed=7, failed=4, dead_letters=3, push=1, pull=2)
    runs = StoredDay(0, TICK, (), True, (("failed", "E1"), ("completed", None)), (("A", [0, 0, 2, 0, 1, 5]),))
    assert WorkflowActionsDay(*RUNS.reading(runs).figures(None)) == WorkflowActionsDay(7, 2)
    labels = (("open", None, None), ("closed", None, None), (None, "high", None), (None, None, "QA"))
    flat = [0, 0, 2, 0, 1, 1, 0, 2, 3, 0, 3, 3]
    incidents = StoredDay(0, TICK, (), True, labels, ((None, flat),))
    assert BreakagesDay(*INCIDENTS.reading(incidents).figures(None)) == BreakagesDay(3, 2)
    assert JOBS.reading(StoredDay(0, TICK, (), True, (), ())).figures(None) == (0, 0, 0, 0, 0, 0)


def sums(table: DayTable, counts: dict[Any, list[int]], oldest: int = TICK - 15) -> Sums:
    """Sums in which each number stands at one place only."""
    width = len(table.day.__struct_fields__)
    each = [tuple(range(first, first + width)) for first in (10, 20, 30, 40, 50, 60)]
    return Sums((each[0], each[1]), (each[2],), (each[3],), each[4], each[5], counts, oldest)


def test_jobs_are_a_section_with_the_worst_sites() -> None:
    counts = {("failed",): [3, 7], ("completed",): [2, 2]}
    worst = ((None, (5, 0, 5, 4, 0, 0)), ("S1", (9, 1, 2, 3, 4, 5)))
    assert JOBS.section_of(sums(JOBS, counts), TICK, worst) == DocSync(
        days=(DocSyncDay(10, 11, 12, 13, 14, 15), DocSyncDay(20, 21, 22, 23, 24, 25)),
        by_status={"completed": 2, "failed": 3},
        attempts=9,
        oldest_reading=TICK - 15,
        by_clock=(DocSyncDay(30, 31, 32, 33, 34, 35),),
        by_hour=(DocSyncDay(40, 41, 42, 43, 44, 45),),
        before=DocSyncDay(50, 51, 52, 53, 54, 55),
        month=DocSyncDay(60, 61, 62, 63, 64, 65),
        worst=((None, DocSyncDay(5, 0, 5, 4)), ("S1", DocSyncDay(9, 1, 2, 3, 4, 5))),
    )


def test_runs_are_a_section_with_the_worst_target_objects() -> None:
    counts = {("failed", "E1"): [3], ("completed", "OK"): [2], ("failed", None): [4]}
    found = RUNS.section_of(sums(RUNS, counts), TICK, (("ECO", (7, 2)),))
    assert isinstance(found, WorkflowActions)
    assert (found.by_status, found.by_result_code) == ({"completed": 2, "failed": 7}, {"E1": 3, "OK": 2})
    assert found.worst == (("ECO", WorkflowActionsDay(7, 2)),)


def test_incidents_are_a_section_that_no_name_is_worst_in() -> None:
    found = INCIDENTS.section_of(
        sums(INCIDENTS, {("open", None, None): [3], (None, "high", None): [3]}), TICK
    )
    assert isinstance(found, Breakages)
    assert (found.by_status, found.by_severity, found.by_responsibility) == ({"open": 3}, {"high": 3}, {})


@pytest.mark.parametrize(("oldest", "told"), [(TICK - 1, TICK - 1), (TICK, None), (TICK + 15, None)])
def test_the_oldest_reading_is_told_where_it_is_older_than_the_tick(oldest: int, told: int | None) -> None:
    assert JOBS.section_of(sums(JOBS, {}, oldest), TICK).oldest_reading == told


def test_what_is_not_known_of_other_windows_stays_unknown() -> None:
    unknown = Sums(((1, 0),), (), (), None, None, {}, TICK)
    found = RUNS.section_of(unknown, TICK)
    assert (found.before, found.month, found.worst) == (None, None, ())


def test_a_bad_site_has_dead_letters_first_and_failures_then_and_a_target_object_failures() -> None:
    fields = {table: table.day.__struct_fields__ for table in (JOBS, RUNS)}
    found = [[fields[table][place] for place in table.ranks] for table in (JOBS, RUNS)]
    assert found == [["dead_letters", "failed"], ["failed"]]
    assert INCIDENTS.ranks == ()


def test_a_span_is_open_at_its_end_where_that_is_the_running_day() -> None:
    today = TICK // 86_400
    grid = Grid(15, 15)
    assert span_of(grid, TICK, range(today - 1, today + 1)).is_open
    assert not span_of(grid, TICK, range(today - 1, today)).is_open
    far = span_of(grid, TICK, range(today - 9, today - 6))
    assert (far.first, far.most_groups) == (today - 9, (10_000, 10_000, 30_000))
    assert far.cuts[0] == (43_200, 43_215)


def test_a_statement_is_built_once_and_asks_for_a_name_only_where_one_is_given() -> None:
    one, other = JOBS.rows_of(SPAN), JOBS.rows_of(Span(1, ((),), (10,), is_open=True))
    assert one.statement is other.statement
    assert one.values == {**SPAN.values}
    named = JOBS.rows_of(SPAN, "S1")
    assert named.values == {**SPAN.values, "name": "S1"}
    for bound, is_named in ((named, True), (one, False)):
        assert ("name" in bound.statement.compile().params) is is_named
    apart = names_apart(SPAN, Window(20_000 * 86_400 + 43_200, 1))
    assert str(JOBS.rows_of(apart).statement) != str(one.statement)


def test_names_stand_apart_from_the_days_of_a_window() -> None:
    span = Span(19_998, ((3_600,), (3_600, 43_200), ()), (30, 20, 20), is_open=True)
    apart = names_apart(span, Window(20_000 * 86_400 + 43_200, 1))
    assert (apart.told, apart.day_after) == ((*span.cuts, ()), 20_001)
    # Two cells of the first day, two of the second before its noon.
    names = "names_from", "names_cell", "first_cells", "most_groups", "most_bytes"
    assert {name: apart.values[name] for name in names} == {
        "names_from": 4,
        "names_cell": 6,
        "first_cells": [0, 2, 5, 6],
        "most_groups": [30, 20, 20, 70],
        "most_bytes": [1_000_000, 1_000_000, 1_000_000, 3_000_000],
    }
    assert apart.values["starts"] == span.values["starts"]
