"""The configuration, read once from the environment."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, TypeVar

from msgspec import Meta, Struct, defstruct

from service.addresses import check_database_url, check_redis_url
from service.api.access.authentication import Keys, public_key
from service.api.access.forwarded import Network, networks
from service.api.access.hosts import ANY
from service.cache.policy import Policy
from service.dashboard.links import JOB_FIELDS, OBJECT_FIELDS, Links, check_template
from service.draining import SIGN_VARIABLE
from service.environment import Problem, Unknown, read, unknown, variable_of
from service.logs import LogFormat
from service.overview.clock import time_zone
from service.overview.slo import HINT_LEVELS, OBJECTIVES, Threshold, Thresholds
from service.readings.account import MOST_CORES
from service.readings.grid import Grid
from service.sources.database import GRACE_SECONDS, DatabaseLimits
from service.tenants.tenancy import Tenancy, check_schema, contradictions, filled, listed

MIN_SECRET_BYTES = 32
MIN_SCRAPE_TOKEN_LENGTH = 16

RATE = r"^[1-9][0-9]{0,8}/(second|minute|hour)$"
_ORIGIN = r"https?://[^/\s,]+"
ORIGINS = rf"^({_ORIGIN}(\s*,\s*{_ORIGIN})*)?$"

_HOST = r"(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*"
HOSTS = rf"^(\*|{_HOST}(\s*,\s*{_HOST})*)?$"

Fraction = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(gt=0, le=24 * 3600)]
PostgresUrl = Annotated[str, Meta(pattern=r"^postgres(ql)?://")]

T = TypeVar("T", bound=Struct)


class SettingsError(Exception):
    """The configuration cannot be used; a problem says which variable, why, and shows an example."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def _objective_fields() -> Iterator[tuple[str, Any, Any]]:
    for objective in OBJECTIVES:
        yield f"slo_{objective.name}_warn", Fraction, objective.default
        yield f"slo_{objective.name}_critical", Fraction | None, None
        yield f"slo_{objective.minimum.name}", Annotated[int, Meta(ge=0)], objective.minimum.default


def _with_objectives(base: type[T]) -> type[T]:
    """The struct with a field for each threshold of each objective."""
    namespace = {"__doc__": base.__doc__, "__module__": base.__module__}
    return defstruct(  # type: ignore[return-value]
        base.__name__, _objective_fields(), bases=(base,), namespace=namespace, frozen=True, kw_only=True
    )


@_with_objectives
class Settings(Struct, frozen=True, kw_only=True):
    """One field for each PARALLEL_OPS_ variable, in lower case. Seconds are seconds, fractions 0 to 1.

    Those of the SLO thresholds come after these, made from OBJECTIVES.
    """

    database_url: PostgresUrl
    redis_url: str
    auth: Literal["required", "disabled"] = "required"
    jwt_secret: str | None = None
    jwt_public_key: str | None = None
    jwt_leeway_seconds: Annotated[float, Meta(ge=0, le=300)] = 30
    scrape_token: Annotated[str, Meta(min_length=MIN_SCRAPE_TOKEN_LENGTH)] | None = None
    tenants: str = ""
    database_schema: str | None = None
    refresh_seconds: Annotated[int, Meta(ge=1, le=3600)] = 15
    stale_seconds: Seconds = 60
    max_stale_seconds: Seconds = 300
    statement_timeout_seconds: Seconds = 15
    max_database_queries: Annotated[int, Meta(ge=1, le=100)] = 4
    max_replica_lag_seconds: Annotated[float, Meta(ge=0, le=10)] = 1
    rate_limit: Annotated[str, Meta(pattern=RATE)] | None = None
    cors_origins: Annotated[str, Meta(pattern=ORIGINS)] = ""
    trusted_proxies: str = ""
    allowed_hosts: Annotated[str, Meta(pattern=HOSTS)] = ""
    database_share: Annotated[float, Meta(gt=0, le=MOST_CORES)] = 0.1
    old_days_seconds: Annotated[float, Meta(gt=0, le=6 * 3600)] = 900
    time_zone: str = "UTC"
    slow_statement_seconds: Seconds = 1
    drain_seconds: Annotated[float, Meta(ge=0, le=300)] = 2
    shutdown_seconds: Annotated[int, Meta(ge=1, le=300)] = 20
    log_format: LogFormat = "json"
    plm_link_object: str | None = None
    plm_link_job: str | None = None
    sign_in_hint: Annotated[str, Meta(max_length=500)] = ""

    @property
    def thresholds(self) -> Thresholds:
        """Where the SLO hints warn and where they are critical."""
        limits: dict[str, Any] = {}
        for objective in OBJECTIVES:
            warn, critical = (getattr(self, f"slo_{objective.name}_{level}") for level in HINT_LEVELS)
            limits[objective.name] = Threshold(warn, critical)
            limits[objective.minimum.name] = getattr(self, f"slo_{objective.minimum.name}")
        return Thresholds(**limits)

    @property
    def token_keys(self) -> Keys | None:
        """What bearer tokens are verified with; None while authentication is off."""
        if self.auth == "disabled":
            return None
        if self.jwt_public_key is None:
            return Keys((self.jwt_secret or "").encode(), "HS256", self.jwt_leeway_seconds)
        return public_key(self.jwt_public_key, self.jwt_leeway_seconds)

    @property
    def tenancy(self) -> Tenancy:
        """Which tenants there are, and where the rows of each are."""
        return Tenancy(self.database_url, self.database_schema, listed(self.tenants))

    @property
    def origins(self) -> tuple[str, ...]:
        """The other origins whose pages may read answers."""
        return tuple(origin.strip() for origin in self.cors_origins.split(",") if origin.strip())

    @property
    def hosts(self) -> tuple[str, ...] | None:
        """The names that the service goes by, beside those that are always safe; None is any name.

        Where a token is needed, any name will do unless some are given: no other name's page has the token.
        """
        if self.allowed_hosts == ANY or (self.auth == "required" and not self.allowed_hosts):
            return None
        return tuple(name.strip().lower() for name in self.allowed_hosts.split(",") if name.strip())

    @property
    def proxies(self) -> tuple[Network, ...]:
        """Whose word counts about whom they ask for."""
        return networks(self.trusted_proxies)

    @property
    def links(self) -> Links:
        """Where the PLM has its own pages of what failed."""
        return Links(self.plm_link_object, self.plm_link_job)

    @property
    def database_limits(self) -> DatabaseLimits:
        """What one process may ask of the database."""
        return DatabaseLimits(
            statement_timeout_seconds=self.statement_timeout_seconds,
            lock_timeout_seconds=min(self.statement_timeout_seconds, 3.0),
            max_queries=self.max_database_queries,
            slow_seconds=self.slow_statement_seconds,
        )

    @property
    def grid(self) -> Grid:
        """How days are cut, and when they are read again."""
        return Grid(self.refresh_seconds, self.old_days_seconds, time_zone(self.time_zone))

    @property
    def cache_policy(self) -> Policy:
        """How long snapshots live, and how long a request waits for one.

        A request waits for one statement; a computation may have waited as long for its turn.
        """
        statement = self.statement_timeout_seconds + GRACE_SECONDS
        return Policy(
            refresh=self.refresh_seconds,
            stale=self.stale_seconds,
            max_stale=max(self.stale_seconds, self.max_stale_seconds),
            answer=statement + 1,
            compute=2 * statement + 2,
        )


_EXAMPLES: dict[str, str] = {
    "database_url": "postgresql://parallel_ops_reader:secret@db.internal:5432/plm",
    "redis_url": "redis://cache.internal:6379/0",
    "tenants": "acme",
    "database_schema": "plm",
    "jwt_secret": "at least 32 bytes, the PLM's own; or PARALLEL_OPS_JWT_SECRET_FILE=/run/secrets/jwt",
    "jwt_public_key": "-----BEGIN PUBLIC KEY----- ...; or PARALLEL_OPS_JWT_PUBLIC_KEY_FILE=/run/secrets/pem",
    "scrape_token": "a long random text; or PARALLEL_OPS_SCRAPE_TOKEN_FILE=/run/secrets/scrape",
    "rate_limit": "600/minute",
    "cors_origins": "https://plm.example.com,https://board.example.com",
    "allowed_hosts": "ops.example.com,*.internal.example.com",
    "trusted_proxies": "10.0.0.5,172.18.0.0/16",
    "time_zone": "Asia/Shanghai",
    "log_format": "json",
    "plm_link_object": "https://plm.example.com/items/{object_id}",
    "plm_link_job": "https://plm.example.com/jobs/{job_id}",
    "sign_in_hint": "https://plm.example.com/account/token",
    "auth": "required",
    **{f"slo_{each.name}_critical": str(each.critical_example) for each in OBJECTIVES},
}


def from_environment(environment: Mapping[str, str]) -> Settings:
    """The settings that the environment holds. Raises SettingsError."""
    values, problems = read(Settings, environment, _CHECKS, _EXAMPLES)
    if problems.keys() & _KEYS <= values.keys():  # what could not be read may be there
        problems |= _without_keys(**{name: values[name] for name in _KEYS & values.keys()})
    if not problems.keys() & (_PLACES - {"database_url"}):
        problems |= _contradictions(**{name: values[name] for name in _PLACES & values.keys()})
    if problems:
        raise SettingsError(tuple(problems[name] for name in Settings.__struct_fields__ if name in problems))
    return Settings(**values)


def unknown_variables(environment: Iterable[str]) -> list[Unknown]:
    """The variables that look like settings and are none: a typo must not pass for one."""
    return unknown(environment, Settings, SIGN_VARIABLE)


_CHECKS = {
    "database_url": lambda url: check_database_url(filled(url)),
    "database_schema": check_schema,
    "tenants": listed,
    "redis_url": check_redis_url,
    "jwt_public_key": lambda pem: public_key(pem, 0),
    "trusted_proxies": networks,
    "time_zone": time_zone,
    "plm_link_object": lambda template: check_template(template, OBJECT_FIELDS),
    "plm_link_job": lambda template: check_template(template, JOB_FIELDS),
}
_PLACES = frozenset({"auth", "tenants", "database_url", "database_schema"})
_KEYS = frozenset({"auth", "jwt_secret", "jwt_public_key"})
_WHAT_KEYS_THERE_ARE = (
    "is not set, and callers need a token: give the PLM's secret here, or its public key in "
    f"{variable_of('jwt_public_key')}; or let everybody in who reaches the port, on trusted networks alone, "
    f"by {variable_of('auth')}=disabled"
)


def _without_keys(
    auth: str = "required", jwt_secret: str = "", jwt_public_key: str = ""
) -> dict[str, Problem]:
    """What is wrong with keys that are good each by itself."""
    if auth == "disabled" or (jwt_public_key and not jwt_secret):
        return {}
    if jwt_public_key:
        reason = f"is set beside {variable_of('jwt_public_key')}; keep one of them"
    elif not jwt_secret:
        reason = _WHAT_KEYS_THERE_ARE
    elif len(jwt_secret.encode()) < MIN_SECRET_BYTES:
        reason = f"must be at least {MIN_SECRET_BYTES} bytes long"
    else:
        return {}
    return {"jwt_secret": Problem(variable_of("jwt_secret"), reason, _EXAMPLES["jwt_secret"])}


def _contradictions(
    database_url: str = "", auth: str = "required", tenants: str = "", database_schema: str | None = None
) -> dict[str, Problem]:
    """What is wrong with the tenants and where their rows are, all of which is good by itself."""
    tenancy = Tenancy(database_url, database_schema, listed(tenants))
    return {
        name: Problem(variable_of(name), reason, _EXAMPLES[name])
        for name, reason in contradictions(tenancy, is_guarded=auth == "required")
    }
