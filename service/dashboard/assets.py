"""The stylesheets, the scripts and the icons: served under names that change with their content.

What is called swagger-ui is of the npm package swagger-ui-dist, version 5.35.0, as it comes (Apache 2.0);
what is called uPlot is of the npm package uplot, version 1.6.32, as it comes (MIT).
"""

import gzip
from functools import cache
from hashlib import blake2b
from pathlib import Path

from msgspec import Struct

FOLDER = Path(__file__).parent / "static"
PREFIX = "/static/"
MEDIA_TYPES = {
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
    "txt": "text/plain",
}


class Asset(Struct, frozen=True):
    """A file, its address, and what kind it is of; each process keeps but its compressed form."""

    address: str
    media_type: str
    path: Path

    def body(self) -> bytes:
        """What is in it."""
        return self.path.read_bytes()


@cache
def assets() -> dict[str, Asset]:
    """All files by their own name, looked at once."""
    return {path.name: _asset(path) for path in sorted(FOLDER.iterdir())}


@cache
def by_address() -> dict[str, Asset]:
    """All files by the address that they are served at."""
    return {asset.address: asset for asset in assets().values()}


def address(name: str) -> str:
    """Where a file is served."""
    return assets()[name].address


@cache
def gzipped(address: str) -> bytes:
    """The file at an address, compressed when somebody first asks for it; of the largest it takes 60 ms."""
    return gzip.compress(by_address()[address].body())


def _asset(path: Path) -> Asset:
    digest = blake2b(path.read_bytes(), digest_size=8).hexdigest()
    return Asset(f"{PREFIX}{path.stem}.{digest}{path.suffix}", MEDIA_TYPES[path.suffix[1:]], path)
