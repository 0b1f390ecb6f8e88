"""Which tenants there are, and where the rows of each are.

Two tenants never have the same place: of ids that lead to one (the slugs of schemas are alike for `a-b` and
`A_B`) a list is refused, and of ids that are not listed whoever came first keeps it.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from hashlib import sha256

from msgspec import Struct
from sqlalchemy import make_url

from service.sources.replicas import PREFER_STANDBY, several
from service.tenants.tenant import BETWEEN, EVERYBODY, Forbidden, Tenant, is_id

ANY = "*"
TENANT, ORG = "{tenant_id}", "{org_id}"
# PostgreSQL cuts longer names, and two that are cut alike would be one.
MAX_NAME_BYTES = 63
HASH_DIGITS = 8
EXAMPLE = "x"
_SCHEMA = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_PLACEHOLDER = re.compile(r"\{\w*_id\}")
# Schemas that are no tenant's, whatever its id is.
_NOBODYS = re.compile("public|information_schema|pg_.*")
REFUSED = "this service does not hold the figures of your tenant"


class Place(Struct, frozen=True):
    """Where rows are: the database's address, and the schema, None for those of the role's search path."""

    url: str
    schema: str | None = None

    @property
    def identity(self) -> tuple[object, ...]:
        """The same for places that are one. Names of hosts have no case, those of databases have."""
        parts = make_url(self.url)
        hosts = (parts.host, *parts.normalized_query.get("host", ()))
        return (
            *(tuple((host or "").lower() for host in hosts), parts.port),
            *(parts.username, parts.database, self.schema),
        )

    @property
    def server(self) -> str:
        """The server, whatever the database."""
        parts = make_url(self.url)
        hosts = (parts.host or "", *parts.normalized_query.get("host", ()))
        return f"{','.join(hosts).lower()}:{parts.port or ''}"


class Tenancy(Struct, frozen=True, dict=True):
    """Who may ask, and where their rows are; `ids` are those listed, or ANY alone; none without tenants.

    `url` and `schema` may hold placeholders, which a tenant's id and organisation stand in for.
    """

    url: str
    schema: str | None = None
    ids: tuple[str, ...] = ()

    @cached_property
    def is_many(self) -> bool:
        """Whether each tenant's rows are in a place of its own."""
        return TENANT in self._templates

    @cached_property
    def has_orgs(self) -> bool:
        """Whether each organisation of a tenant has a place of its own."""
        return ORG in self._templates

    @cached_property
    def has_tenants(self) -> bool:
        """Whether tenants are told apart."""
        return self.is_many or self.is_one

    @property
    def is_of_any(self) -> bool:
        """Whether every tenant's token opens the same figures."""
        return self.ids == (ANY,) and not self.is_many

    @property
    def is_one(self) -> bool:
        """Whether it is one tenant alone that may ask."""
        return len(self.ids) == 1 and self.ids[0] != ANY and not self.is_many

    @property
    def _templates(self) -> str:
        return f"{self.url} {self.schema or ''}"

    @cached_property
    def only(self) -> Tenant | None:
        """Whose figures everybody gets who may ask; None where there are many tenants."""
        if self.is_many:
            return None
        return Tenant(self.ids[0]) if self.is_one else EVERYBODY

    def admit(self, claimed: object, org: object = None) -> Tenant:
        """The tenant that a token names, by its claims. Raises Forbidden."""
        if self.only == EVERYBODY:
            return EVERYBODY
        if not isinstance(claimed, str) or not is_id(claimed):
            raise Forbidden(REFUSED)
        if self.ids != (ANY,) and claimed not in self.ids:
            raise Forbidden(REFUSED)
        if not self.has_orgs:
            return Tenant(claimed)
        if not isinstance(org, str) or not is_id(org):
            raise Forbidden("the token names no organisation whose figures this service holds")
        return Tenant(claimed, org)

    def named(self, tag: str) -> Tenant:
        """The tenant that somebody names by hand: acme, or acme.design. Raises Forbidden."""
        tenant, _, org = tag.partition(BETWEEN)
        return self.admit(tenant, org or None)

    def place_of(self, tenant: Tenant) -> Place:
        """Where the rows of a tenant are that was let in. Raises Forbidden."""
        if _is_ambiguous(self.url, tenant.id, tenant.org) or _is_ambiguous(
            self.schema or "", slug(tenant.id), slug(tenant.org)
        ):
            raise Forbidden(REFUSED)
        url = self.url.replace(TENANT, tenant.id).replace(ORG, tenant.org)
        name = (make_url(url).database or "") if self.is_many else ""
        if len(name.encode()) > MAX_NAME_BYTES:
            raise Forbidden(REFUSED)
        if self.schema is None or not self.is_many:
            return Place(url, self.schema)
        schema = self._schema_of(tenant)
        if _NOBODYS.fullmatch(schema):
            raise Forbidden(REFUSED)
        return Place(url, schema)

    def _schema_of(self, tenant: Tenant) -> str:
        name = (self.schema or "").replace(TENANT, slug(tenant.id)).replace(ORG, slug(tenant.org))
        if len(name.encode()) <= MAX_NAME_BYTES:
            return name
        digest = sha256(name.encode()).hexdigest()[:HASH_DIGITS]
        return f"{name[: MAX_NAME_BYTES - HASH_DIGITS - 1]}_{digest}"


def _is_ambiguous(template: str, tenant_id: str, org_id: str) -> bool:
    """Whether other ids would make the same name: `a` and `b_c` that of `a_b` and `c`."""
    ids = ((TENANT, tenant_id), (ORG, org_id))
    places = sorted((template.find(each), each, text) for each, text in ids)
    (first_at, first, before), (second_at, _, after) = places
    if first_at < 0:
        return False
    between = template[first_at + len(first) : second_at]
    name = before + between + after
    ends = len(name) - len(between)
    return any(name.startswith(between, at) for at in range(1, ends) if at != len(before))


def slug(tenant_id: str) -> str:
    """The PLM's: lower-case, and `_` for all that is no letter, digit or underscore."""
    return re.sub("[^a-z0-9_]", "_", tenant_id.lower())


def listed(text: str) -> tuple[str, ...]:
    """The ids of a comma-separated list, or ANY alone. Raises ValueError."""
    ids = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if ids == (ANY,):
        return ids
    for each in ids:
        if not is_id(each):
            raise ValueError(
                f"{each!r} is no tenant's id: up to 63 letters, digits, _ and -, the first a letter or digit"
                + (f"; {ANY} stands alone" if ANY in each else "")
            )
    return ids


def filled(template: str) -> str:
    """The template with examples in place of its placeholders. Raises ValueError for unknown ones."""
    for found in _PLACEHOLDER.findall(template):
        if found not in (TENANT, ORG):
            raise ValueError(f"holds {found}, and only {TENANT} and {ORG} are filled in")
    if ORG in template and TENANT not in template:
        raise ValueError(f"holds {ORG}, which wants {TENANT} beside it")
    if TENANT + ORG in template or ORG + TENANT in template:
        raise ValueError(f"wants something between {TENANT} and {ORG} that is in no id, such as __")
    return template.replace(TENANT, EXAMPLE).replace(ORG, EXAMPLE)


def check_schema(template: str) -> None:
    """Raises ValueError for what names no schema."""
    name = filled(template)
    if not _SCHEMA.fullmatch(name) or len(name) > MAX_NAME_BYTES:
        raise ValueError("must be up to 63 letters, digits and _, the first no digit")


def contradictions(tenancy: Tenancy, *, is_guarded: bool) -> Iterator[tuple[str, str]]:
    """What is wrong with settings that are good each by itself: a setting's name, and a reason.

    `is_guarded` says whether callers need a token.
    """
    if is_guarded and not tenancy.ids:
        yield (
            "tenants",
            "is not set, and tokens are a tenant's: give the id of the tenant whose figures these are; "
            f"{ANY} if this one database holds those of all tenants; or a list of ids (or {ANY}), and "
            f"{TENANT} in PARALLEL_OPS_DATABASE_URL or PARALLEL_OPS_DATABASE_SCHEMA",
        )
    if tenancy.is_many and not tenancy.ids:
        where = "database_schema" if TENANT in (tenancy.schema or "") else "database_url"
        yield where, f"holds {TENANT}, and PARALLEL_OPS_TENANTS does not say whose"
    if tenancy.is_many and tenancy.ids and not is_guarded:
        yield (
            "tenants",
            "there are many, and with PARALLEL_OPS_AUTH=disabled no token says whose figures are asked for",
        )
    if tenancy.is_many and tenancy.url and several(tenancy.url):
        yield (
            "database_url",
            f"names several servers for many tenants: with {PREFER_STANDBY} a deployment reads those of one",
        )
    if len(tenancy.ids) > 1 and not tenancy.is_many:
        yield (
            "tenants",
            f"lists several, and nothing says where each one's rows are: put {TENANT} in "
            "PARALLEL_OPS_DATABASE_URL or PARALLEL_OPS_DATABASE_SCHEMA",
        )
    if tenancy.is_many and tenancy.url and ANY not in tenancy.ids:
        yield from _same_places(tenancy)


def _same_places(tenancy: Tenancy) -> Iterator[tuple[str, str]]:
    org = EXAMPLE if tenancy.has_orgs else ""
    try:
        places = [(each, tenancy.place_of(Tenant(each, org)).identity) for each in tenancy.ids]
    except Forbidden:
        yield "tenants", "has an id that makes no name of a database or schema of its own"
        return
    first: dict[object, str] = {}
    for each, place in places:
        if place in first:
            yield "tenants", f"{first[place]} and {each} would have the same database or schema"
            return
        first[place] = each
