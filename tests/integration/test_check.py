"""`parallel-ops check` says what is wrong and what to do, to people and to scripts."""

import asyncio
import os
import socket
from pathlib import Path

import asyncpg
import msgspec
import pytest

from service.check import CheckReport, Line, as_text, inspect
from service.settings import Settings
from tests.support.addresses import nowhere
from tests.support.children import run_program
from tests.support.indexes import optional_indexes
from tests.support.served import COMMAND
from tests.support.tenants import SCHEMA_TEMPLATE, make_schemas
from tests.support.tokens import SECRET

TABLES = ("meta_conversion_jobs", "meta_workflow_custom_action_runs", "meta_breakage_incidents")


def variables(given: dict[str, str]) -> dict[str, str]:
    return {f"PARALLEL_OPS_{name.upper()}": value for name, value in given.items()}


async def lines(given: dict[str, str], status: str) -> list[Line]:
    """What is told with that status, in a thread because the command has a loop of its own."""
    report = await asyncio.to_thread(inspect, variables(given))
    text = as_text(report)
    found = [line for line in report.checks if line.status == status]
    for line in found:
        assert line.message in text
        assert (line.remedy or "") in text
    return found


async def problem(given: dict[str, str]) -> Line:
    """The only problem."""
    (line,) = await lines(given, "problem")
    assert line.remedy
    return line


@pytest.fixture
def good(settings: Settings, database: object, redis: object) -> dict[str, str]:
    """The variables of a configuration that works, and that no instance has worked with of late."""
    return {
        "database_url": settings.database_url,
        "redis_url": settings.redis_url,
        "jwt_secret": SECRET,
        "tenants": "*",
    }


@pytest.fixture
def spoilt(good: dict[str, str], spare_url: str) -> dict[str, str]:
    """The same with a database that a test may spoil."""
    return good | {"database_url": spare_url}


@pytest.mark.parametrize("works", [True, False])
def test_the_exit_status_and_the_json_are_for_scripts(good: dict[str, str], works: bool) -> None:
    given = good if works else good | {"redis_url": nowhere("redis")}
    bare = {name: value for name, value in os.environ.items() if "PARALLEL_OPS" not in name}
    result = run_program(
        [COMMAND, "check", "--json"],
        env=bare | variables(given),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0 if works else 1, "")
    report = msgspec.json.decode(result.stdout)
    assert report["ok"] is works
    assert {"status", "subject", "message", "remedy"} == set(report["checks"][0])


async def test_a_good_configuration_can_be_worked_with(good: dict[str, str]) -> None:
    assert await lines(good, "problem") == []
    assert [line.subject for line in await lines(good, "ok")] == [
        *("configuration", "PostgreSQL", "PostgreSQL", "Redis", "tenants")
    ]


async def test_optional_indexes_are_advice_by_what_they_do(
    spoilt: dict[str, str], spare: asyncpg.Connection
) -> None:
    async def advised() -> set[tuple[str, str]]:
        advice = [line.message.split(": ", 1) for line in await lines(spoilt, "advice")]
        return {(table, "window" if "created_at" in what else "failures") for table, what in advice}

    jobs, runs, incidents = TABLES
    all_five = {(table, "window") for table in TABLES} | {(jobs, "failures"), (runs, "failures")}
    assert await advised() == all_five
    await spare.execute(f"CREATE INDEX any_name ON {jobs} (created_at DESC, id)")
    await spare.execute(f"CREATE INDEX no_help ON {incidents} (status, created_at)")
    await spare.execute(f"CREATE INDEX of_failures ON {runs} (created_at) WHERE lower(status) = 'failed'")
    assert await advised() == all_five - {(jobs, "window"), (runs, "failures")}


async def test_with_the_optional_indexes_there_is_nothing_to_advise(
    spoilt: dict[str, str], spare: asyncpg.Connection
) -> None:
    for statement in optional_indexes():
        await spare.execute(statement)
    assert await lines(spoilt, "advice") == []


async def test_a_missing_table(spoilt: dict[str, str], spare: asyncpg.Connection) -> None:
    await spare.execute("DROP TABLE meta_consumption_plans")
    told = await problem(spoilt)
    assert "meta_consumption_plans is not there" in told.message
    assert "PARALLEL_OPS_DATABASE_URL" in str(told.remedy)


async def test_what_helps_against_several_things_is_said_once(
    spoilt: dict[str, str], spare: asyncpg.Connection
) -> None:
    await spare.execute("DROP TABLE meta_consumption_plans, meta_breakage_incidents")
    problems = await lines(spoilt, "problem")
    text = as_text(CheckReport(problems))
    assert len(problems) == 2
    assert text.count(str(problems[0].remedy)) == 1


async def test_a_missing_column(spoilt: dict[str, str], spare: asyncpg.Connection) -> None:
    await spare.execute("ALTER TABLE meta_conversion_jobs DROP COLUMN payload, DROP COLUMN dedupe_key")
    told = await problem(spoilt)
    assert told.message == "table meta_conversion_jobs lacks: payload, dedupe_key"


async def test_a_missing_grant(spoilt: dict[str, str], spare: asyncpg.Connection) -> None:
    await spare.execute("REVOKE SELECT (result) ON meta_workflow_custom_action_runs FROM parallel_ops_reader")
    told = await problem(spoilt)
    assert told.message == "this role may not read meta_workflow_custom_action_runs: result"
    assert "reader_role.sql" in str(told.remedy)


async def test_a_database_that_is_no_unicode(good: dict[str, str], other_encoding: tuple[str, str]) -> None:
    encoding, url = other_encoding
    told = await problem(good | {"database_url": url})
    assert told.message == f"the database's encoding is {encoding}, and UTF8 is needed"
    assert "UTF8" in [line.message for line in await lines(good, "ok")][2]


async def test_no_postgresql(good: dict[str, str]) -> None:
    told = await problem(good | {"database_url": nowhere("postgresql").replace("127", "reader:hush@127")})
    assert (told.subject, "cannot be used" in told.message) == ("PostgreSQL", True)
    assert "hush" not in told.message


async def test_servers_that_take_the_connection_and_say_nothing(good: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        place = f"127.0.0.1:{mute.getsockname()[1]}"
        silent = {"database_url": f"postgresql://reader:hush@{place}/plm", "redis_url": f"redis://{place}/0"}
        database, redis = await lines(good | silent, "problem")
    assert (database.subject, redis.subject) == ("PostgreSQL", "Redis")
    for told, path, seconds in ((database, "plm", 3), (redis, "0", 1)):
        assert told.message == (
            f"{place}/{path} accepts the connection, but nothing answered within {seconds} s"
        )
        assert f"Look whether {told.subject} is what listens there" in str(told.remedy)


async def test_servers_that_refuse_tls(good: dict[str, str]) -> None:
    asking = {
        "database_url": f"{good['database_url']}?sslmode=require",
        "redis_url": good["redis_url"].replace("redis://", "rediss://"),
    }
    database, redis = await lines(good | asking, "problem")
    assert "The server refused TLS" in str(database.remedy)
    assert "?sslmode=prefer" in str(database.remedy)
    assert "refused TLS" in redis.message
    assert "redis:// in place of rediss://" in str(redis.remedy)


async def test_a_certificate_that_nobody_can_look_at(
    good: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    told = await problem(good | {"database_url": f"{good['database_url']}?sslmode=verify-full"})
    assert "PGSSLROOTCERT" in str(told.remedy)


async def test_another_database_and_another_user(good: dict[str, str]) -> None:
    server = good["database_url"].rpartition("/")[0]
    told = await problem(good | {"database_url": f"{server}/nothing"})
    assert "database's name" in str(told.remedy)
    told = await problem(good | {"database_url": good["database_url"].replace("parallel_ops_reader", "x")})
    assert "Check the user" in str(told.remedy)


async def test_no_redis(good: dict[str, str]) -> None:
    told = await problem(good | {"redis_url": nowhere("redis")})
    assert (told.subject, "does not answer" in told.message) == ("Redis", True)
    assert "every process computes for itself" in str(told.remedy)


async def test_all_mistakes_and_names_that_mean_nothing() -> None:
    problems = await lines({"redis_uri": "redis://cache"}, "problem")
    assert [line.message.partition(":")[0] for line in problems] == [
        f"PARALLEL_OPS_{name}" for name in ("DATABASE_URL", "REDIS_URL", "JWT_SECRET", "TENANTS")
    ]
    (advice,) = await lines({"redis_uri": "redis://cache"}, "advice")
    assert advice.message.startswith("PARALLEL_OPS_REDIS_URI is not known")
    assert "did you mean PARALLEL_OPS_REDIS_URL?" in advice.message


async def test_a_name_that_means_nothing_does_not_keep_the_service_from_working(good: dict[str, str]) -> None:
    misspelt = good | {"ratelimit": "1/second"}
    assert await lines(misspelt, "problem") == []
    advice = [line.message for line in await lines(misspelt, "advice") if line.subject == "configuration"]
    assert ["PARALLEL_OPS_RATE_LIMIT" in each for each in advice] == [True]


async def test_no_part_of_a_password_passes_for_a_host(good: dict[str, str]) -> None:
    told = await problem(good | {"database_url": good["database_url"].replace("@", ":hush@hunter@")})
    assert "%40" in told.message
    assert "hunter" not in told.message
    told = await problem(good | {"redis_url": good["redis_url"].replace("//", "//nobody:hush@hunter@")})
    assert "hunter" not in told.message


async def test_a_configuration_that_cannot_be_used(good: dict[str, str]) -> None:
    del good["redis_url"]
    told = await problem(good)
    assert told.message == "PARALLEL_OPS_REDIS_URL: is not set"
    assert "PARALLEL_OPS_REDIS_URL=redis://" in str(told.remedy)


async def test_one_of_many_tenants_is_looked_at_by_name(
    good: dict[str, str], database: asyncpg.Connection
) -> None:
    await make_schemas(database, ["acme"])
    many = variables(good | {"tenants": "acme,absent", "database_schema": SCHEMA_TEMPLATE})

    async def found(tenant: str | None) -> list[tuple[str, str]]:
        report = await asyncio.to_thread(inspect, many, tenant)
        return [(line.status, line.subject) for line in report.checks if line.status != "ok"]

    assert [each for each in await found("acme") if each[0] == "problem"] == []
    assert await found("absent") == [("problem", "PostgreSQL")]
    assert await found("gamma") == [("problem", "tenants")]
    assert await found(None) == [("advice", "tenants")]
