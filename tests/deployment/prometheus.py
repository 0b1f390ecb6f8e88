"""Debian's Prometheus with the configuration that is deployed, its targets and times replaced."""

import re
import subprocess
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import yaml

from demo.process import free_port
from tests.support.children import ending_with_us, run_program
from tests.support.programs import program

DEPLOYED = Path(__file__).parent.parent.parent / "deploy" / "prometheus"
# A test has no time for the deployed 15 s between scrapes and minutes before an alert: both are shorter
# here, and nothing else differs from what is deployed but addresses.
INTERVAL = "2s"
FOR = "5s"
START_SECONDS = 20
END_SECONDS = 20


class Prometheus:
    """A running Prometheus, asked by its API."""

    def __init__(self, url: str) -> None:
        self.client = httpx.Client(base_url=f"{url}/api/v1", timeout=10)

    def get(self, path: str, **parameters: str) -> Any:  # noqa: ANN401
        """The data of an answer; AssertionError with Prometheus' words for a refusal."""
        answer = self.client.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def value(self, query: str) -> float | None:
        """The only sample of a query; None where there is none."""
        samples = self.get("/query", query=query)["result"]
        assert len(samples) < 2, samples
        return float(samples[0]["value"][1]) if samples else None

    def firing(self) -> list[dict[str, str]]:
        """The labels of all alerts that fire."""
        alerts = self.get("/alerts")["alerts"]
        return [alert["labels"] for alert in alerts if alert["state"] == "firing"]

    def up(self) -> list[bool]:
        """Of each target, whether its last scrape worked."""
        return [target["health"] == "up" for target in self.get("/targets")["activeTargets"]]


def configure(folder: Path, addresses: Mapping[str, str], scrape_token: str) -> Path:
    """Write the deployed files with other addresses and shorter times; gives the main one's path."""
    configuration = yaml.safe_load((DEPLOYED / "prometheus.yml").read_text())
    configuration["global"] = {"scrape_interval": INTERVAL, "evaluation_interval": INTERVAL}
    for job in (*configuration["scrape_configs"], *configuration["alerting"]["alertmanagers"]):
        for group in job["static_configs"]:
            group["targets"] = [addresses[target] for target in group["targets"]]
    rules = re.sub(r"^(\s+for): .*$", rf"\1: {FOR}", (DEPLOYED / "rules.yml").read_text(), flags=re.MULTILINE)
    (folder / "rules.yml").write_text(rules)
    (folder / "scrape_token").write_text(scrape_token)
    path = folder / "prometheus.yml"
    path.write_text(yaml.safe_dump(configuration))
    return path


def promtool(*words: str, cwd: Path = DEPLOYED) -> None:
    """Run it in a folder; AssertionError with its words when it finds fault."""
    command = [program("promtool", "prometheus"), *words]
    result = run_program(command, capture_output=True, cwd=cwd, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def scraping(
    folder: Path, addresses: Mapping[str, str], scrape_token: str
) -> AbstractContextManager[Prometheus]:
    """Prometheus with what is deployed, until the block ends; skips where there is none."""
    return running(folder, configure(folder, addresses, scrape_token))


@contextmanager
def running(folder: Path, configuration: Path) -> Generator[Prometheus]:
    """Prometheus with that configuration, until the block ends; skips where there is none."""
    port = free_port()
    command = [
        program("prometheus", "prometheus"),
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (
        (folder / "prometheus.log").open("wb") as log,
        subprocess.Popen(ending_with_us(command), stderr=log) as process,
    ):
        try:
            prometheus = Prometheus(f"http://127.0.0.1:{port}")
            until_ready(f"http://127.0.0.1:{port}/-/ready", process, folder / "prometheus.log")
            with prometheus.client:
                yield prometheus
        finally:
            process.terminate()
            process.wait(END_SECONDS)


def until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the process answers there; fail with its last words when it ends, or takes too long."""
    deadline = monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, log.read_text()[-2000:]
        assert monotonic() < deadline, log.read_text()[-2000:]
        try:
            httpx.get(url).raise_for_status()
        except httpx.HTTPError:
            sleep(0.05)
        else:
            return
