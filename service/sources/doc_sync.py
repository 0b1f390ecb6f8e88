"""Document sync jobs: counted by cell, site and status."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, case, func, null, select

from service.overview.bounds import bounded
from service.sources.by_day import by_day
from service.sources.database import Statement
from service.sources.expressions import (
    Window,
    count,
    cut,
    fenced,
    field,
    field_text,
    lowered,
    summed,
    text_or_number,
    trimmed,
)
from service.sources.span import AnySpan
from service.sources.tables import jobs

TASK_TYPE_PREFIX = "document_sync_"
SITE, DIRECTION = "site_id", "direction"
DIRECTIONS = ("push", "pull")
COUNTS = ("total", "attempts", "exhausted", *DIRECTIONS)
TOLD = 2  # by status: the first two


def figures(label: Sequence[str | None], counts: Sequence[int]) -> tuple[int, ...]:
    """What jobs of a status add to the figures of a day, in the order of DocSyncDay's fields."""
    total, _, exhausted, *directions = counts
    failed = label[0] == "failed"
    return total, total * (label[0] == "completed"), total * failed, exhausted * failed, *directions


def maps(counts: Mapping[tuple[Any, ...], Sequence[int]]) -> dict[str, Any]:
    """What else the section of a window and site has, from its counts by label."""
    return {
        "by_status": bounded({status: total for (status,), (total, _) in counts.items()}),
        "attempts": sum(attempts for _, attempts in counts.values()),
    }


def statement(span: AnySpan, site_id: ColumnElement[str] | None) -> Statement:
    """For each day arrays of cells, sites, statuses and COUNTS.

    Of one site when it is given, which stands under null.
    """
    # Behind a fence what is named twice is computed once. The site's text is grouped by as it stands, and
    # only the few groups are trimmed; the JSON itself is looked at where the text may be no string's or
    # number's.
    rows = fenced(
        select(
            span.cell(jobs.c.created_at).label("cell"),
            jobs.c.status,
            jobs.c.attempt_count,
            jobs.c.max_attempts,
            jobs.c.payload,
            field_text(jobs.c.payload, SITE).label("site"),
            jobs.c.task_type,
            field_text(jobs.c.payload, DIRECTION).label("told"),
        ).where(*population(span, site_id))
    )
    *others, task_type, told = rows.c
    found = fenced(select(*others, _direction(told, task_type).label("direction")))
    # `true`, `false`, an array or an object begin like these.
    doubtful = func.ascii(found.c.site).in_([ord(sign) for sign in "tf[{"])
    is_none = doubtful & (func.jsonb_typeof(field(found.c.payload, SITE)) != "string")
    site = case((is_none, null()), else_=found.c.site).label("site")
    axes = (found.c.cell, found.c.status, *((site,) if site_id is None else ()))
    # Nulls count as 0 by themselves: a comparison with one is not true.
    out_of_attempts = (found.c.max_attempts > 0) & (found.c.attempt_count >= found.c.max_attempts)
    groups = (
        select(
            *axes,
            count().label("total"),
            summed(found.c.attempt_count).label("attempts"),
            count().filter(out_of_attempts).label("exhausted"),
            *(count().filter(found.c.direction == each).label(each) for each in DIRECTIONS),
        )
        .group_by(*axes)
        .subquery("groups")
    )
    name = trimmed(groups.c.site) if site_id is None else null()
    counts = (groups.c[column] for column in COUNTS)
    return by_day(
        span,
        select(groups.c.cell, name.label("name"), cut(lowered(groups.c.status)).label("state"), *counts),
        labels=1,
    )


def population(time: Window | AnySpan, site_id: str | ColumnElement[str] | None) -> list[ColumnElement[bool]]:
    """Which jobs count: document syncs of a window or span, of one site when it is given."""
    conditions = [
        time.has(jobs.c.created_at),
        jobs.c.task_type.startswith(TASK_TYPE_PREFIX, autoescape=True),
    ]
    if site_id is not None:
        conditions.append(site == site_id)
    return conditions


def direction(payload: ColumnElement[Any], task_type: ColumnElement[str]) -> ColumnElement[str | None]:
    """Push or pull, as the payload says, or else the task type; null where neither does."""
    return _direction(field_text(payload, DIRECTION), task_type)


def _direction(told: ColumnElement[str], task_type: ColumnElement[str]) -> ColumnElement[str | None]:
    said, kind = func.lower(trimmed(told)), func.substr(func.lower(task_type), len(TASK_TYPE_PREFIX) + 1)
    # Most say it plainly, and what is as long as neither of them is neither: that spares them the rest.
    is_as_long = func.char_length(task_type) == len(TASK_TYPE_PREFIX + DIRECTIONS[0])
    return case(
        (told.in_(DIRECTIONS), told),
        *((told.is_(None) & (task_type == TASK_TYPE_PREFIX + each), each) for each in DIRECTIONS),
        (told.is_not(None) & said.in_(DIRECTIONS), said),
        (is_as_long & kind.in_(DIRECTIONS), kind),
    )


site = text_or_number(jobs.c.payload, SITE)
