"""Settings from the environment: every variable, files for secrets, and messages that help."""

from pathlib import Path

import pytest

from service.addresses import redis_place
from service.environment import PREFIX
from service.settings import Settings, SettingsError, from_environment, unknown_variables

REQUIRED = {
    "DATABASE_URL": "postgresql://reader:secret@db/plm",
    "REDIS_URL": "redis://cache:6379/0",
    "AUTH": "disabled",
    "TENANTS": "acme",
}
VALUES = {
    "DATABASE_URL": ("postgres://other@db/plm", "postgres://other@db/plm"),
    "REDIS_URL": ("rediss://cache/1", "rediss://cache/1"),
    "AUTH": ("disabled", "disabled"),
    "JWT_SECRET": ("x" * 32, "x" * 32),
    "SCRAPE_TOKEN": ("a long random text of many letters", "a long random text of many letters"),
    "TENANTS": ("acme", "acme"),
    "DATABASE_SCHEMA": ("yt_t_acme", "yt_t_acme"),
    "REFRESH_SECONDS": ("30", 30),
    "STALE_SECONDS": ("90.5", 90.5),
    "MAX_STALE_SECONDS": ("600", 600),
    "STATEMENT_TIMEOUT_SECONDS": ("5", 5),
    "SLOW_STATEMENT_SECONDS": ("0.5", 0.5),
    "DATABASE_SHARE": ("0.25", 0.25),
    "OLD_DAYS_SECONDS": ("600", 600.0),
    "DRAIN_SECONDS": ("3", 3),
    "SHUTDOWN_SECONDS": ("45", 45),
    "MAX_DATABASE_QUERIES": ("8", 8),
    "MAX_REPLICA_LAG_SECONDS": ("0.5", 0.5),
    "RATE_LIMIT": ("600/minute", "600/minute"),
    "CORS_ORIGINS": ("https://plm.example.com, http://localhost:3000",) * 2,
    "TRUSTED_PROXIES": ("10.0.0.5, 172.18.0.0/16,fd00::/8",) * 2,
    "ALLOWED_HOSTS": ("ops.example.com, *.ops.internal",) * 2,
    "TIME_ZONE": ("Asia/Kathmandu", "Asia/Kathmandu"),
    "LOG_FORMAT": ("console", "console"),
    "PLM_LINK_OBJECT": ("https://plm.example.com/{target_object}/{object_id}",) * 2,
    "PLM_LINK_JOB": ("http://plm:8000/jobs?id={job_id}#top",) * 2,
    "SIGN_IN_HINT": ("Ask Ms. Li", "Ask Ms. Li"),
    "SLO_OVERLAY_CACHE_HIT_RATE_WARN": ("0.9", 0.9),
    "SLO_OVERLAY_CACHE_HIT_RATE_CRITICAL": ("0.5", 0.5),
    "SLO_OVERLAY_CACHE_MIN_REQUESTS": ("0", 0),
    "SLO_DOC_SYNC_MIN_JOBS": ("20", 20),
    "SLO_WORKFLOW_MIN_RUNS": ("30", 30),
    "SLO_BREAKAGE_MIN_INCIDENTS": ("5", 5),
    "SLO_DOC_SYNC_DEAD_LETTER_RATE_WARN": ("0.1", 0.1),
    "SLO_DOC_SYNC_DEAD_LETTER_RATE_CRITICAL": ("1", 1),
    "SLO_WORKFLOW_FAILED_RATE_WARN": ("0", 0),
    "SLO_WORKFLOW_FAILED_RATE_CRITICAL": ("0.2", 0.2),
    "SLO_BREAKAGE_OPEN_RATE_WARN": ("0.4", 0.4),
    "SLO_BREAKAGE_OPEN_RATE_CRITICAL": ("0.6", 0.6),
}
SECONDS = ("STALE_SECONDS", "MAX_STALE_SECONDS", "STATEMENT_TIMEOUT_SECONDS")
SHARES = [name for name in VALUES if name.endswith(("_WARN", "_CRITICAL"))]
BAD = [
    *(("DATABASE_URL", value) for value in ("mysql://db/plm", "db", "postgresql://db:port/plm")),
    *(("DATABASE_URL", f"postgresql://db/plm?{option}") for option in ("sslkey=/x", "port=x", "host=a,b:1")),
    *(("REDIS_URL", f"redis://cache/0?{option}") for option in ("socket_timeout=x", "ssl_ca_certs=/x")),
    *(("REDIS_URL", value) for value in ("http://cache", "cache:6379", "redis://cache:port")),
    *(("AUTH", value) for value in ("off", "Required", "0")),
    *(("TENANTS", value) for value in ("acme,*", "a b", "a/b", "-a", "x" * 64, "acme,ü")),
    *(
        ("DATABASE_SCHEMA", value)
        for value in ("1a", "a-b", "a.b", "a b", "yt_{tenant}", "yt_{org_id}", "x" * 64)
    ),
    *(("LOG_FORMAT", value) for value in ("text", "JSON")),
    *(("TIME_ZONE", value) for value in ("Mars/Olympus", "+08:00", "../etc/passwd", "/etc/localtime")),
    ("SIGN_IN_HINT", "x" * 501),
    *(("RATE_LIMIT", value) for value in ("600", "0/minute", "-1/second", "600/day", "600 per minute", "x")),
    *(
        ("CORS_ORIGINS", value)
        for value in ("*", "plm.example.com", "https://a.example/path", "https://a.example,")
    ),
    *(("TRUSTED_PROXIES", value) for value in ("*", "nginx", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.5:80")),
    *(
        ("ALLOWED_HOSTS", value)
        for value in ("ops.example.com:8000", "*.", "a.*.b", "https://ops", "*,a.b", "a b")
    ),
    *(
        ("PLM_LINK_OBJECT", value)
        for value in (
            *(
                "javascript:alert('{object_id}')",
                "//plm/{object_id}",
                "ftp://plm/{object_id}",
                "/items/{object_id}",
            ),
            *(
                "https://plm/items",
                "https://plm/{id}",
                "https://plm/{object_id!r}",
                "https://plm/{object_id:>9}",
            ),
            *(
                "https://plm/{object_id.x}",
                "https://plm/{}",
                "https://plm/{object_id",
                "https://plm/a b/{object_id}",
            ),
            *("https://{object_id}/items", "https:///{object_id}", "https://[plm/{object_id}"),
        )
    ),
    *(("PLM_LINK_JOB", value) for value in ("plm", "https://plm/{object_id}", "data:text/html,{job_id}")),
    *(("REFRESH_SECONDS", value) for value in ("0", "-1", "3601", "1.5", "x", "15s")),
    *(("MAX_DATABASE_QUERIES", value) for value in ("0", "101", "x", "nan")),
    *(("MAX_REPLICA_LAG_SECONDS", value) for value in ("-1", "11", "x", "nan")),
    *(("SLO_OVERLAY_CACHE_MIN_REQUESTS", value) for value in ("-1", "x", "0.5")),
    *((name, value) for name in SECONDS for value in ("0", "-1", "x", "nan", "inf", "1e400")),
    *((name, value) for name in SHARES for value in ("-0.1", "1.1", "5%", "nan", "inf", "x")),
]


def read(**variables: str) -> Settings:
    """The settings of a sound environment with these variables changed."""
    named = {PREFIX + name: value for name, value in (REQUIRED | variables).items()}
    return from_environment({"PATH": "/bin", **named})


@pytest.mark.parametrize("name", VALUES)
def test_every_variable_is_read(name: str) -> None:
    text, value = VALUES[name]
    assert getattr(read(**{name: text}), name.lower()) == value
    assert getattr(read(**{name: f" {text}\n"}), name.lower()) == value


@pytest.mark.parametrize("name", [name for name in VALUES if name not in ("AUTH", "LOG_FORMAT")])
def test_every_variable_can_be_in_a_file(name: str, tmp_path: Path) -> None:
    text, value = VALUES[name]
    file = tmp_path / "value"
    file.write_text(f"{text}\n")
    environment = {key: value for key, value in REQUIRED.items() if key != name}
    named = {PREFIX + key: value for key, value in environment.items()}
    settings = from_environment({**named, f"{PREFIX}{name}_FILE": str(file)})
    assert getattr(settings, name.lower()) == value


def test_defaults_are_the_contracts() -> None:
    settings = read()
    assert (settings.refresh_seconds, settings.stale_seconds, settings.max_stale_seconds) == (15, 60, 300)
    thresholds = settings.thresholds
    assert thresholds.overlay_cache_hit_rate.warn == 0.8
    assert thresholds.overlay_cache_min_requests == 10
    assert thresholds.doc_sync_dead_letter_rate.warn == 0.05
    assert thresholds.workflow_failed_rate.warn == 0.02
    assert thresholds.breakage_open_rate.warn == 0.5
    criticals = [name for name in Settings.__struct_fields__ if name.endswith("_critical")]
    assert [getattr(settings, name) for name in criticals] == [None] * 4


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_value_is_refused_with_the_variables_name_and_an_example(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(**{name: value})
    message = str(refused.value)
    assert message.startswith(f"{PREFIX}{name}: ")
    example = message.partition(f"(for example: {PREFIX}{name}=")[2].removesuffix(")")
    assert getattr(read(**{"JWT_SECRET": "x" * 32, name: example}), name.lower()) is not None


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_address_is_named(name: str, value: str | None) -> None:
    named = {PREFIX + key: text for key, text in REQUIRED.items() if key != name}
    with pytest.raises(SettingsError, match=rf"^{PREFIX}{name}: is not set \(for example: {PREFIX}{name}="):
        from_environment(named if value is None else {**named, PREFIX + name: value})


def test_authentication_is_required_unless_it_is_switched_off() -> None:
    with pytest.raises(SettingsError, match=f"^{PREFIX}JWT_SECRET: is not set"):
        read(AUTH="")
    with pytest.raises(SettingsError, match=f"^{PREFIX}JWT_SECRET: must be at least 32 bytes long"):
        read(AUTH="required", JWT_SECRET="x" * 31)
    assert read(AUTH="required", JWT_SECRET="x" * 32).auth == "required"


def test_all_that_is_missing_is_told_at_once_with_all_that_is_possible() -> None:
    with pytest.raises(SettingsError) as refused:
        from_environment({f"{PREFIX}REFRESH_SECONDS": "x", f"{PREFIX}RATE_LIMIT": "600"})
    told = {problem.variable.removeprefix(PREFIX): str(problem) for problem in refused.value.problems}
    assert list(told) == [
        "DATABASE_URL",
        "REDIS_URL",
        "JWT_SECRET",
        "TENANTS",
        "REFRESH_SECONDS",
        "RATE_LIMIT",
    ]
    assert str(refused.value).splitlines() == list(told.values())
    for possible in ("JWT_SECRET=", "JWT_SECRET_FILE=", "JWT_PUBLIC_KEY", "AUTH=disabled"):
        assert PREFIX + possible in told["JWT_SECRET"]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("DATABSE_URL", "DATABASE_URL"),
        ("REDIS_URI", "REDIS_URL"),
        ("JWT_SECRET_FIEL", "JWT_SECRET_FILE"),
        ("SLO_WORKFLOW_FAILED_WARN", "SLO_WORKFLOW_FAILED_RATE_WARN"),
        ("ZZZ", None),
    ],
)
def test_what_looks_like_a_setting_is_named_with_the_nearest_that_is_one(
    name: str, nearest: str | None
) -> None:
    files = {f"{each.upper()}_FILE" for each in Settings.__struct_fields__}
    good = {PREFIX + each for each in (*VALUES, *files, "DRAINING_SIGN")}
    (found,) = unknown_variables({*good, PREFIX + name, name, "PATH"})
    assert (found.variable, found.nearest) == (PREFIX + name, nearest and PREFIX + nearest)
    assert str(found) == f"{PREFIX}{name} is not known and changes nothing" + (
        f"; did you mean {PREFIX}{nearest}?" if nearest else ""
    )


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DATABASE_URL", "postgresql://reader:hun@ter2@db/plm"),
        ("DATABASE_URL", "postgresql://reader:hun/t@er2@db/plm"),
        ("REDIS_URL", "redis://:hun/ter2@cache/0"),
        ("REDIS_URL", "redis://reader:12?ter2@cache/0"),
        ("REDIS_URL", "redis://reader:12#ter2@cache/0"),
    ],
)
def test_a_password_that_would_pass_for_the_host_is_refused_and_not_shown(name: str, url: str) -> None:
    with pytest.raises(SettingsError, match=f"^{PREFIX}{name}: has an @ too many.*%40") as refused:
        read(**{name: url})
    assert "er2" not in str(refused.value)


def test_an_at_in_redis_password_is_what_its_client_makes_of_it() -> None:
    assert read(REDIS_URL="redis://:hun@ter2@cache:6380/1").redis_url.endswith("1")
    assert redis_place("redis://:hun@ter2@cache:6380/1") == "cache:6380/1"


def test_a_value_and_a_file_of_the_same_name_are_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=f"^{PREFIX}JWT_SECRET: is set beside {PREFIX}JWT_SECRET_FILE"):
        read(JWT_SECRET="x" * 32, JWT_SECRET_FILE=str(tmp_path))


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=f"the file in {PREFIX}JWT_SECRET_FILE cannot be read: "):
        read(JWT_SECRET_FILE=str(file))


def test_no_refusal_shows_a_password() -> None:
    for url in ("postgresql://reader:hunter2@db:port/plm", "mysql://reader:hunter2@db/plm"):
        with pytest.raises(SettingsError) as refused:
            read(DATABASE_URL=url)
        assert "hunter2" not in str(refused.value)


def test_the_table_above_leaves_no_variable_out() -> None:
    known = {name.upper() for name in Settings.__struct_fields__}
    elsewhere = {"JWT_PUBLIC_KEY", "JWT_LEEWAY_SECONDS"}  # the tests of authentication
    assert set(VALUES) == known - elsewhere


@pytest.mark.parametrize(
    ("name", "url", "option"),
    [
        ("DATABASE_URL", "postgresql://db/plm?sslmode=require&application_name=secret", "application_name"),
        ("REDIS_URL", "redis://cache/0?colour=secret", "colour"),
    ],
)
def test_an_option_that_is_not_known_is_named_and_its_value_is_not(name: str, url: str, option: str) -> None:
    with pytest.raises(SettingsError, match=rf"{PREFIX}{name}: .* not known: '?{option}'? ") as refusal:
        from_environment({f"{PREFIX}{key}": value for key, value in (REQUIRED | {name: url}).items()})
    assert "=secret" not in str(refusal.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://reader:secret@db/plm?sslmode=verify-full",
        "postgresql://reader:secret@db/plm?ssl=require",
        "postgresql://reader:secret@/plm?host=db-1:5432&host=db-2:5432&target_session_attrs=prefer-standby",
    ],
)
def test_a_database_may_be_named_in_several_ways(url: str) -> None:
    environment = {f"{PREFIX}{key}": value for key, value in (REQUIRED | {"DATABASE_URL": url}).items()}
    assert from_environment(environment).database_url == url


@pytest.mark.parametrize(("statement", "lock"), [("0.5", 0.5), ("3", 3), ("3.5", 3), ("60", 3)])
def test_a_lock_is_waited_for_as_long_as_a_statement_may_take_and_at_most_three_seconds(
    statement: str, lock: float
) -> None:
    limits = read(STATEMENT_TIMEOUT_SECONDS=statement, MAX_DATABASE_QUERIES="7").database_limits
    assert limits.lock_timeout_seconds == lock
    assert (limits.statement_timeout_seconds, limits.max_queries) == (float(statement), 7)


@pytest.mark.parametrize(
    ("stale", "max_stale", "kept"), [("60", "300", 300), ("60", "10", 60), ("5", "5", 5)]
)
def test_what_hides_a_refresh_also_bridges_a_failure(stale: str, max_stale: str, kept: float) -> None:
    policy = read(STALE_SECONDS=stale, MAX_STALE_SECONDS=max_stale, REFRESH_SECONDS="2").cache_policy
    assert (policy.refresh, policy.stale, policy.max_stale) == (2, float(stale), kept)


def test_a_request_waits_for_one_statement_and_a_computation_for_its_turn_as_well() -> None:
    policy = read(STATEMENT_TIMEOUT_SECONDS="10").cache_policy
    assert (policy.answer, policy.compute) == (12, 24)
