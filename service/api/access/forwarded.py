"""Whose request a proxy passes on: believed of proxies that are named, and of nobody else."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network


def networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks, comma-separated. Raises ValueError."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


class Proxies:
    """The proxies of these networks."""

    def __init__(self, trusted: tuple[Network, ...]) -> None:
        self._trusted = trusted

    def client_of(self, peer: str, forwarded_for: bytes) -> str:
        """The address that a request came from: the nearest that is none of the proxies.

        `peer` is whoever is connected; `forwarded_for` is the header to which each proxy adds who asked it.
        """
        client = peer
        for address in _nearest_first(peer, forwarded_for):
            client = str(address)
            if not any(address in network for network in self._trusted):
                break
        return client


def _nearest_first(peer: str, forwarded_for: bytes) -> Iterator[IPv4Address | IPv6Address]:
    """As far as they are addresses: beyond what is none, nobody knows who wrote it."""
    for said in (peer, *reversed(forwarded_for.decode("latin-1").split(","))):
        try:
            address = ip_address(said.strip())
        except ValueError:
            return
        yield getattr(address, "ipv4_mapped", None) or address
