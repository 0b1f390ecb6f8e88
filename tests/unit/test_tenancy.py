"""Which tenants there are, and where the rows of each are: from settings to places."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.environment import PREFIX
from service.settings import Settings, SettingsError, from_environment
from service.tenants.tenancy import MAX_NAME_BYTES, Tenancy
from service.tenants.tenant import EVERYBODY, Forbidden, Tenant

URL = "postgresql://reader@db/plm"
BY_DATABASE = "postgresql://reader@db/plm_{tenant_id}"
BY_STANDBY = (
    "postgresql://reader@/plm_{tenant_id}?host=a:5432&host=b:5432&target_session_attrs=prefer-standby"
)
BY_ORG = "postgresql://reader@db/{tenant_id}_{org_id}"
BY_SCHEMA = "yt_t_{tenant_id}"
IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", fullmatch=True)


def read(**variables: str) -> Settings:
    """Settings of a service that wants tokens, with these."""
    given = {"DATABASE_URL": URL, "REDIS_URL": "redis://cache", "JWT_SECRET": "x" * 32} | variables
    return from_environment({PREFIX + name: value for name, value in given.items()})


@pytest.mark.parametrize(
    ("variables", "only", "url", "schema"),
    [
        ({"AUTH": "disabled"}, EVERYBODY, URL, None),
        ({"TENANTS": "*"}, EVERYBODY, URL, None),
        ({"TENANTS": "acme"}, Tenant("acme"), URL, None),
        ({"TENANTS": "acme", "AUTH": "disabled"}, Tenant("acme"), URL, None),
        ({"TENANTS": "acme", "DATABASE_SCHEMA": "plm"}, Tenant("acme"), URL, "plm"),
        ({"TENANTS": "acme, beta", "DATABASE_URL": BY_DATABASE}, None, f"{URL}_acme", None),
        ({"TENANTS": "*", "DATABASE_URL": BY_DATABASE}, None, f"{URL}_acme", None),
        ({"TENANTS": "acme,beta", "DATABASE_SCHEMA": BY_SCHEMA}, None, URL, "yt_t_acme"),
    ],
)
def test_where_a_tenants_rows_are(
    variables: dict[str, str], only: Tenant | None, url: str, schema: str | None
) -> None:
    tenancy = read(**variables).tenancy
    place = tenancy.place_of(tenancy.admit("acme"))
    assert (tenancy.only, place.url, place.schema) == (only, url, schema)


@pytest.mark.parametrize(
    ("variables", "named", "reason"),
    [
        ({}, "TENANTS", "is not set"),
        ({"TENANTS": "acme,beta"}, "TENANTS", "nothing says where each one's rows are"),
        ({"DATABASE_URL": BY_DATABASE, "AUTH": "disabled"}, "DATABASE_URL", "does not say whose"),
        ({"DATABASE_SCHEMA": BY_SCHEMA, "AUTH": "disabled"}, "DATABASE_SCHEMA", "does not say whose"),
        ({"TENANTS": "*", "DATABASE_URL": BY_DATABASE, "AUTH": "disabled"}, "TENANTS", "no token says whose"),
        ({"TENANTS": "a-b,A_B", "DATABASE_SCHEMA": BY_SCHEMA}, "TENANTS", "a-b and A_B would have the same"),
        ({"TENANTS": "public,b", "DATABASE_SCHEMA": "{tenant_id}"}, "TENANTS", "makes no name"),
        ({"TENANTS": "*", "DATABASE_URL": f"{URL}_{{org_id}}"}, "DATABASE_URL", "wants {tenant_id}"),
        ({"TENANTS": "*", "DATABASE_URL": f"{URL}_{{site_id}}"}, "DATABASE_URL", "{site_id}"),
        ({"TENANTS": "*", "DATABASE_URL": BY_STANDBY}, "DATABASE_URL", "names several servers"),
        (
            {"TENANTS": "*", "DATABASE_URL": f"{URL}_{{tenant_id}}{{org_id}}"},
            "DATABASE_URL",
            "wants something",
        ),
        ({"TENANTS": "a,a_b", "DATABASE_URL": BY_ORG}, "TENANTS", "makes no name"),
        ({"TENANTS": "a,b", "DATABASE_URL": "", "DATABASE_SCHEMA": BY_SCHEMA}, "DATABASE_URL", "is not set"),
    ],
)
def test_settings_that_contradict_one_another_stop_the_start(
    variables: dict[str, str], named: str, reason: str
) -> None:
    with pytest.raises(SettingsError, match=rf"^{PREFIX}{named}: .*{re.escape(reason)}"):
        read(**variables)


@pytest.mark.parametrize(
    ("template", "tenant_id", "org_id"),
    [
        ({"DATABASE_URL": BY_ORG}, "a_b", "c"),
        ({"DATABASE_URL": BY_ORG}, "a", "b_c"),
        ({"DATABASE_URL": f"{URL}_{{org_id}}__{{tenant_id}}"}, "b", "a__x"),
        ({"DATABASE_URL": f"{URL}_{{org_id}}__{{tenant_id}}"}, "b", "a_"),
        ({"DATABASE_SCHEMA": "{tenant_id}_{org_id}"}, "a", "b-c"),
    ],
)
def test_ids_that_others_could_make_the_same_name_of_have_no_place(
    template: dict[str, str], tenant_id: str, org_id: str
) -> None:
    """`a` and `b_c` would be read where `a_b` and `c` are, by whose token came first."""
    tenancy = read(TENANTS="*", **template).tenancy
    tenancy.place_of(tenancy.admit("acme", "design"))
    with pytest.raises(Forbidden):
        tenancy.place_of(tenancy.admit(tenant_id, org_id))


def test_an_organisation_has_a_place_and_keys_of_its_own() -> None:
    tenancy = read(TENANTS="*", DATABASE_URL=BY_ORG).tenancy
    tenants = [tenancy.admit("acme", org) for org in ("design", "sales")]
    assert [tenancy.place_of(each).url for each in tenants] == [
        *("postgresql://reader@db/acme_design", "postgresql://reader@db/acme_sales")
    ]
    assert [each.tag for each in tenants] == ["acme.design", "acme.sales"]
    assert tenancy.named("acme.design") == tenants[0]
    for org in (None, "", "a.b", 7):
        with pytest.raises(Forbidden):
            tenancy.admit("acme", org)


@pytest.mark.parametrize(
    "claimed", ["", "-a", "a b", "a/b", "a.b", "ä", "x" * 64, None, 7, ["acme"], "acme\n"]
)
def test_what_is_no_id_gets_nowhere(claimed: object) -> None:
    with pytest.raises(Forbidden):
        read(TENANTS="*", DATABASE_URL=BY_DATABASE).tenancy.admit(claimed)


@given(IDS)
def test_a_schema_is_a_name_that_postgresql_keeps_whole(tenant: str) -> None:
    schema = Tenancy(URL, BY_SCHEMA, ("*",)).place_of(Tenant(tenant)).schema
    assert schema is not None
    assert re.fullmatch("yt_t_[a-z0-9_]+", schema)
    assert len(schema) <= MAX_NAME_BYTES


def test_long_ids_that_end_differently_have_schemas_of_their_own() -> None:
    tenancy = Tenancy(URL, BY_SCHEMA, ("*",))
    schemas = {tenancy.place_of(Tenant("x" * 61 + end)).schema for end in ("aa", "ab", "ac")}
    assert len(schemas) == 3


def test_a_database_whose_name_postgresql_would_cut_is_nobodys() -> None:
    with pytest.raises(Forbidden):
        Tenancy(BY_DATABASE, None, ("*",)).place_of(Tenant("x" * 60))


@given(IDS, IDS)
def test_two_tenants_have_one_database_only_if_they_are_one(one: str, other: str) -> None:
    tenancy = Tenancy("postgresql://reader@db/{tenant_id}", None, ("*",))
    same = tenancy.place_of(Tenant(one)).identity == tenancy.place_of(Tenant(other)).identity
    assert same == (one == other)
