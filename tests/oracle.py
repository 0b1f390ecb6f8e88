"""The contract read slowly: what a client must be answered, worked out row by row.

This file shares no code with the service and may never import it. It is the second opinion that the
service's SQL is held against on random databases, so it favours the obvious over the quick. Quotes in
the comments are the contract's own words.
"""

import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise, takewhile
from math import ceil
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from tests.support.builders import INFINITY, Database, Row

Document = dict[str, Any]
Overlay = Mapping[str, int]
# The limits that a request brings, by the names of its parameters.
Overrides = Mapping[str, float]

# "entries is the sum over the live processes ...; all 0 when there are none."
NO_OVERLAY: Final = {
    "entries": 0,
    "hits": 0,
    "misses": 0,
    "evictions": 0,
    "ttl_seconds": 0,
    "max_entries": 0,
}


@dataclass(frozen=True)
class Query:
    """The parameters as a client sends them, padding included."""

    window_days: int = 7
    site_id: str | None = None
    target_object: str | None = None
    template_key: str | None = None


class Hour(NamedTuple):
    """What one clock hour had, and how much of it failed."""

    begins: datetime
    total: int
    failed: int

    def is_bad(self, limit: float, below: bool) -> bool:
        """ "when its own rate is past the hint's limit"."""
        own = (self.total - self.failed if below else self.failed) / self.total
        return own < limit if below else own > limit


# The last hours of each section, newest first.
Hours = Mapping[str, list[Hour]]


@dataclass(frozen=True)
class Limits:
    """The thresholds of one hint: past `warn` it warns, past `critical`, if any, it is critical."""

    warn: float
    critical: float | None = None


@dataclass(frozen=True)
class Thresholds:
    """The thresholds of all hints; "with these defaults"."""

    overlay_requests: int = 10
    overlay_hit_rate: Limits = Limits(0.8)
    dead_letter_rate: Limits = Limits(0.05)
    failed_rate: Limits = Limits(0.02)
    open_rate: Limits = Limits(0.5)


DEFAULT_THRESHOLDS: Final = Thresholds()


def overridden(thresholds: Thresholds, overrides: Overrides) -> Thresholds:
    """The thresholds "in force for this answer": where a rate is critical is not a request's to say."""

    def limits(name: str, configured: Limits) -> Limits:
        return replace(configured, warn=float(overrides.get(name, configured.warn)))

    least = overrides.get("overlay_cache_min_requests_warn", thresholds.overlay_requests)
    return Thresholds(
        overlay_requests=int(least),
        overlay_hit_rate=limits("overlay_cache_hit_rate_warn", thresholds.overlay_hit_rate),
        dead_letter_rate=limits("doc_sync_dead_letter_rate_warn", thresholds.dead_letter_rate),
        failed_rate=limits("workflow_failed_rate_warn", thresholds.failed_rate),
        open_rate=limits("breakage_open_rate_warn", thresholds.open_rate),
    )


# --- the answers (section 5) ---------------------------------------------------------------------


def summary(
    database: Database,
    instant: datetime,
    overlay: Overlay | None,
    query: Query,
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
) -> Document:
    """The answer of /summary. `overlay` None is Redis being away."""
    since = window_since(instant, query)
    jobs = jobs_of(database, since, query)
    runs = runs_of(database, since, query)
    incidents = in_window(database.incidents, since)
    sections = {
        "doc_sync": doc_sync(jobs, query),
        "workflow_actions": workflow_actions(runs, query),
        "breakages": breakages(incidents),
        "consumption_templates": consumption_templates(database.plans, query),
        "overlay_cache": overlay_cache(overlay),
    }
    return {
        **heading(instant, query),
        **sections,
        "slo_hints": slo_hints(sections, thresholds, hours_of(database, instant, overlay, query)),
        "slo_thresholds": slo_thresholds(thresholds),
        # "equals generated_at where everything was read for this tick".
        "oldest_reading": rfc3339(instant),
        "previous": previous(database, instant, overlay, query),
        "degraded": degraded(overlay),
        "operator_id": None,
    }


@dataclass(frozen=True)
class Buckets:
    """How trends are cut: in days, or in hours, by a time zone's clock or back from now."""

    days: int = 1
    by_clock: bool = False
    hours: int | None = None
    time_zone: str = "UTC"


def trends(
    database: Database, instant: datetime, overlay: Overlay | None, query: Query, buckets: Buckets
) -> Document:
    """The answer of /trends."""
    since = window_since(instant, query)
    jobs = jobs_of(database, since, query)
    runs = runs_of(database, since, query)
    incidents = in_window(database.incidents, since)
    return {
        **heading(instant, query),
        "bucket_days": None if buckets.hours else buckets.days,
        "filters": filters(query),
        "points": trend_points((jobs, runs, incidents), instant, query, buckets),
        "aggregates": {
            "doc_sync_total": len(jobs),
            "doc_sync_failed_total": count_status(jobs, "failed"),
            "doc_sync_dead_letter_total": sum(is_dead_letter(job) for job in jobs),
            "workflow_total": len(runs),
            "workflow_failed_total": count_status(runs, "failed"),
            "breakages_total": len(incidents),
            "breakages_open_total": count_status(incidents, "open"),
        },
        "consumption_templates": consumption_templates(database.plans, query),
        "overlay_cache": overlay_cache(overlay),
        # "equals generated_at where everything was read for this tick".
        "oldest_reading": rfc3339(instant),
        # "`bucket_hours` (...; implies clock)".
        "align": "clock" if buckets.by_clock or buckets.hours else "window",
        "bucket_hours": buckets.hours,
        # "`time_zone` is echoed."
        "time_zone": buckets.time_zone,
        "degraded": degraded(overlay),
        "operator_id": None,
    }


def alerts(
    database: Database,
    instant: datetime,
    overlay: Overlay | None,
    query: Query,
    level: str | None = None,
    *,
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
) -> Document:
    """The answer of /alerts."""
    # level is "trimmed and lower-cased; blank means absent".
    wanted = (level or "").strip().lower() or None
    # "`level` keeps only the hints of that level; status, total and by_code are of what is kept."
    hints = summary(database, instant, overlay, query, thresholds)["slo_hints"]
    kept = [hint for hint in hints if wanted is None or hint["level"] == wanted]
    # status is "ok", "warning", or "critical" when a critical hint is listed.
    levels = {hint["level"] for hint in kept}
    status = "critical" if "critical" in levels else "warning" if levels else "ok"
    return {
        **heading(instant, query),
        "filters": {**filters(query), "level": wanted},
        "status": status,
        "total": len(kept),
        "by_code": sorted_counts(hint["code"] for hint in kept),
        "hints": kept,
        "slo_thresholds": slo_thresholds(thresholds),
        # "equals generated_at where everything was read for this tick".
        "oldest_reading": rfc3339(instant),
        "degraded": degraded(overlay),
        "operator_id": None,
    }


def doc_sync_failures(
    database: Database, instant: datetime, query: Query, page: int = 1, page_size: int = 20
) -> Document:
    """The answer of /doc-sync/failures."""
    failed = newest_first(failures(jobs_of(database, window_since(instant, query), query)))
    jobs = [
        {
            "id": job["id"],
            "task_type": job["task_type"],
            "status": cut(job["status"]),
            "attempt_count": job["attempt_count"],
            "max_attempts": job["max_attempts"],
            "last_error": shortened(job["last_error"]),
            "dedupe_key": job["dedupe_key"],
            "site_id": site_of(job),
            "created_at": row_time(job["created_at"]),
            "direction": direction_of(job),
        }
        for job in page_of(failed, page, page_size)
    ]
    return {
        "window_days": query.window_days,
        "window_since": rfc3339(window_since(instant, query)),
        "site_filter": trimmed_filter(query.site_id),
        "total": len(failed),
        "pagination": pagination(len(failed), page, page_size),
        "jobs": jobs,
        "operator_id": None,
    }


def workflow_failures(
    database: Database, instant: datetime, query: Query, page: int = 1, page_size: int = 20
) -> Document:
    """The answer of /workflow/failures."""
    failed = newest_first(failures(runs_of(database, window_since(instant, query), query)))
    runs = [
        {
            "id": run["id"],
            "rule_id": run["rule_id"],
            "object_id": run["object_id"],
            "target_object": run["target_object"],
            "from_state": run["from_state"],
            "to_state": run["to_state"],
            "trigger_phase": run["trigger_phase"],
            "status": cut(run["status"]),
            "attempts": run["attempts"],
            "result_code": raw_result_code(run),
            "last_error": shortened(run["last_error"]),
            "created_at": row_time(run["created_at"]),
        }
        for run in page_of(failed, page, page_size)
    ]
    return {
        "window_days": query.window_days,
        "window_since": rfc3339(window_since(instant, query)),
        "target_object_filter": trimmed_filter(query.target_object),
        "total": len(failed),
        "pagination": pagination(len(failed), page, page_size),
        "runs": runs,
        "operator_id": None,
    }


def heading(instant: datetime, query: Query) -> Document:
    """What summary, trends and alerts begin with."""
    return {
        "generated_at": rfc3339(instant),
        "window_days": query.window_days,
        "window_since": rfc3339(window_since(instant, query)),
    }


def filters(query: Query) -> Document:
    """The echo of the three filters."""
    return {
        "site_id": trimmed_filter(query.site_id),
        "target_object": trimmed_filter(query.target_object),
        "template_key": trimmed_filter(query.template_key),
    }


def trimmed_filter(value: str | None) -> str | None:
    """A filter: "trimmed; blank means no filter"."""
    return (value or "").strip() or None


def degraded(overlay: Overlay | None) -> list[str]:
    """ "what could not be had and was filled with zeros or nulls"."""
    return ["overlay_cache"] if overlay is None else []


# --- the window before (section 7) ---------------------------------------------------------------


def previous(database: Database, instant: datetime, overlay: Overlay | None, query: Query) -> Document | None:
    """ "the window before this one"; "null for window_days = 90"."""
    if query.window_days == 90:
        return None
    # "[window_since - window_days, window_since)".
    until = window_since(instant, query)
    since = until - timedelta(hours=24 * query.window_days)

    end = as_stored(until)

    def before(rows: list[Row]) -> list[Row]:
        return [row for row in rows if row["created_at"] < end]

    jobs = before(jobs_of(database, since, query))
    runs = before(runs_of(database, since, query))
    incidents = before(in_window(database.incidents, since))
    dead_letters, still_open = sum(map(is_dead_letter, jobs)), count_status(incidents, "open")
    failed = count_status(runs, "failed")
    return {
        "window_since": rfc3339(since),
        "doc_sync": {
            "total": len(jobs),
            "failed_total": count_status(jobs, "failed"),
            "dead_letter_total": dead_letters,
            "dead_letter_rate": rate(dead_letters, len(jobs)),
            "success_rate": rate(count_status(jobs, "completed"), len(jobs)),
        },
        "workflow_actions": {
            "total": len(runs),
            "failed_total": failed,
            "failed_rate": rate(failed, len(runs)),
        },
        "breakages": {
            "total": len(incidents),
            "open_total": still_open,
            "open_rate": rate(still_open, len(incidents)),
        },
        "overlay_cache": overlay_before(overlay),
    }


def overlay_before(overlay: Overlay | None) -> Document | None:
    """ "what is not known of it is null"."""
    if overlay is None:
        return None
    hits, misses = overlay.get("hits_before", 0), overlay.get("misses_before", 0)
    return {"requests": hits + misses, "hit_rate": rate(hits, hits + misses)}


# --- by the hour, and error budgets (section 7) --------------------------------------------------

HOUR: Final = timedelta(hours=1)
# "burn_rates{"1h", "6h", "1d", "3d", "7d"}": the last so many hours.
OVER: Final = {"1h": 1, "6h": 6, "1d": 24, "3d": 72, "7d": 168}
# "for the three codes that /budgets knows": where each one's rows are.
BUDGETED: Final = {
    "overlay_cache_hit_rate_low": "overlay_cache",
    "doc_sync_dead_letter_rate_high": "doc_sync",
    "workflow_action_failed_rate_high": "workflow_actions",
}


def budgets(
    database: Database,
    instant: datetime,
    overlay: Overlay | None,
    query: Query,
    thresholds: Thresholds = DEFAULT_THRESHOLDS,
) -> Document:
    """The answer of /budgets, whatever the query's window."""
    hours = hours_of(database, instant, overlay, query)
    # "its failures are misses, its limit 1 - threshold": in decimals, where 1 - 0.8 is 0.2.
    limits = {
        "overlay_cache": float(1 - Decimal(str(thresholds.overlay_hit_rate.warn))),
        "doc_sync": thresholds.dead_letter_rate.warn,
        "workflow_actions": thresholds.failed_rate.warn,
    }
    month = Query(30, query.site_id, query.target_object)
    since = window_since(instant, month)
    jobs, runs = jobs_of(database, since, month), runs_of(database, since, month)
    counted: dict[str, tuple[int, int] | None] = {
        "overlay_cache": None
        if overlay is None
        else (overlay["hits"] + overlay["misses"], overlay["misses"]),
        "doc_sync": (len(jobs), sum(map(is_dead_letter, jobs))),
        "workflow_actions": (len(runs), count_status(runs, "failed")),
    }
    return {
        "generated_at": rfc3339(instant),
        "filters": {name: filters(query)[name] for name in ("site_id", "target_object")},
        "budgets": [
            budget(code, limits[section], counted[section], hours[section])
            for code, section in BUDGETED.items()
        ],
        # "equals generated_at where everything was read for this tick".
        "oldest_reading": rfc3339(instant),
        "degraded": degraded(overlay),
        "operator_id": None,
    }


def budget(code: str, limit: float, counted: tuple[int, int] | None, hours: list[Hour]) -> Document:
    """How much of one error budget is spent. `counted` is what came in 30 days and what of it failed."""
    # What could not be had is "filled with zeros or nulls"; nothing is known, so it is null.
    total, failed = (None, None) if counted is None else counted
    # "limit x total": 7 of 100 where 0.07 may fail, and not 7.000000000000001.
    allowed = None if total is None else float(Decimal(str(limit)) * total)
    # "spent (failed / allowed; null without data)".
    spent = None if not allowed or failed is None else failed / allowed
    burn_rates = {name: burn_rate(hours[:many], limit) for name, many in OVER.items()}
    return {
        "code": code,
        "limit": limit,
        "window_days": 30,
        "total": total,
        "failed": failed,
        "allowed": allowed,
        "spent": spent,
        "burn_rates": burn_rates,
        "exhausted_in_hours": exhausted_in_hours(spent, burn_rates["1d"]),
    }


def burn_rate(hours: list[Hour], limit: float) -> float | None:
    """ "(failed / total of the last so many hours) / limit ...; null without data"."""
    total, failed = sum(hour.total for hour in hours), sum(hour.failed for hour in hours)
    # "Rates are ... null when the denominator is 0", which a limit may be.
    return None if total == 0 or limit == 0 else failed / total / limit


def exhausted_in_hours(spent: float | None, over_a_day: float | None) -> float | None:
    """ "at the pace of the last day, for a steady flow; null when it does not run out"."""
    if spent is not None and spent >= 1:
        return 0.0
    if spent is None or not over_a_day:
        return None
    # "1 spends exactly the budget" in its 30 days.
    return (1 - spent) * 30 * 24 / over_a_day


def hours_of(database: Database, instant: datetime, overlay: Overlay | None, query: Query) -> Hours:
    """ "whole clock hours of the last 7 days", those "without data" included."""
    week = window_since(instant, Query(7))
    jobs, runs = jobs_of(database, week, query), runs_of(database, week, query)
    counted = {
        "doc_sync": by_hour(jobs, is_dead_letter, instant),
        "workflow_actions": by_hour(runs, lambda run: lower(run["status"]) == "failed", instant),
        "overlay_cache": {} if overlay is None else lookups_by_hour(overlay, instant),
    }
    # "the running one included".
    begins = [clock_hour(instant) - number * HOUR for number in range(7 * 24)]
    return {
        section: [Hour(hour, *hours.get(hour, (0, 0))) for hour in begins]
        for section, hours in counted.items()
    }


def by_hour(
    rows: list[Row], has_failed: Callable[[Row], bool], instant: datetime
) -> dict[datetime, tuple[int, int]]:
    """How many rows each clock hour has, and how many of them failed."""
    running = clock_hour(as_stored(instant))
    hours: dict[datetime, tuple[int, int]] = {}
    for row in rows:
        # "a row dated after generated_at ... counts, in the newest bucket".
        hour = min(clock_hour(row["created_at"]), running).replace(tzinfo=UTC)
        total, failed = hours.get(hour, (0, 0))
        hours[hour] = total + 1, failed + has_failed(row)
    return hours


def lookups_by_hour(overlay: Overlay, instant: datetime) -> dict[datetime, tuple[int, int]]:
    """All of the overlay's lookups are of one clock hour: the running one, or so many `hours_ago`."""
    hour = clock_hour(instant) - overlay.get("hours_ago", 0) * HOUR
    return {hour: (overlay["hits"] + overlay["misses"], overlay["misses"])}


def clock_hour(time: datetime) -> datetime:
    """The whole hour of the clock that a time is in."""
    return time.replace(minute=0, second=0, microsecond=0)


def since(hours: list[Hour], limit: float, below: bool = False) -> Document:
    """Since when a hint with that limit is earned, or is no more."""
    # "hours without data say nothing".
    telling = [hour for hour in hours if hour.total]
    if not telling:
        return {"since": None, "quiet_since": None}
    newest_is_bad = telling[0].is_bad(limit, below)
    # "the start of the unbroken run of bad hours that it ends", or "of hours that are not bad".
    run = list(takewhile(lambda hour: hour.is_bad(limit, below) == newest_is_bad, telling))
    beginning = rfc3339(run[-1].begins)
    return {
        "since": beginning if newest_is_bad else None,
        "quiet_since": None if newest_is_bad else beginning,
    }


# --- time (section 3) ----------------------------------------------------------------------------


def window_since(instant: datetime, query: Query) -> datetime:
    """ "`window_since` = generated_at - window_days x 24 h"."""
    return instant - timedelta(hours=24 * query.window_days)


def rfc3339(instant: datetime) -> str:
    """ "All times are UTC, RFC 3339 with `Z`"."""
    return as_stored(instant).isoformat() + "Z"


def row_time(created_at: datetime) -> str | None:
    """A row's created_at; PostgreSQL's infinity is none that RFC 3339 can write."""
    return None if created_at == INFINITY else created_at.isoformat() + "Z"


def in_window(rows: list[Row], since: datetime) -> list[Row]:
    """The rows of a window."""
    first = as_stored(since)
    kept = []
    for row in rows:
        # "A null created_at is in no window."
        if row["created_at"] is None:
            continue
        # "A row is in the window when created_at >= window_since. There is no upper bound".
        if row["created_at"] >= first:
            kept.append(row)
    return kept


def as_stored(instant: datetime) -> datetime:
    """ "Timestamps are `timestamp without time zone`, in UTC"."""
    return instant.astimezone(UTC).replace(tzinfo=None)


def trend_points(
    populations: tuple[list[Row], list[Row], list[Row]],
    instant: datetime,
    query: Query,
    buckets: Buckets,
) -> list[Document]:
    """The points of the trends, oldest first."""
    edges, is_whole = bucket_edges(instant, query, buckets)
    # "a row dated after generated_at counts, in the newest bucket": the last edge parts nothing.
    starts = [as_stored(edge) for edge in edges[:-1]]
    jobs, runs, incidents = (in_buckets(rows, starts) for rows in populations)
    return [
        {
            "bucket_start": rfc3339(start),
            "bucket_end": rfc3339(end),
            # "A clipped point is marked `"partial": true`".
            "partial": not (is_whole(start) and is_whole(end)),
            "doc_sync": doc_sync_point(jobs[number]),
            "workflow_actions": workflow_actions_point(runs[number]),
            "breakages": breakages_point(incidents[number]),
        }
        for number, (start, end) in enumerate(pairwise(edges))
    ]


def bucket_edges(
    instant: datetime, query: Query, buckets: Buckets
) -> tuple[list[datetime], Callable[[datetime], bool]]:
    """Where points begin and end, and whether an edge is one that is not clipped."""
    since = window_since(instant, query)
    if not buckets.by_clock and not buckets.hours:
        # "exactly ceil(window_days / bucket_days) points, from window_since on, each [start, end),
        # the last one clipped at generated_at."
        width = timedelta(days=buckets.days)
        starts = [since + number * width for number in range(ceil(query.window_days / buckets.days))]
        return [*starts, instant], lambda edge: (edge - since) % width == timedelta()

    last = instant.date().toordinal()
    days = map(date.fromordinal, range(since.date().toordinal(), last + 1))
    edges = [edge for day in days for edge in clock_edges(day, buckets) if since < edge < instant]
    # "First and last points are clipped at window_since and generated_at and marked partial".
    return [since, *edges, instant], lambda edge: begins_a_point(edge, buckets)


@lru_cache(10_000)  # a walk over ticks asks for the same days again and again
def clock_edges(day: date, buckets: Buckets) -> list[datetime]:
    """Where a clock's points begin within a day of UTC."""
    # No clock of today is off by anything but quarters of an hour.
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    quarters = [midnight + number * timedelta(minutes=15) for number in range(24 * 4)]
    return [quarter for quarter in quarters if begins_a_point(quarter, buckets)]


def begins_a_point(edge: datetime, buckets: Buckets) -> bool:
    """Whether a point begins there by the clock."""
    local = edge.astimezone(ZoneInfo(buckets.time_zone))
    if buckets.hours:
        # "at whole hours (`bucket_hours` 1 or 6 ...)".
        return local.hour % buckets.hours == 0 == local.minute == local.second
    # "points begin at midnights of the configured time zone (bucket_days 1)": where its date changes.
    before = (edge - timedelta(seconds=1)).astimezone(ZoneInfo(buckets.time_zone))
    # "at Mondays' midnights (bucket_days 7)".
    return local.date() != before.date() and (buckets.days == 1 or local.weekday() == 0)


def in_buckets(rows: list[Row], starts: list[datetime]) -> list[list[Row]]:
    """The rows of each bucket, which ends before the next one starts."""
    buckets: list[list[Row]] = [[] for _ in starts]
    for row in rows:
        buckets[bisect_right(starts, row["created_at"]) - 1].append(row)
    return buckets


def doc_sync_point(jobs: list[Row]) -> Document:
    """The document sync figures of one bucket."""
    dead_letters = sum(is_dead_letter(job) for job in jobs)
    return {
        "total": len(jobs),
        "failed_total": count_status(jobs, "failed"),
        "dead_letter_total": dead_letters,
        "success_rate": rate(count_status(jobs, "completed"), len(jobs)),
        "dead_letter_rate": rate(dead_letters, len(jobs)),
        "by_direction": sorted_counts(direction_of(job) for job in jobs),
    }


def workflow_actions_point(runs: list[Row]) -> Document:
    """The workflow action figures of one bucket."""
    failed = count_status(runs, "failed")
    return {"total": len(runs), "failed_total": failed, "failed_rate": rate(failed, len(runs))}


def breakages_point(incidents: list[Row]) -> Document:
    """The breakage figures of one bucket."""
    still_open = count_status(incidents, "open")
    return {"total": len(incidents), "open_total": still_open, "open_rate": rate(still_open, len(incidents))}


# --- sections (section 4) ------------------------------------------------------------------------


def rate(part: int, whole: int) -> float | None:
    """ "Rates are plain quotients, unrounded, null when the denominator is 0"."""
    return None if whole == 0 else part / whole


def sorted_counts(values: Iterable[str]) -> dict[str, int]:
    """How often each value occurs; "Maps are sorted by key"."""
    return dict(sorted(at_most_500(Counter(values)).items()))


def lower(value: str | None) -> str:
    """ "Lower" means lower-cased; null or "" gives "unknown"."""
    return "unknown" if value is None or value == "" else value.lower()


def count_status(rows: list[Row], status: str) -> int:
    """How many rows have a status, lower-cased."""
    return sum(lower(row["status"]) == status for row in rows)


def jobs_of(database: Database, since: datetime, query: Query) -> list[Row]:
    """The population of doc_sync."""
    kept = []
    # "A site filter keeps the rows whose site equals it."
    site = trimmed_filter(query.site_id)
    for job in in_window(database.jobs, since):
        # "rows of meta_conversion_jobs whose task_type starts with the literal `document_sync_`".
        if not job["task_type"].startswith("document_sync_"):
            continue
        if site is None or site_of(job) == site:
            kept.append(job)
    return kept


def site_of(job: Row) -> str | None:
    """A row's site: payload.site_id."""
    payload = parse(job["payload"])
    # "anything else (payload not an object included) none".
    if not isinstance(payload, dict):
        return None
    # "a string trimmed of white space, a number as its JSON text".
    return string_or_number(payload.get("site_id"))


def doc_sync(jobs: list[Row], query: Query) -> Document:
    """The section doc_sync."""
    total = len(jobs)
    dead_letters = sum(is_dead_letter(job) for job in jobs)
    # "sum of attempt_count, null as 0, over total; rounded to 4 places; 0.0 when empty".
    attempts = sum(job["attempt_count"] or 0 for job in jobs)
    return {
        "total": total,
        "by_status": sorted_counts(cut(lower(job["status"])) for job in jobs),
        "success_rate": rate(count_status(jobs, "completed"), total),
        "dead_letter_total": dead_letters,
        "dead_letter_rate": rate(dead_letters, total),
        "avg_attempt_count": round(attempts / total, 4) if total else 0.0,
        "site_filter": trimmed_filter(query.site_id),
        # "map; push, pull, unknown; only those that occur".
        "by_direction": sorted_counts(direction_of(job) for job in jobs),
        "by_site": worst_sites(jobs, query),
    }


def direction_of(job: Row) -> str:
    """Whether a job is pushed or pulled."""
    return direction_told(job["payload"], job["task_type"])


@lru_cache(10_000)  # as above: of the same few rows
def direction_told(payload_text: str | None, task_type: str) -> str:
    """What a job's payload says of its direction, or else its type."""
    payload = parse(payload_text)
    told = payload.get("direction") if isinstance(payload, dict) else None
    # "payload.direction as text, trimmed and lower-cased, if it is push or pull";
    text = told if isinstance(told, str) else json_text(told)
    if text.strip().lower() in ("push", "pull"):
        return text.strip().lower()
    # "else what follows `document_sync_` in the lower-cased task_type if that is push or pull; else unknown".
    kind = task_type.lower().removeprefix("document_sync_")
    return kind if kind in ("push", "pull") else "unknown"


def worst_sites(jobs: list[Row], query: Query) -> list[Document]:
    """ "the ten worst, by dead letters, then failures, then name; sites with neither are left out"."""
    # It is empty "when that filter is given".
    if trimmed_filter(query.site_id) is not None:
        return []
    sites: list[Document] = []
    # "a job without a site counts under null".
    for site in {site_of(job) for job in jobs}:
        of_site = [job for job in jobs if site_of(job) == site]
        dead_letters, failed = sum(map(is_dead_letter, of_site)), count_status(of_site, "failed")
        sites.append(
            {
                "site_id": site,
                "total": len(of_site),
                "failed_total": failed,
                "failed_rate": rate(failed, len(of_site)),
                "dead_letter_total": dead_letters,
                "dead_letter_rate": rate(dead_letters, len(of_site)),
            }
        )
    bad = [site for site in sites if site["failed_total"] or site["dead_letter_total"]]
    bad.sort(key=lambda site: (site["site_id"] is not None, site["site_id"] or ""))
    bad.sort(key=lambda site: (-site["dead_letter_total"], -site["failed_total"]))
    return bad[:10]


def is_dead_letter(job: Row) -> bool:
    """Dead letter: "status lower = failed, max_attempts > 0 and attempt_count >= max_attempts"."""
    # "nulls as 0".
    attempts = job["attempt_count"] or 0
    allowed = job["max_attempts"] or 0
    return lower(job["status"]) == "failed" and allowed > 0 and attempts >= allowed


def runs_of(database: Database, since: datetime, query: Query) -> list[Row]:
    """The population of workflow_actions; "target_object compares exactly"."""
    wanted = trimmed_filter(query.target_object)
    return [
        run for run in in_window(database.runs, since) if wanted is None or run["target_object"] == wanted
    ]


def workflow_actions(runs: list[Row], query: Query) -> Document:
    """The section workflow_actions."""
    # "by_result_code counts only rows whose result is a JSON object".
    with_object = [run for run in runs if isinstance(parse(run["result"]), dict)]
    return {
        "total": len(runs),
        "by_status": sorted_counts(cut(lower(run["status"])) for run in runs),
        "by_result_code": sorted_counts(result_code_of(run) for run in with_object),
        "failed_rate": rate(count_status(runs, "failed"), len(runs)),
        "warning_rate": rate(count_status(runs, "warning"), len(runs)),
        "target_object_filter": trimmed_filter(query.target_object),
        "by_target_object": worst_target_objects(runs, query),
    }


def worst_target_objects(runs: list[Row], query: Query) -> list[Document]:
    """ "the ten worst, by failures, then name; those without are left out"."""
    if trimmed_filter(query.target_object) is not None:
        return []
    targets: list[Document] = []
    for target in {run["target_object"] for run in runs}:
        of_target = [run for run in runs if run["target_object"] == target]
        failed = count_status(of_target, "failed")
        targets.append(
            {
                "target_object": target,
                "total": len(of_target),
                "failed_total": failed,
                "failed_rate": rate(failed, len(of_target)),
            }
        )
    bad = [target for target in targets if target["failed_total"]]
    return sorted(bad, key=lambda each: (-each["failed_total"], each["target_object"]))[:10]


def result_code_of(run: Row) -> str:
    """The result code as text."""
    code = parse(run["result"]).get("result_code")
    # "missing, null, "", 0 or false count as "UNKNOWN"". An empty array or object does not.
    if code is None or code is False or code == "":
        return "UNKNOWN"
    if isinstance(code, Decimal) and code == 0:
        return "UNKNOWN"
    # "result.result_code as text": a string without its quotes, anything else as JSON.
    return cut(code if isinstance(code, str) else json_text(code))


def raw_result_code(run: Row) -> object:
    """ "result_code (raw JSON)", as a client decodes it."""
    result = parse(run["result"])
    code = result.get("result_code") if isinstance(result, dict) else None
    text = code if isinstance(code, str) else json_text(code)
    # "a result code that is a JSON number of more than 100 digits is given as a string".
    if isinstance(code, Decimal) and sum(sign.isdigit() for sign in text) > 100:
        return cut(text)
    # "A result code or status is cut after 200 characters", and what is cut is no JSON any more.
    return cut(text) if len(text) > 200 else json.loads(json_text(code))


# --- bounds (section 5) --------------------------------------------------------------------------


def cut(label: str) -> str:
    """ "A result code or status is cut after 200 characters"."""
    return label[:200]


def shortened(error: str | None) -> str | None:
    """ "last_error is cut after 8,000 characters, and ends in `... (N characters)` then"."""
    if error is None or len(error) <= 8000:
        return error
    return error[:8000] + "\u2026 (" + str(len(error)) + " characters)"


def at_most_500(counts: Counter[str]) -> dict[str, int]:
    """ "a map has at most 500 keys"."""
    kept = dict(counts)
    # "of more, the least frequent (ties by name, last first) are summed under `(others)`": a key, too.
    others = 0
    while len(kept) > (499 if others else 500):
        fewest = min(kept.values())
        last = max(name for name, count in kept.items() if count == fewest)
        others += kept.pop(last)
    return {**kept, "(others)": others} if others else kept


def breakages(incidents: list[Row]) -> Document:
    """The section breakages."""
    still_open = count_status(incidents, "open")
    repeated = repeated_total(incidents)
    return {
        "total": len(incidents),
        "by_status": sorted_counts(cut(lower(row["status"])) for row in incidents),
        "by_severity": sorted_counts(lower(row["severity"]) for row in incidents),
        # "verbatim; null or "" as "unassigned"".
        "by_responsibility": sorted_counts(row["responsibility"] or "unassigned" for row in incidents),
        "open_total": still_open,
        "open_rate": rate(still_open, len(incidents)),
        "repeated_total": repeated,
        "repeated_rate": rate(repeated, len(incidents)),
    }


def repeated_total(incidents: list[Row]) -> int:
    """How many incidents share their description with another."""
    # "group by description, trimmed and lower-cased, blanks left out".
    groups = Counter(row["description"].strip().lower() for row in incidents)
    del groups[""]
    # "the sum of the sizes of the groups of two or more".
    return sum(size for size in groups.values() if size >= 2)


def consumption_templates(plans: list[Row], query: Query) -> Document:
    """The section consumption_templates; "no window"."""
    versions = template_versions(plans, trimmed_filter(query.template_key))
    keys = {key for key, _ in versions}
    # "active_versions_total (truthy is_active)".
    active = Counter(key for key, is_active in versions if is_active)
    return {
        "versions_total": len(versions),
        # "distinct keys".
        "templates_total": len(keys),
        "active_versions_total": sum(active.values()),
        # "keys with two or more active versions, sorted".
        "invalid_active_templates": sorted(key for key in keys if active[key] >= 2),
        # "keys with none, sorted".
        "templates_without_active": sorted(key for key in keys if active[key] == 0),
        "template_key_filter": trimmed_filter(query.template_key),
    }


def template_versions(plans: list[Row], wanted: str | None) -> list[tuple[str, bool]]:
    """The key of every template version, and whether it is active."""
    versions = []
    for plan in plans:
        properties = parse(plan["properties"])
        template = properties.get("template") if isinstance(properties, dict) else None
        # "Rows whose properties.template is an object with truthy is_template_version ...
        if not isinstance(template, dict) or not truthy(template.get("is_template_version")):
            continue
        # ... and a key that is not blank. The key is a string trimmed, or a number's JSON text."
        key = string_or_number(template.get("key"))
        if key and (wanted is None or key == wanted):
            versions.append((key, truthy(template.get("is_active"))))
    return versions


def overlay_cache(overlay: Overlay | None) -> Document:
    """The section overlay_cache."""
    counters = NO_OVERLAY if overlay is None else overlay
    # "requests (hits + misses), hit_rate".
    requests = counters["hits"] + counters["misses"]
    return {
        **{name: counters[name] for name in NO_OVERLAY},
        "requests": requests,
        "hit_rate": rate(counters["hits"], requests),
    }


# --- SLO hints (section 4) -----------------------------------------------------------------------


def slo_hints(sections: Document, thresholds: Thresholds, hours: Hours) -> list[Document]:
    """ "a list of {code, level, message}, in this order"; a rate without data gives no hint."""
    hints = []
    cache = sections["overlay_cache"]
    # "requests >= 10 and hit_rate < 0.8".
    if cache["requests"] >= thresholds.overlay_requests and cache["hit_rate"] is not None:
        level, limit = past(thresholds.overlay_hit_rate, cache["hit_rate"], below=True)
        message = f"Overlay cache hit rate is below {plain(limit)} in the selected window"
        hints.append(
            hint(
                "overlay_cache_hit_rate_low", level, message, since(hours["overlay_cache"], limit, below=True)
            )
        )
    # "dead_letter_rate > 0.05".
    if sections["doc_sync"]["dead_letter_rate"] is not None:
        level, limit = past(thresholds.dead_letter_rate, sections["doc_sync"]["dead_letter_rate"])
        message = f"Document sync dead-letter rate is above {percent(limit)}"
        hints.append(hint("doc_sync_dead_letter_rate_high", level, message, since(hours["doc_sync"], limit)))
    # "failed_rate > 0.02".
    if sections["workflow_actions"]["failed_rate"] is not None:
        level, limit = past(thresholds.failed_rate, sections["workflow_actions"]["failed_rate"])
        message = f"Workflow custom action failed rate is above {percent(limit)}"
        hints.append(
            hint("workflow_action_failed_rate_high", level, message, since(hours["workflow_actions"], limit))
        )
    # "open_rate > 0.5".
    if sections["breakages"]["open_rate"] is not None:
        level, limit = past(thresholds.open_rate, sections["breakages"]["open_rate"])
        message = f"Open breakage ratio is above {percent(limit)}"
        # "for the three codes that /budgets knows": this is the fourth.
        hints.append(hint("breakage_open_rate_high", level, message, since([], limit)))
    return [hint for hint in hints if hint["level"] is not None]


def slo_thresholds(thresholds: Thresholds) -> Document:
    """ "{overlay_cache_hit_rate{warn, critical}, overlay_cache_min_requests, ...}" (section 7)."""
    return {
        "overlay_cache_hit_rate": vars(thresholds.overlay_hit_rate),
        "overlay_cache_min_requests": thresholds.overlay_requests,
        "doc_sync_dead_letter_rate": vars(thresholds.dead_letter_rate),
        "workflow_failed_rate": vars(thresholds.failed_rate),
        "breakage_open_rate": vars(thresholds.open_rate),
    }


def past(limits: Limits, value: float, below: bool = False) -> tuple[str | None, float]:
    """The level that a rate has reached and the threshold that it crossed."""
    # "a second, optional threshold (`critical`) ...; past it the hint's level is critical".
    for level, limit in (("critical", limits.critical), ("warn", limits.warn)):
        if limit is not None and (value < limit if below else value > limit):
            return level, limit
    return None, limits.warn


def hint(code: str, level: str | None, message: str, told: Document) -> Document:
    """One hint, with what its hours tell; one without a level does not show."""
    return {"code": code, "level": level, "message": message, **told}


def percent(limit: float) -> str:
    """A threshold as the messages write it: 0.05 is 5%."""
    return plain(Decimal(repr(limit)) * 100) + "%"


def plain(number: float | Decimal) -> str:
    """A number without an exponent and without zeros that say nothing."""
    text = format(Decimal(str(number)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


# --- files (sections 5 and 7) --------------------------------------------------------------------


def summary_csv(answer: Document) -> list[list[str]]:
    """The rows of the summary's csv, its header included, as whoever parses it reads them."""
    # "window_days; doc_sync.total, .dead_letter_total, .success_rate; workflow_actions.total, ...".
    figures = [
        *("doc_sync.total", "doc_sync.dead_letter_total", "doc_sync.success_rate"),
        *("workflow_actions.total", "workflow_actions.failed_rate"),
        *("breakages.total", "breakages.open_total", "consumption_templates.versions_total"),
        *("overlay_cache.requests", "overlay_cache.hit_rate"),
    ]
    rows: list[list[object]] = [["window_days", answer["window_days"]]]
    for figure in figures:
        section, _, name = figure.partition(".")
        rows.append([figure, answer[section][name]])
    rows.append(["slo_hints.total", len(answer["slo_hints"])])
    # "then doc_sync.by_status.* and workflow_actions.by_result_code.*, sorted".
    for section, name in (("doc_sync", "by_status"), ("workflow_actions", "by_result_code")):
        rows += [[f"{section}.{name}.{key}", count] for key, count in sorted(answer[section][name].items())]
    return [["metric", "value"], *(list(map(csv_cell, row)) for row in rows)]


def trends_csv(answer: Document) -> list[list[str]]:
    """The rows of the csv of /trends/export, likewise, for the answer of /trends."""
    rows: list[dict[str, object]] = []
    for point in answer["points"]:
        jobs, runs, incidents = point["doc_sync"], point["workflow_actions"], point["breakages"]
        rows.append(
            {
                "bucket_start": point["bucket_start"],
                "bucket_end": point["bucket_end"],
                "partial": point["partial"],
                "doc_sync_total": jobs["total"],
                "doc_sync_push_total": jobs["by_direction"].get("push", 0),
                "doc_sync_pull_total": jobs["by_direction"].get("pull", 0),
                "doc_sync_unknown_direction_total": jobs["by_direction"].get("unknown", 0),
                "doc_sync_failed_total": jobs["failed_total"],
                "doc_sync_dead_letter_total": jobs["dead_letter_total"],
                "doc_sync_success_rate": jobs["success_rate"],
                "doc_sync_dead_letter_rate": jobs["dead_letter_rate"],
                "workflow_total": runs["total"],
                "workflow_failed_total": runs["failed_total"],
                "workflow_failed_rate": runs["failed_rate"],
                "breakages_total": incidents["total"],
                "breakages_open_total": incidents["open_total"],
                "breakages_open_rate": incidents["open_rate"],
            }
        )
    return [list(rows[0]), *(list(map(csv_cell, row.values())) for row in rows)]


def csv_cell(value: object) -> str:
    """One cell, as whoever parses the csv reads it: "null as empty", "numbers are left alone"."""
    if not isinstance(value, str):
        return "" if value is None else json.dumps(value)
    # "first character after blanks, tabs and line breaks is `=`, `+`, `-` or `@`".
    begins_a_formula = value.strip()[:1] in set("=+-@")
    # "or the cell begins with a tab or a line break".
    begins_elsewhere = value[:1] == "\t" or len((value[:1] + "x").splitlines()) == 2
    return "'" + value if begins_a_formula or begins_elsewhere else value


# --- failures (section 5) ------------------------------------------------------------------------


def failures(population: list[Row]) -> list[Row]:
    """ "the rows of the summary's population with status lower = failed"."""
    return [row for row in population if lower(row["status"]) == "failed"]


def newest_first(rows: list[Row]) -> list[Row]:
    """ "newest first, ties by id descending"."""
    return sorted(rows, key=lambda row: (row["created_at"], row["id"]), reverse=True)


def page_of(rows: list[Row], page: int, page_size: int) -> list[Row]:
    """One page, counted from 1; "A page past the end is empty"."""
    return rows[(page - 1) * page_size : page * page_size]


def pagination(total: int, page: int, page_size: int) -> Document:
    """ "pages is 0 when total is 0"."""
    return {"page": page, "page_size": page_size, "pages": ceil(total / page_size), "total": total}


# --- JSON as jsonb has it ------------------------------------------------------------------------


@lru_cache(10_000)  # the same rows are looked at again and again, and nobody changes what comes of this
def parse(text: str | None) -> Any:  # noqa: ANN401 - any JSON value
    """A JSON column's value; SQL's null and JSON's are both None, numbers are exact."""
    return None if text is None else json.loads(text, parse_int=Decimal, parse_float=Decimal)


def string_or_number(value: object) -> str | None:
    """A string trimmed, a number as its JSON text, anything else none."""
    if isinstance(value, str):
        return value.strip()
    return json_text(value) if isinstance(value, Decimal) else None


def truthy(value: object) -> bool:
    """ "Truthy: true, a number other than 0, a string, array or object that is not empty"."""
    if value is None or value is False:
        return False
    if isinstance(value, Decimal):
        return value != 0
    return value is True or value not in ("", [], {})


def json_text(value: object) -> str:
    """A JSON value as jsonb writes it."""
    if isinstance(value, Decimal):
        return number_text(value)
    if isinstance(value, list):
        return "[" + ", ".join(json_text(item) for item in value) + "]"
    if isinstance(value, dict):
        # jsonb keeps keys by length, then by their bytes.
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        return "{" + ", ".join(f"{json_text(key)}: {json_text(value[key])}" for key in keys) + "}"
    return json.dumps(value, ensure_ascii=False)


def number_text(number: Decimal) -> str:
    """A number without an exponent, its trailing zeros kept; jsonb knows no minus zero."""
    text = format(number, "f")
    return text.removeprefix("-") if number == 0 else text
