"""The configuration, read once from the environment."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct, defstruct
from sqlalchemy.exc import ArgumentError

from service.api.access.authentication import Keys, public_key
from service.api.access.forwarded import Network, networks
from service.api.access.hosts import ANY
from service.cache.policy import Policy
from service.logs import LogFormat
from service.overview.slo import HINT_LEVELS, OBJECTIVES, Threshold, Thresholds
from service.readings.grid import Grid
from service.shared_redis import UnknownRedisOption, check_url
from service.sources.database import GRACE_SECONDS, DatabaseLimits, UnknownDatabaseOption, address

PREFIX = "PARALLEL_OPS_"
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
RedisUrl = Annotated[str, Meta(pattern=r"^rediss?://")]

T = TypeVar("T", bound=Struct)


class SettingsError(Exception):
    """The configuration cannot be used; the message says which variable, why, and shows an example."""


def _objective_fields() -> Iterator[tuple[str, Any, Any]]:
    for objective in OBJECTIVES:
        yield f"slo_{objective.name}_warn", Fraction, objective.default
        yield f"slo_{objective.name}_critical", Fraction | None, None
        if objective.minimum:
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
    redis_url: RedisUrl
    auth: Literal["required", "disabled"] = "required"
    jwt_secret: str | None = None
    jwt_public_key: str | None = None
    jwt_leeway_seconds: Annotated[float, Meta(ge=0, le=300)] = 30
    scrape_token: Annotated[str, Meta(min_length=MIN_SCRAPE_TOKEN_LENGTH)] | None = None
    refresh_seconds: Annotated[int, Meta(ge=1, le=3600)] = 15
    stale_seconds: Seconds = 60
    max_stale_seconds: Seconds = 300
    statement_timeout_seconds: Seconds = 15
    max_database_queries: Annotated[int, Meta(ge=1, le=100)] = 4
    rate_limit: Annotated[str, Meta(pattern=RATE)] | None = None
    cors_origins: Annotated[str, Meta(pattern=ORIGINS)] = ""
    trusted_proxies: str = ""
    allowed_hosts: Annotated[str, Meta(pattern=HOSTS)] = ""
    database_share: Annotated[float, Meta(gt=0, le=64)] = 0.1
    old_days_seconds: Annotated[float, Meta(gt=0, le=6 * 3600)] = 900
    slow_statement_seconds: Seconds = 1
    drain_seconds: Annotated[float, Meta(ge=0, le=300)] = 2
    shutdown_seconds: Annotated[int, Meta(ge=1, le=300)] = 20
    log_format: LogFormat = "json"
    sign_in_hint: Annotated[str, Meta(max_length=500)] = ""

    @property
    def thresholds(self) -> Thresholds:
        """Where the SLO hints warn and where they are critical."""
        limits: dict[str, Any] = {}
        for objective in OBJECTIVES:
            warn, critical = (getattr(self, f"slo_{objective.name}_{level}") for level in HINT_LEVELS)
            limits[objective.name] = Threshold(warn, critical)
            if objective.minimum:
                limits[objective.minimum.name] = getattr(self, f"slo_{objective.minimum.name}")
        return Thresholds(**limits)

    @property
    def token_keys(self) -> Keys | None:
        """What bearer tokens are verified with; None while authentication is off. Raises SettingsError."""
        if self.auth == "disabled":
            return None
        if self.jwt_public_key is None:
            return Keys((self.jwt_secret or "").encode(), "HS256", self.jwt_leeway_seconds)
        try:
            return public_key(self.jwt_public_key, self.jwt_leeway_seconds)
        except ValueError as error:
            raise SettingsError(_about("jwt_public_key", str(error))) from None

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
        """Whose word counts about whom they ask for. Raises SettingsError."""
        try:
            return networks(self.trusted_proxies)
        except ValueError as error:
            raise SettingsError(_about("trusted_proxies", str(error))) from None

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
        return Grid(self.refresh_seconds, self.old_days_seconds)

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
    "jwt_secret": "at least 32 bytes, the PLM's own; or PARALLEL_OPS_JWT_SECRET_FILE=/run/secrets/jwt",
    "jwt_public_key": "-----BEGIN PUBLIC KEY----- ...; or PARALLEL_OPS_JWT_PUBLIC_KEY_FILE=/run/secrets/pem",
    "scrape_token": "a long random text; or PARALLEL_OPS_SCRAPE_TOKEN_FILE=/run/secrets/scrape",
    "rate_limit": "600/minute",
    "cors_origins": "https://plm.example.com,https://board.example.com",
    "allowed_hosts": "ops.example.com,*.internal.example.com",
    "trusted_proxies": "10.0.0.5,172.18.0.0/16",
    "log_format": "json",
    "sign_in_hint": "https://plm.example.com/account/token",
    "auth": "required",
    **{f"slo_{each.name}_critical": str(each.critical_example) for each in OBJECTIVES},
}


def from_environment(environment: Mapping[str, str]) -> Settings:
    """The settings that the environment holds. Raises SettingsError.

    NAME_FILE names a file that holds the value of NAME; a blank value counts as not given.
    """
    given = {name: _value(environment, name) for name in Settings.__struct_fields__}
    values = {name: value for name, value in given.items() if value is not None}
    try:
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(_explained(str(error), values)) from None
    _check_addresses(settings)
    _check_keys(settings)
    _ = settings.proxies
    return settings


def _check_addresses(settings: Settings) -> None:
    """Find what the patterns let through; what is wrong is not quoted, for it may be the password."""
    for name, parse in (("database_url", address), ("redis_url", check_url)):
        try:
            parse(getattr(settings, name))
        except (UnknownDatabaseOption, UnknownRedisOption) as error:
            raise SettingsError(_about(name, str(error))) from None
        except (ValueError, ArgumentError):
            raise SettingsError(_about(name, "is not an address")) from None


def _check_keys(settings: Settings) -> None:
    if settings.auth == "disabled":
        return
    if settings.jwt_secret and settings.jwt_public_key:
        raise SettingsError(_about("jwt_secret", "is set beside JWT_PUBLIC_KEY; keep one of them"))
    if not settings.jwt_public_key and len((settings.jwt_secret or "").encode()) < MIN_SECRET_BYTES:
        raise SettingsError(_about("jwt_secret", f"must be at least {MIN_SECRET_BYTES} bytes long"))
    _ = settings.token_keys


def _value(environment: Mapping[str, str], name: str) -> str | None:
    variable = PREFIX + name.upper()
    value = environment.get(variable, "").strip()
    file = environment.get(f"{variable}_FILE", "").strip()
    if value and file:
        raise SettingsError(f"{variable} and {variable}_FILE are both set; keep one of them")
    if file:
        try:
            value = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{variable}_FILE cannot be read: {error}") from None
    return value or None


def _explained(problem: str, values: dict[str, Any]) -> str:
    """msgspec's words, with the variable's name in place of its path."""
    reason, _, path = problem.partition(" - at `$.")
    if path:
        return _about(path.rstrip("`"), reason)
    missing = next(name for name in ("database_url", "redis_url") if name not in values)
    return _about(missing, "is not set")


def _about(name: str, reason: str) -> str:
    example = _EXAMPLES.get(name, _default(name))
    return f"{PREFIX}{name.upper()}: {reason} (for example: {PREFIX}{name.upper()}={example})"


def _default(name: str) -> Any:  # noqa: ANN401
    defaults = {field.name: field.default for field in msgspec.structs.fields(Settings)}
    return defaults.get(name)
