"""Why a server's certificate is refused, and what to do: for logs, health and `check`.

No message holds an address or a name, for health is for everybody to read.
"""

import ssl
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

Server = Literal["PostgreSQL", "Redis"]

# OpenSSL's numbers for what is wrong.
_OTHER_NAME = (62, 64)
_OTHER_TIME = (9, 10)
_CA: dict[Server, str] = {
    "PostgreSQL": "&sslrootcert=FILE in PARALLEL_OPS_DATABASE_URL, or the variable PGSSLROOTCERT=FILE",
    "Redis": "?ssl_ca_certs=FILE in PARALLEL_OPS_REDIS_URL",
}
_VARIABLE: dict[Server, str] = {
    "PostgreSQL": "PARALLEL_OPS_DATABASE_URL",
    "Redis": "PARALLEL_OPS_REDIS_URL",
}


class Refused(Struct, frozen=True):
    """What is wrong with a certificate, and what to do."""

    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.message}. {self.remedy}"


def refused(server: Server, error: BaseException) -> Refused | None:
    """Why the server's certificate was refused, if that is what went wrong."""
    for each in _chain(error):
        if isinstance(each, ssl.SSLCertVerificationError):
            return _refused(server, each.verify_code)
    return None


def _refused(server: Server, code: int) -> Refused:
    if code in _OTHER_NAME:
        return Refused(
            f"{server}'s certificate is for another name than its address has",
            f"Write a name that the certificate has in {_VARIABLE[server]}, or have one issued for that name "
            "(as its subjectAltName).",
        )
    if code in _OTHER_TIME:
        return Refused(
            f"{server}'s certificate has expired, or is not valid yet",
            "Have a new one issued, or set this machine's clock.",
        )
    return Refused(
        f"{server}'s certificate is signed by nobody whom this process trusts",
        f"Name the file with the certificate of who signed it: {_CA[server]}.",
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and all that led to it: one that is raised again may be its own cause's cause."""
    found, seen = [error], set[int]()
    while found:
        each = found.pop()
        if id(each) not in seen:
            seen.add(id(each))
            found += filter(None, (each.__cause__, each.__context__))
            yield each
