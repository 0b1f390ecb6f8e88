"""By which names the service may be called: a page whose own name is made to lead here must read nothing.

Such a page (DNS rebinding) is of the service's own origin for its browser, and where nobody needs a token
it may read all. Its name has a dot, for nobody can have another one lead somewhere: addresses and names
without a dot are always known. Litestar's own middleware refuses in another shape, compares the port too,
and has nothing for addresses.
"""

from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

ANY = "*"
REMEMBERED = 1024


class Hosts:
    """Knows names with a dot if they are in `names`, in lower case; "*.x" is everything that ends in ".x"."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = frozenset(names)
        self._endings = tuple(name[1:] for name in names if name.startswith("*."))
        self.know = lru_cache(REMEMBERED)(self._know)

    def _know(self, host: bytes) -> bool:
        """Whether the service goes by the name in a Host header; whoever sends none is no browser."""
        try:
            name = (urlsplit(f"//{host.decode('ascii')}").hostname or "").removesuffix(".")
        except ValueError:
            return False
        if "," in name:  # two headers
            return False
        return "." not in name or name in self._names or name.endswith(self._endings) or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
