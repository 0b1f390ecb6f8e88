"""Workflow custom action runs: counted by cell, target object, status and result code."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, case, null, select

from service.overview.bounds import bounded
from service.sources.by_day import by_day
from service.sources.database import Statement
from service.sources.expressions import (
    Window,
    count,
    cut,
    fenced,
    field_text,
    is_no_code,
    lowered,
    trimmed,
)
from service.sources.span import AnySpan
from service.sources.tables import runs

RESULT_CODE = "result_code"
NO_CODE = "UNKNOWN"
COUNTS = ("total",)


def figures(label: Sequence[str | None], counts: Sequence[int]) -> tuple[int, ...]:
    """What runs of a status and code add to a day's figures, in the order of WorkflowActionsDay's fields."""
    (total,) = counts
    return total, total * (label[0] == "failed")


def maps(counts: Mapping[tuple[Any, ...], Sequence[int]]) -> dict[str, Any]:
    """What else the section of a window and target object has, from its counts by label."""
    by_status: dict[str, int] = {}
    by_result_code: dict[str, int] = {}
    for (status, code), (total,) in counts.items():
        by_status[status] = by_status.get(status, 0) + total
        if code is not None:  # what has no result has no code
            by_result_code[code] = by_result_code.get(code, 0) + total
    return {
        "by_status": bounded(by_status),
        "by_result_code": bounded(by_result_code),
        "warnings": by_status.get("warning", 0),
    }


def statement(span: AnySpan, target_object: ColumnElement[str] | None) -> Statement:
    """For each day arrays of cells, target objects, statuses, codes and COUNTS.

    Of one target object when it is given, which stands under null.
    """
    found = fenced(
        select(
            span.cell(runs.c.created_at).label("cell"),
            runs.c.target_object,
            runs.c.status,
            runs.c.result,
            field_text(runs.c.result, RESULT_CODE).label("code"),
        ).where(*population(span, target_object))
    )
    targets = (found.c.target_object,) if target_object is None else ()
    axes = (found.c.cell, *targets, found.c.status, _code(found.c.result, found.c.code).label("code"))
    groups = select(*axes, count().label("total")).group_by(*axes).subquery("groups")
    labels = cut(lowered(groups.c.status)).label("state"), cut(groups.c.code).label("code")
    name = groups.c.target_object if target_object is None else null()
    cells = select(groups.c.cell, name.label("name"), *labels, groups.c.total)
    return by_day(span, cells, labels=2)


def code_of(result: ColumnElement[Any]) -> ColumnElement[str]:
    """What a run is counted under by its result code, trimmed; null where there is no result."""
    code: ColumnElement[Any] = field_text(result, RESULT_CODE)
    return trimmed(cut(_code(result, code)))


def _code(result: ColumnElement[Any], code: ColumnElement[str | None]) -> ColumnElement[str | None]:
    return case((is_no_code(result, code), NO_CODE), else_=code)


def population(
    time: Window | AnySpan, target_object: str | ColumnElement[str] | None
) -> list[ColumnElement[bool]]:
    """Which runs count: those of a window or span, of one target object when it is given."""
    conditions = [time.has(runs.c.created_at)]
    if target_object is not None:
        conditions.append(runs.c.target_object == target_object)
    return conditions
