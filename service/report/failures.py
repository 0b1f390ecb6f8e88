"""The newest failures in a report: a line for each row, under a heading for each kind."""

from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Any

from service.overview.failures import FailedJobs, FailedRuns, OpenIncidents
from service.report.found import Found
from service.report.telling import SECONDS, Teller, first_line, listed, text
from service.snapshots import Dated
from service.wording.figures import code, number

# When a row was created, and what its line says after that.
Row = tuple[Any, ...]


def failures(teller: Teller, found: Found) -> Iterator[list[str]]:
    """The blocks of all kinds."""
    kinds: tuple[tuple[str, Dated[Any] | None, Callable[[Teller, Any], Iterator[Row]]], ...] = (
        ("jobs", found.jobs, _jobs),
        ("runs", found.runs, _runs),
        ("incidents", found.incidents, _incidents),
    )
    for kind, listing, rows in kinds:
        title = teller.word(f"failures.{kind}")
        if listing is None:
            yield from ([f"### {title}"], [teller.word("failures.unavailable")])
            continue
        yield [f"### {title} ({number(listing.value.total)})"]
        if listing.instant != found.snapshot.instant:
            yield [teller.named(teller.word("as_of"), teller.time(listing.instant, SECONDS))]
        yield listed(_line(teller, row) for row in rows(teller, listing.value)) or [
            teller.word(f"report.no_{kind}")
        ]


def _line(teller: Teller, row: Row) -> str:
    created_at, *texts = row
    return " · ".join((teller.time(created_at), *map(text, texts)))


def _jobs(teller: Teller, jobs: FailedJobs) -> Iterator[Row]:
    for row, headline in zip_longest(jobs.rows, jobs.headlines):
        said = headline or first_line(row.last_error)
        yield row.created_at, teller.known(row.direction), row.site_id, row.dedupe_key, said


def _runs(_: Teller, runs: FailedRuns) -> Iterator[Row]:
    for row, headline in zip_longest(runs.rows, runs.headlines):
        names = (row.target_object, row.rule_id, row.object_id, code(row.result_code))
        yield row.created_at, *names, headline or first_line(row.last_error)


def _incidents(teller: Teller, incidents: OpenIncidents) -> Iterator[Row]:
    for row in incidents.rows:
        responsible = row.responsibility or teller.known("unassigned")
        yield row.created_at, teller.known(row.severity), responsible, first_line(row.description)
