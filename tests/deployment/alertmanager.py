"""Debian's Alertmanager with the configuration that is deployed, its waits shortened, and whom it tells."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from demo.process import free_port
from tests.deployment.expressions import DEPLOY
from tests.deployment.prometheus import END_SECONDS, until_ready
from tests.support.children import ending_with_us
from tests.support.programs import program

PACKAGE = "prometheus-alertmanager"
CONFIGURATION = DEPLOY / "alertmanager" / "alertmanager.yml"


@contextmanager
def receiving(folder: Path) -> Iterator[str]:
    """The URL of the demo's receiver until the block ends; told() has what it was sent."""
    port = free_port()
    with _running([sys.executable, "-m", "demo.receiver", "--port", str(port)], folder / "receiver.log"):
        yield f"http://127.0.0.1:{port}/"


@contextmanager
def alerting(folder: Path, receiver: str) -> Iterator[str]:
    """The address of an Alertmanager that tells `receiver`; skips where there is none."""
    configuration = yaml.safe_load(CONFIGURATION.read_text())
    configuration["route"] |= {"group_wait": "0s", "group_interval": "1s"}
    configuration["receivers"][0]["webhook_configs"][0]["url"] = receiver
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(configuration))
    address = f"127.0.0.1:{free_port()}"
    command = [
        program(PACKAGE, PACKAGE),
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    log = folder / "alertmanager.log"
    with _running(command, log) as process:
        until_ready(f"http://{address}/-/ready", process, log)
        yield address


def told(folder: Path) -> list[dict[str, Any]]:
    """The alerts that the receiver has written, oldest first; lines that are none are refusals."""
    lines = (folder / "receiver.log").read_text().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]


@contextmanager
def _running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (
        log.open("wb") as file,
        subprocess.Popen(ending_with_us(command), cwd=DEPLOY.parent, stdout=file, stderr=file) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            process.wait(END_SECONDS)
