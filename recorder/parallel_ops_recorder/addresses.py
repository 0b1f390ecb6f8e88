"""Where Redis is: one server, a cluster, or the primary that sentinels know by a name.

What is wrong with an address is never quoted, for it may be the password.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from redis.connection import Connection, SSLConnection, parse_url

Kind = Literal["server", "cluster", "sentinel"]
Host = tuple[str, int]

PORTS: Mapping[Kind, int] = {"server": 6379, "cluster": 6379, "sentinel": 26379}
FORMS: Mapping[Kind, str] = {
    "server": "redis://cache:6379/0",
    "cluster": "redis+cluster://node1:6379,node2:6379/",
    "sentinel": "redis+sentinel://s1:26379,s2:26379,s3:26379/mymaster/0",
}
_SEVERAL = re.compile(
    r"(?P<scheme>rediss?)\+(?P<kind>cluster|sentinel)://(?:(?P<user>[^/?#]*)@)?(?P<hosts>[^/?#]*)"
    r"(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?"
)
_HOST = re.compile(r"(?P<name>[^\[\]:\s]+|\[[0-9a-fA-F:.]+\])(?::(?P<port>[0-9]{1,5}))?")
_OF_SENTINELS = "sentinel_"


class AddressError(ValueError):
    """An address cannot be used; the message says what to write, and quotes nothing."""


@dataclass(frozen=True)
class Address:
    """A Redis by its kind.

    `options` are a client's, user and password among them; `credentials` are the sentinels' own, who know the
    primary as `primary`. `database` is a number, or the path of a socket.
    """

    kind: Kind
    url: str = field(repr=False)
    hosts: tuple[Host, ...]
    tls: bool = False
    options: dict[str, Any] = field(default_factory=dict, repr=False)
    credentials: dict[str, str] = field(default_factory=dict, repr=False)
    primary: str = ""
    database: str = ""

    @property
    def place(self) -> str:
        """Where it is, without user and password."""
        hosts = ",".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts)
        match self.kind:
            case "cluster":
                return f"the cluster at {hosts}"
            case "sentinel":
                return f"{self.primary} of the sentinels at {hosts}"
        return hosts or f"/{self.database}"

    @property
    def of_sentinels(self) -> dict[str, Any]:
        """The options of a client of the sentinels themselves."""
        shared = {name: value for name, value in self.options.items() if name.startswith(("ssl_", "socket_"))}
        return {**shared, **self.credentials}


def parse(url: str) -> Address:
    """The address that a URL means. Raises AddressError, and ValueError for what is no address at all."""
    found = _SEVERAL.fullmatch(url)
    if found is None:
        return _one_server(url)
    kind: Kind = "cluster" if found["kind"] == "cluster" else "sentinel"
    hosts = tuple(_host(each, kind) for each in found["hosts"].split(","))
    primary, _, database = unquote((found["path"] or "/")[1:]).partition("/")
    if kind == "cluster":
        primary, database = "", primary
    user = f"{found['user']}@" if found["user"] else ""
    options = _options(f"{found['scheme']}://{user}host/{database}{found['query'] or ''}")
    of_sentinels = [name for name in options if kind == "sentinel" and name.startswith(_OF_SENTINELS)]
    credentials = {name.removeprefix(_OF_SENTINELS): options.pop(name) for name in of_sentinels}
    _check(kind, primary, database, options)
    _check_options(found["scheme"] == "rediss", options | credentials)
    if kind == "cluster":
        options.pop("db", None)
    return Address(
        kind=kind,
        url=url,
        hosts=hosts,
        tls=found["scheme"] == "rediss",
        options=options,
        credentials=credentials,
        primary=primary,
        database=database,
    )


def _options(url: str) -> dict[str, Any]:
    """What the URL of one server says beside where it is."""
    options: dict[str, Any] = dict(parse_url(url))  # type: ignore[no-untyped-call]
    return {name: value for name, value in options.items() if name not in ("host", "connection_class")}


def _one_server(url: str) -> Address:
    parts = urlsplit(url)
    if parts.scheme.partition("+")[0] in ("redis", "rediss"):
        if "+" in parts.scheme:
            raise AddressError(f"has a form that is not known; write {' or '.join(FORMS.values())}")
        if "," in parts.netloc.rpartition("@")[2]:
            raise AddressError(f"names several servers; write {FORMS['cluster']} or {FORMS['sentinel']}")
    server = (parts.hostname or "localhost", parts.port or PORTS["server"])
    hosts = () if parts.scheme == "unix" else (server,)
    return Address("server", url, hosts, tls=parts.scheme == "rediss", database=parts.path[1:])


def _host(text: str, kind: Kind) -> Host:
    found = _HOST.fullmatch(text.strip())
    if found is None or int(found["port"] or 1) not in range(1, 1 << 16):
        raise AddressError(f"needs hosts with commas between them; write {FORMS[kind]}")
    return found["name"].strip("[]"), int(found["port"] or PORTS[kind])


def _check_options(tls: bool, options: Mapping[str, Any]) -> None:
    try:
        (SSLConnection if tls else Connection)(**options)
    except TypeError as error:
        name = str(error).rpartition(" argument ")[2]
        raise AddressError(f"has an option that is not known: {name}") from None


def _check(kind: Kind, primary: str, database: str, options: Mapping[str, Any]) -> None:
    if kind == "cluster" and options.get("db"):
        raise AddressError(f"a cluster has no databases, and so no number behind the /; write {FORMS[kind]}")
    if kind == "cluster" and not database.isdigit() and database:
        raise AddressError(f"has nothing to say behind the / of a cluster; write {FORMS[kind]}")
    if kind == "sentinel" and not primary:
        raise AddressError(
            f"needs the name by which the sentinels know the primary, behind the /; write {FORMS[kind]}"
        )
    if kind == "sentinel" and not database.isdigit() and database:
        raise AddressError(f"a database is a number, behind the primary's name; write {FORMS[kind]}")
