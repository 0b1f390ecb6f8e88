"""The endpoints: a request to a query, a query to what is found for it, that to an answer."""

from msgspec.structs import replace

from service.api.access.admission import SCRAPED
from service.api.dependencies import Context, GivenReplay, GivenSnapshots
from service.api.reading import readable
from service.api.responses.raw import RawResponse
from service.api.table import (
    ALERTS,
    BUDGETS,
    FAILED_JOBS,
    FAILED_RUNS,
    METRICS,
    PREFIX,
    REPORT,
    SUMMARY,
    SUMMARY_EXPORT,
    TRENDS,
    TRENDS_EXPORT,
)
from service.report.found import read


@readable(PREFIX + SUMMARY.path)
async def summary(context: Context, snapshots: GivenSnapshots, replay: GivenReplay) -> RawResponse:
    """How the five side tracks did in the window."""
    query = SUMMARY.query(context)
    found = await snapshots.get(query.snapshot, context.now)
    return replay.answer(context, SUMMARY, query, found)


@readable(PREFIX + TRENDS.path)
async def trends(context: Context, snapshots: GivenSnapshots, replay: GivenReplay) -> RawResponse:
    """How they did from bucket to bucket."""
    query = TRENDS.query(context)
    found = await snapshots.get(query.snapshot, context.now)
    return replay.answer(context, TRENDS, query, found)


@readable(PREFIX + ALERTS.path)
async def alerts(context: Context, snapshots: GivenSnapshots, replay: GivenReplay) -> RawResponse:
    """What is past its threshold."""
    query = ALERTS.query(context)
    found = await snapshots.get(query.snapshot, context.now)
    return replay.answer(context, ALERTS, query, found)


@readable(PREFIX + BUDGETS.path)
async def budgets(context: Context, snapshots: GivenSnapshots, replay: GivenReplay) -> RawResponse:
    """How long the error budgets last."""
    query = BUDGETS.query(context)
    found = await snapshots.get(query, context.now)
    return replay.answer(context, BUDGETS, query, found)


@readable(PREFIX + SUMMARY_EXPORT.path)
async def summary_export(context: Context, snapshots: GivenSnapshots, replay: GivenReplay) -> RawResponse:
    """The summary to keep."""
    query = SUMMARY_EXPORT.query(context)
    found = await snapshots.get(query.snapshot, context.now)
    return replay.answer(context, SUMMARY_EXPORT, query, found)


@readable(PREFIX + TRENDS_EXPORT.path)
async def trends_export(context: Context, snapshots: GivenSnapshots, replay: GivenReplay) -> RawResponse:
    """The trends to keep."""
    query = TRENDS_EXPORT.query(context)
    found = await snapshots.get(query.snapshot, context.now)
    return replay.answer(context, TRENDS_EXPORT, query, found)


@readable(PREFIX + REPORT.path)
async def report(context: Context, snapshots: GivenSnapshots, replay: GivenReplay) -> RawResponse:
    """All of it in words."""
    query = REPORT.query(context)
    found = await read(snapshots, query.snapshot, context.now)
    return replay.answer(context, REPORT, query, found)


@readable(PREFIX + FAILED_JOBS.path)
async def failed_jobs(context: Context, snapshots: GivenSnapshots, replay: GivenReplay) -> RawResponse:
    """Which document syncs failed."""
    query = FAILED_JOBS.query(context)
    found = await snapshots.failed_jobs(query, context.now)
    return replay.answer(context, FAILED_JOBS, query, found)


@readable(PREFIX + FAILED_RUNS.path)
async def failed_runs(context: Context, snapshots: GivenSnapshots, replay: GivenReplay) -> RawResponse:
    """Which workflow actions failed."""
    query = FAILED_RUNS.query(context)
    found = await snapshots.failed_runs(query, context.now)
    return replay.answer(context, FAILED_RUNS, query, found)


@readable(PREFIX + METRICS.path, opt=SCRAPED)
async def metrics(context: Context, snapshots: GivenSnapshots, replay: GivenReplay) -> RawResponse:
    """The summary for Prometheus."""
    query = replace(METRICS.query(context), labels=context.labels)
    found = await snapshots.get(query.snapshot, context.now)
    return replay.answer(context, METRICS, query, found)


HANDLERS = (
    *(summary, trends, alerts, budgets, summary_export, trends_export, report),
    *(failed_jobs, failed_runs, metrics),
)
