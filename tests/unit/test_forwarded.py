"""Whose request it is that a proxy passes on."""

import pytest

from service.api.access.forwarded import Proxies, networks

PROXIES = Proxies(networks("10.0.0.0/8, 192.0.2.7,fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("10.0.0.1", b"198.51.100.4", "198.51.100.4"),
        ("192.0.2.7", b"198.51.100.4", "198.51.100.4"),
        ("fd00::1", b"2001:db8::4", "2001:db8::4"),
        ("::ffff:10.0.0.1", b"198.51.100.4", "198.51.100.4"),
        ("10.0.0.1", b"203.0.113.9, 198.51.100.4, 10.0.0.2", "198.51.100.4"),
        ("10.0.0.1", b"10.0.0.3,10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", b"", "10.0.0.1"),
        ("10.0.0.1", b"203.0.113.9, nonsense \xff, 10.0.0.2", "10.0.0.2"),
        ("198.51.100.4", b"203.0.113.9", "198.51.100.4"),
        ("192.0.2.8", b"203.0.113.9", "192.0.2.8"),
        ("", b"203.0.113.9", ""),
    ],
)
def test_it_is_the_nearest_that_is_no_proxy(peer: str, forwarded_for: bytes, client: str) -> None:
    assert PROXIES.client_of(peer, forwarded_for) == client


@pytest.mark.parametrize("text", ["*", "nginx", "10.0.0.1/8", "10.0.0.0/33", "1.2.3.4:80"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        networks(text)
