"""Debian's nginx as a plain child process, with the configuration that is deployed."""

import re
import signal
import socket
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

import psutil

from demo.process import free_port
from tests.support.children import ending_with_us
from tests.support.folders import passing_folder
from tests.support.programs import program

CONFIGURATION = Path(__file__).parent.parent.parent / "deploy" / "nginx"
# As in deploy/nginx/listen.conf and instances.conf, which tests of the deployment compare.
PLAIN = "listen 8080;"
MARKING = "max_fails=1 fail_timeout=1s"
START_SECONDS = 10
END_SECONDS = 30


class Balancer:
    """A running nginx: its address, its process, and the folder with its log."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "nginx.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        with self.log.open("ab") as log:
            # Its master ends its workers, which would outlive it if it were killed.
            self.process = subprocess.Popen(
                ending_with_us(command(self.folder), signal.SIGTERM), stdout=log, stderr=log
            )
        deadline = monotonic() + START_SECONDS
        while not self._listens():
            said = self.log.read_text()[-2000:]
            assert self.process.poll() is None, f"nginx ended: {said}"
            assert monotonic() < deadline, f"nginx does not listen: {said}"
            sleep(0.02)

    def stop(self) -> None:
        """End it at once; its workers end with it."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        self.process.wait(END_SECONDS)

    def family(self) -> list[psutil.Process]:
        """The master, then its workers."""
        assert self.process is not None
        master = psutil.Process(self.process.pid)
        return [master, *master.children()]

    def _listens(self) -> bool:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        return False


@contextmanager
def balanced(instances: Sequence[int], port: int | None = None, listen: str = PLAIN) -> Generator[Balancer]:
    """nginx before the instances at these local ports, until the block ends; skips where there is none.

    `listen` is the listen.conf that is deployed, whose port is replaced.
    """
    with passing_folder() as folder:
        balancer = Balancer(folder, port or free_port())
        try:
            configure(folder, instances, balancer.port, listen)
            balancer.start()
            yield balancer
        finally:
            balancer.stop()


def configure(folder: Path, instances: Sequence[int], port: int, listen: str = PLAIN) -> None:
    """The deployed configuration, between two files that say where it listens and who answers here."""
    for name in ("nginx.conf", "names.conf", "refusal.conf"):
        (folder / name).symlink_to(CONFIGURATION / name)
    (folder / "listen.conf").write_text(re.sub(r"(?m)^listen \d+", f"listen 127.0.0.1:{port}", listen))
    lines = (f"server 127.0.0.1:{instance} {MARKING};\n" for instance in instances)
    (folder / "instances.conf").write_text("".join(lines))


def command(folder: Path, *options: str) -> list[str]:
    """How nginx is run on the configuration in a folder, in the foreground and with its files there."""
    where = ("-p", f"{folder}/", "-e", "stderr", "-c", f"{folder}/nginx.conf")
    return [program("nginx", "nginx-light"), *where, "-g", "daemon off;", *options]
