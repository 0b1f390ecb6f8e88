"""The names that the service goes by."""

import pytest

from service.api.access.hosts import Hosts

HOSTS = Hosts(("ops.example.com", "*.ops.internal"))


@pytest.mark.parametrize(
    "host",
    [
        *(
            b"localhost",
            b"localhost:8000",
            b"LocalHost.",
            b"parallel-ops-1:8000",
            b"127.0.0.1:1",
            b"10.0.0.5",
        ),
        *(b"[::1]", b"[::1]:8000", b"[::ffff:10.0.0.5]:8000", b""),
        *(
            b"ops.example.com",
            b"OPS.Example.com:443",
            b"ops.example.com.",
            b"a.ops.internal",
            b"a.b.ops.internal",
        ),
    ],
)
def test_it_goes_by(host: bytes) -> None:
    assert HOSTS.know(host)


@pytest.mark.parametrize(
    "host",
    [
        *(b"evil.example", b"evil.example:8000", b"evil.example.", b"ops.example.com.evil.example"),
        *(b"xops.example.com", b"ops.internal.evil.example", b"ops.internal", b"127.0.0.1.evil.example"),
        *(
            b"localhost@evil.example",
            b"localhost, evil.example",
            b"localhost,localhost",
            b"evil.example/.localhost",
        ),
        *(b"10.0.0", b"\xff.example", b"[::1"),
    ],
)
def test_it_does_not_go_by(host: bytes) -> None:
    assert not HOSTS.know(host)
