"""Debian's PostgreSQL and Redis with TLS and nothing else: the servers of the wheels have none."""

import socket
import ssl
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import ClassVar

from cryptography.x509 import GeneralName
from redis import Redis

from demo.folders import give_away
from demo.process import free_port
from demo.servers import Postgres, Valkey
from tests.support.certificates import HERE, certify
from tests.support.programs import program
from tests.support.valkey_sets import PRIMARY, SLOTS, eventually

NEWEST = ("18", "17", "16", "15")


class Certificate:
    """A certificate and its key in a folder of the servers' user."""

    def __init__(self, folder: Path, name: GeneralName = HERE, *, days: int = 1) -> None:
        folder.mkdir(parents=True)
        folder.chmod(0o755)
        self.file, self.key = folder / "certificate.pem", folder / "key.pem"
        certify(self.file, self.key, name, days=days)
        self.key.chmod(0o600)
        give_away(self.key)


class TlsPostgres(Postgres):
    """It lets nobody in without TLS."""

    locale: ClassVar = ("--locale=C.UTF-8",)

    def __init__(self, folder: Path, certificate: Certificate) -> None:
        super().__init__(folder, settings={"ssl": "on"})
        self.present(certificate)

    def present(self, certificate: Certificate) -> None:
        """From the next start on, show another certificate."""
        self.settings |= {"ssl_cert_file": str(certificate.file), "ssl_key_file": str(certificate.key)}

    @property
    def programs(self) -> Path:
        """Debian's."""
        places = (Path(f"/usr/lib/postgresql/{version}/bin/postgres") for version in NEWEST)
        there = next((place for place in places if place.exists()), None)
        return (there or Path(program("postgres", "postgresql"))).parent

    def _initialise(self) -> None:
        super()._initialise()
        (self.data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 trust\n")


class TlsRedis(Valkey):
    """It listens for TLS alone."""

    def __init__(
        self, folder: Path, certificate: Certificate, options: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(folder)
        self.certificate = certificate
        self.options |= tls_options(self.port, certificate) | dict(options or {})

    @property
    def program(self) -> Path:
        """Debian's."""
        return Path(program("redis-server", "redis-server"))

    def client(self) -> Redis:
        """A client that trusts whomever it finds."""
        return Redis(port=self.port, ssl=True, ssl_cert_reqs="none", decode_responses=True)

    def _connected(self) -> socket.socket:
        # Not the default context, which reads all that the machine trusts: it takes longer than the rest.
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        return trust.wrap_socket(super()._connected())


def tls_options(port: int, certificate: Certificate) -> dict[str, str]:
    """What Redis is told to listen for TLS alone, and to speak it with others of its kind."""
    return {
        "port": "0",
        "tls-port": str(port),
        "tls-cert-file": str(certificate.file),
        "tls-key-file": str(certificate.key),
        "tls-ca-cert-file": str(certificate.file),
        "tls-auth-clients": "no",
        "tls-replication": "yes",
        "tls-cluster": "yes",
    }


class TlsSentinel(TlsRedis):
    """One sentinel of a primary, both with the same certificate."""

    name: ClassVar = "sentinel"

    def __init__(self, folder: Path, watched: TlsRedis) -> None:
        super().__init__(folder, watched.certificate)
        self._watched = watched

    def _command(self) -> list[str | Path]:
        file = self.folder / "sentinel.conf"
        options = tls_options(self.port, self.certificate)
        lines = [f"{name} {value}\n" for name, value in options.items() if name != "tls-cluster"]
        monitor = f"sentinel monitor {PRIMARY} 127.0.0.1 {self._watched.port} 1\n"
        file.write_text("".join(lines) + f"bind 127.0.0.1\ndir {self.folder}\n{monitor}")
        give_away(file)
        return [self.program, file, "--sentinel"]


@contextmanager
def running(kind: str, folder: Path, certificate: Certificate) -> Generator[TlsRedis]:
    """What a form of Redis' address leads to: the server that is at the address."""
    # Else its bus listens 10,000 above, where ports of the system's own choice are.
    options = {"cluster-enabled": "yes", "cluster-port": str(free_port())} if kind == "cluster" else {}
    server = TlsRedis(folder / "server", certificate, options)
    with ExitStack() as stack:
        stack.callback(server.kill)
        server.start()
        if kind == "cluster":
            _serve_all_slots(server)
        if kind != "sentinel":
            yield server
            return
        sentinel = TlsSentinel(folder / "sentinel", server)
        stack.callback(sentinel.kill)
        sentinel.start()
        yield sentinel


def _serve_all_slots(server: TlsRedis) -> None:
    """By one connection, for a new cluster takes two seconds to be well."""
    with server.client() as client:
        client.execute_command("CLUSTER ADDSLOTSRANGE", 0, SLOTS - 1)
        eventually(lambda: client.execute_command("CLUSTER INFO")["cluster_state"] == "ok")
