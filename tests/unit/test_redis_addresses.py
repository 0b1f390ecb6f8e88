"""The forms of Redis' address: what they mean, what is wrong with one, and that none shows its password."""

from importlib.metadata import version
from unittest.mock import Mock

import pytest
from parallel_ops_recorder import OverlayRecorder
from parallel_ops_recorder.addresses import AddressError, parse

from service.addresses import redis_place
from service.redis_clients import connect
from service.settings import SettingsError, from_environment

REQUIRED = {"PARALLEL_OPS_DATABASE_URL": "postgresql://db/plm", "PARALLEL_OPS_AUTH": "disabled"}
CLUSTER, SENTINELS = "redis+cluster://", "redis+sentinel://"


def refusal(url: str) -> str:
    with pytest.raises(SettingsError) as refused:
        from_environment(REQUIRED | {"PARALLEL_OPS_REDIS_URL": url})
    return str(refused.value)


def test_a_cluster_is_some_of_its_nodes() -> None:
    address = parse("redis+cluster://ops:hun%40ter2@node1,node2:7000,[::1]:7001/0?socket_timeout=3")
    assert (address.kind, address.tls) == ("cluster", False)
    assert address.hosts == (("node1", 6379), ("node2", 7000), ("::1", 7001))
    assert address.options == {"username": "ops", "password": "hun@ter2", "socket_timeout": 3.0}


def test_a_primary_is_a_name_that_sentinels_know() -> None:
    address = parse("redis+sentinel://:hunter2@s1,s2:26380/mymaster/2?sentinel_password=other")
    assert (address.kind, address.primary, address.database) == ("sentinel", "mymaster", "2")
    assert address.hosts == (("s1", 26379), ("s2", 26380))
    assert address.options == {"password": "hunter2", "db": 2}
    assert address.of_sentinels == {"password": "other"}


@pytest.mark.parametrize("url", ["rediss+cluster://node1/?", "rediss+sentinel://s1/mymaster?"])
def test_options_of_tls_are_for_sentinels_too(url: str) -> None:
    address = parse(f"{url}ssl_ca_certs=/ca.pem&ssl_check_hostname=false")
    assert address.tls
    assert address.of_sentinels == {"ssl_ca_certs": "/ca.pem", "ssl_check_hostname": False}
    connect(address.url)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (f"{CLUSTER}/", "needs hosts with commas between them; write redis+cluster://node1:6379,"),
        (f"{CLUSTER}node1:port/", "needs hosts"),
        (f"{CLUSTER}node1:99999/", "needs hosts"),
        (f"{CLUSTER}node1,,node2/", "needs hosts"),
        (f"{CLUSTER}node1/2", "a cluster has no databases"),
        (f"{CLUSTER}node1/?db=2", "a cluster has no databases"),
        (f"{CLUSTER}node1/mymaster", "has nothing to say behind the / of a cluster"),
        (f"{SENTINELS}s1,s2", "needs the name by which the sentinels know the primary"),
        (f"{SENTINELS}s1/", "needs the name by which the sentinels know the primary"),
        (f"{SENTINELS}s1/mymaster/x", "a database is a number, behind the primary's name"),
        ("redis://node1,node2/0", "names several servers; write redis+cluster://"),
        ("redis+clusters://node1/", "must begin with redis://, rediss://, redis+cluster://"),
        ("sentinel://s1/mymaster", "must begin with redis://"),
        (f"{CLUSTER}node1/?colour=secret", "has an option that is not known: 'colour'"),
        (f"{CLUSTER}node1/?sentinel_password=secret", "has an option that is not known: 'sentinel_password'"),
        (f"{SENTINELS}s1/mymaster?sentinel_colour=secret", "has an option that is not known: 'colour'"),
        (f"{CLUSTER}node1/?ssl_ca_certs=/x", "has an option that is not known: 'ssl_ca_certs'"),
        (f"{CLUSTER}node1/?socket_timeout=x", "is not an address"),
        (f"{SENTINELS}:hun/ter2@s1/mymaster", "has an @ too many"),
    ],
)
def test_what_is_wrong_is_said_and_what_to_write(url: str, reason: str) -> None:
    told = refusal(url.replace("node1", "ops:hunter2@node1", 1))
    assert f"PARALLEL_OPS_REDIS_URL: {reason}" in told
    assert "ter2" not in told
    assert "secret" not in told


@pytest.mark.parametrize("url", ["redis://db/0", "redis+sentinel://s1/mymaster"])
def test_a_connection_looks_nothing_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = connect(url).connection_pool
    asked = Mock()
    monkeypatch.setattr("redis.utils.get_lib_version", asked)
    connection = pool.make_connection()  # type: ignore[no-untyped-call]
    assert connection.driver_info.lib_version == version("redis")
    assert not asked.called


def test_the_recorder_says_the_same_at_once() -> None:
    with pytest.raises(AddressError, match="needs the name by which"):
        OverlayRecorder("redis+sentinel://s1,s2", 300, 1000)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis+cluster://ops:hunter2@node1,[::1]:7000/", "the cluster at node1:6379,[::1]:7000"),
        ("rediss+sentinel://:hunter2@s1/mymaster/1", "mymaster of the sentinels at s1:26379"),
        ("redis://:hunter2@cache/1", "cache:6379/1"),
    ],
)
def test_a_place_and_an_address_show_no_password(url: str, place: str) -> None:
    assert redis_place(url) == place
    assert "hunter2" not in repr(parse(url))
