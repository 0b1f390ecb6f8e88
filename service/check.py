"""`parallel-ops check`: whether the configured servers are what the service needs, and what to do if not.

Written for somebody who has never seen the service, at night.
"""

import asyncio
import time
from collections.abc import Mapping
from itertools import zip_longest
from typing import Literal

import msgspec
from msgspec import Struct
from redis.exceptions import RedisError
from sqlalchemy import make_url

from service.addresses import database_place, redis_place
from service.environment import Problem
from service.readings.account import Share
from service.readings.manifest import Spending, manifest_key
from service.readings.shared import newest_manifest
from service.redis_clients import connect
from service.redis_kinds import mistaken
from service.settings import Settings, SettingsError, from_environment, unknown_variables
from service.sources import inspection
from service.sources.database import DatabaseError, DatabaseLimits
from service.sources.inspection import ENCODING, Finding, findings, row_counts, without_index
from service.sources.replicas import Server, Standbys, database_at, several
from service.tenants.connections import is_there
from service.tenants.neighbours import share_among
from service.tenants.tenancy import Tenancy
from service.tenants.tenant import EVERYBODY, Forbidden, Tenant
from service.unreachable import READER_ROLE, Trouble, database_trouble, redis_trouble

Status = Literal["ok", "advice", "problem"]

OPTIONAL_INDEXES = "migrations_none/optional_indexes.sql"
_LIMITS = DatabaseLimits(statement_timeout_seconds=5.0, lock_timeout_seconds=1.0, max_queries=1)
_FOUND: dict[inspection.Problem, tuple[str, str]] = {
    "wrong_encoding": (
        f"the database's encoding is {{table}}, and {ENCODING} is needed",
        f"Statements compare Unicode. Move the PLM into a database of {ENCODING}: pg_dump, CREATE DATABASE … "
        "ENCODING, and pg_restore, which converts.",
    ),
    "missing_table": (
        "table {table} is not there, or is in a schema that this role may not use",
        "Check that PARALLEL_OPS_DATABASE_URL names the PLM's own database, and that the table is in the "
        f"role's search_path; {READER_ROLE} grants the use of the schema `public`.",
    ),
    "missing_column": (
        "table {table} lacks: {columns}",
        "This is not the table that the service knows: compare the PLM's version with "
        "migrations_none/README.md. The service adds no columns.",
    ),
    "missing_grant": (
        "this role may not read {table}: {columns}",
        f"Let the tables' owner run {READER_ROLE} in this database; running it again is harmless.",
    ),
}

_UNINDEXED = {
    "window": "no index leads with created_at, so a refresh reads all of its {rows} rows",
    "failures": "no index on lower(status), so each page of failures reads the whole window",
}
_GAINS = {
    "window": "With one, of {size} MB, a refresh reads today, yesterday and a few older days in turn.",
    "failures": "With one of the failed rows alone, a page reads what it shows.",
}
_MANY = "many, each with a database or schema of its own, of which none was looked at"
_NOT_ONE = "{} is none of those that PARALLEL_OPS_TENANTS lets in"
_NO_SCHEMA = "there is no schema {}, or this role may not use it"
_TENANTS = (
    "Compare the tenant's id, PARALLEL_OPS_TENANTS, and PARALLEL_OPS_DATABASE_SCHEMA with what the PLM has; "
    f"{READER_ROLE} grants the use of a schema."
)
# Of a b-tree on a timestamp, as measured for optional_indexes.sql.
INDEX_BYTES_A_ROW = 22


class Line(Struct, frozen=True):
    """One thing that was looked at. Advice does not keep the service from working; problems do."""

    status: Status
    subject: str
    message: str
    remedy: str | None = None


class CheckReport(Struct, frozen=True):
    """All that was looked at."""

    checks: list[Line]

    @property
    def ok(self) -> bool:
        """Whether the service can work."""
        return all(line.status != "problem" for line in self.checks)

    def as_json(self) -> str:
        """The report for scripts."""
        return msgspec.json.encode({"ok": self.ok, "checks": self.checks}).decode()


def as_text(report: CheckReport) -> str:
    """The report for people; a remedy for several lines stands under the last of them."""
    lines = []
    for line, following in zip_longest(report.checks, report.checks[1:]):
        lines.append(f"{line.status:<8} {line.subject}: {line.message}")
        if line.remedy and (following is None or following.remedy != line.remedy):
            lines.append(f"{'':<8} -> {line.remedy}")
    verdict = "parallel-ops can work with this." if report.ok else "parallel-ops cannot work like this."
    return "\n".join([*lines, "", verdict])


def inspect(environment: Mapping[str, str], tenant: str | None = None) -> CheckReport:
    """Look at the configuration, then at the servers that it names: at a tenant's where there are many."""
    try:
        settings = from_environment(environment)
    except SettingsError as error:
        return CheckReport([*map(_misconfigured, error.problems), *_unknown(environment)])
    lines = [Line("ok", "configuration", "complete"), *_unknown(environment), *_names(settings)]
    tenancy = settings.tenancy
    try:
        whose = tenancy.only if tenant is None else tenancy.named(tenant)
        if whose is not None:
            tenancy.place_of(whose)
    except Forbidden:
        return CheckReport([*lines, Line("problem", "tenants", _NOT_ONE.format(tenant), _TENANTS)])
    return CheckReport([*lines, *asyncio.run(_servers(settings, whose)), *_told(tenancy, whose)])


def _told(tenancy: Tenancy, whose: Tenant | None) -> list[Line]:
    """Who may ask."""
    if whose is None:
        return [Line("advice", "tenants", _MANY, "Name one of them: parallel-ops check --tenant acme")]
    if tenancy.is_of_any:
        return [Line("ok", "tenants", "all in one database: any tenant's token opens it")]
    if whose == EVERYBODY:
        return []
    place = tenancy.place_of(whose)
    where = f", in the schema {place.schema}" if place.schema else ""
    return [Line("ok", "tenants", f"{whose.tag} is let in{where}")]


def _misconfigured(problem: Problem) -> Line:
    remedy = f"Set it, for example: {problem.variable}={problem.example}" if problem.example else None
    return Line("problem", "configuration", f"{problem.variable}: {problem.reason}", remedy)


def _unknown(environment: Mapping[str, str]) -> list[Line]:
    return [
        Line("advice", "configuration", str(each), "Rename it, or take it away.")
        for each in unknown_variables(environment)
    ]


def _names(settings: Settings) -> list[Line]:
    """By which names it answers, where that matters: a token keeps a page from elsewhere out anyway."""
    if settings.auth == "required" and settings.hosts is None:
        return []
    if settings.hosts is None:
        message = "any name will do, and no token is needed: any page that somebody opens may read everything"
        remedy = "Say what it is called: PARALLEL_OPS_ALLOWED_HOSTS=ops.example.com"
        return [Line("advice", "names", message, remedy)]
    names = ", ".join(("addresses", "names without a dot", *settings.hosts))
    message = f"answers to {names}; others get 421, and PARALLEL_OPS_ALLOWED_HOSTS adds some"
    return [Line("ok", "names", message)]


async def _servers(settings: Settings, whose: Tenant | None) -> list[Line]:
    redis = _redis(settings, whose)
    if whose is None:
        return await redis
    return [line for lines in await asyncio.gather(_database(settings, whose), redis) for line in lines]


async def _database(settings: Settings, whose: Tenant) -> list[Line]:
    place = settings.tenancy.place_of(whose)
    servers = [await _server(url) for url in several(place.url)]
    standbys = Standbys(settings.max_replica_lag_seconds)
    database = database_at(place.url, _LIMITS, schema=place.schema, standbys=standbys)
    try:
        if place.schema is not None and not await is_there(database.rows, place.schema):
            return [Line("problem", "PostgreSQL", _NO_SCHEMA.format(place.schema), _TENANTS)]
        found = await findings(database)
        unindexed = await without_index(database)
        rows = await row_counts(database)
    except DatabaseError as error:
        trouble = await database_trouble(place.url, error)
        return [*servers, _cannot_be_used("PostgreSQL", trouble)]
    finally:
        await database.close()
    user = make_url(place.url).username or "the default user"
    reachable = Line("ok", "PostgreSQL", f"{database_place(place.url)} answers to {user}")
    missing = {finding.table for finding in found if finding.problem == "missing_table"}
    problems = [_described(finding) for finding in found]
    all_there = f"all tables and columns are there and readable, encoded in {ENCODING}"
    columns = [] if found else [Line("ok", "PostgreSQL", all_there)]
    advice = [_index_advice(table, read, rows) for table, read in unindexed if table not in missing]
    return [*servers, reachable, *problems, *columns, *advice]


async def _server(url: str) -> Line:
    """What one of several servers is. One that does not answer is no problem while another does."""
    server = Server(url, _LIMITS)
    try:
        state = await server.state()
    except DatabaseError as error:
        trouble = await database_trouble(url, error)
        return Line("advice", "PostgreSQL", trouble.message, trouble.remedy)
    finally:
        await server.close()
    return Line("ok", "PostgreSQL", f"{server.place} is a {state.role}")


def _cannot_be_used(server: str, trouble: Trouble) -> Line:
    return Line("problem", server, trouble.message, trouble.remedy)


def _described(finding: Finding) -> Line:
    message, remedy = _FOUND[finding.problem]
    told = message.format(table=finding.table, columns=", ".join(finding.columns))
    return Line("problem", "PostgreSQL", told, remedy)


def _index_advice(table: str, read: str, rows: Mapping[str, int]) -> Line:
    size = max(1, round(rows.get(table, 0) * INDEX_BYTES_A_ROW / 1e6))
    message = _UNINDEXED[read].format(rows=f"{rows.get(table, 0):,}")
    gain = _GAINS[read].format(size=f"{size:,}")
    owner = f"If refreshes are slow, let the tables' owner run what concerns it of {OPTIONAL_INDEXES}."
    return Line("advice", "PostgreSQL", f"{table}: {message}. {gain}", owner)


async def _redis(settings: Settings, whose: Tenant | None) -> list[Line]:
    if other := await mistaken(settings.redis_url):
        return [Line("problem", "Redis", other.message, other.remedy)]
    redis = connect(settings.redis_url)
    try:
        key = manifest_key(settings.grid, (whose or EVERYBODY).tag)
        known = await newest_manifest(redis, settings.cache_policy, key, time.time())
        share = Share(settings.database_share)
        if whose is not None and settings.tenancy.is_many:
            server = settings.tenancy.place_of(whose).server
            share = await share_among(redis, server, share.cores, whose.tag, time.time())
    except (RedisError, OSError) as error:
        return [_cannot_be_used("Redis", await redis_trouble(settings.redis_url, error))]
    finally:
        await redis.aclose()
    answers = Line("ok", "Redis", f"{redis_place(settings.redis_url)} answers")
    return [answers, *([] if known is None else [of_share(known.spending, share)])]


def of_share(spending: Spending, share: Share) -> Line:
    """Whether the instances that run now get along with their share of the database."""
    needed = f"refreshes need {spending.needed:.3g} cores to renew all figures in time, and may take "
    needed += f"{share.part:.3g}"
    if share.tenant is not None:
        needed += f", a part of {share.cores:g} for each of the {share.parts()} tenants that are open there"
    if spending.needed <= share.part:
        return Line("ok", "database share", needed)
    fitting = share.fitting(spending.needed)
    enough = f", or give a share that will do, PARALLEL_OPS_DATABASE_SHARE={fitting}" if fitting else ""
    remedy = (
        f"Add the indexes on created_at if they are missing{enough}; or let changes of old rows show "
        "later, PARALLEL_OPS_OLD_DAYS_SECONDS."
    )
    return Line("advice", "database share", needed, remedy)
