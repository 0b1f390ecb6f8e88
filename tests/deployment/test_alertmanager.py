"""Alertmanager as it is deployed tells the receiver of alerts, of a critical one instead of its warning."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from demo.process import free_port
from demo.receiver import PORT
from tests.deployment.expressions import DEPLOY
from tests.deployment.prometheus import DEPLOYED
from tests.support.children import ending_with_us, run_program
from tests.support.programs import program
from tests.support.waiting import until

PACKAGE = "prometheus-alertmanager"
CONFIGURATION = DEPLOY / "alertmanager" / "alertmanager.yml"
COMPOSED = yaml.safe_load((DEPLOY.parent / "docker-compose.yml").read_text())["services"]
END_SECONDS = 20
LABELS = {"alertname": "ParallelOpsObjectiveMissed", "code": "breakage_open_rate_high", "window_days": "7"}


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[str]:
    """The URL of the demo's receiver, whose output is in receiver.log."""
    port = free_port()
    with _running([sys.executable, "-m", "demo.receiver", "--port", str(port)], tmp_path / "receiver.log"):
        yield f"http://127.0.0.1:{port}/"


@pytest.fixture
def alertmanager(receiver: str, tmp_path: Path) -> Iterator[str]:
    """The URL of an Alertmanager with the deployed configuration; it waits for less, and tells `receiver`."""
    configuration = yaml.safe_load(CONFIGURATION.read_text())
    configuration["route"] |= {"group_wait": "0s", "group_interval": "1s"}
    configuration["receivers"][0]["webhook_configs"][0]["url"] = receiver
    (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(configuration))
    port = free_port()
    command = [
        program(PACKAGE, PACKAGE),
        f"--config.file={tmp_path / 'alertmanager.yml'}",
        f"--storage.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with _running(command, tmp_path / "alertmanager.log"):
        yield f"http://127.0.0.1:{port}"


def _running(command: list[str], log: Path) -> ExitStack:
    """What ends the program, when the block does."""
    with ExitStack() as opened:
        file = opened.enter_context(log.open("wb"))
        process = opened.enter_context(
            subprocess.Popen(ending_with_us(command), cwd=DEPLOY.parent, stdout=file, stderr=file)
        )
        opened.callback(process.terminate)
        return opened.pop_all()


async def test_alerts_arrive_and_critical_keeps_the_warning_quiet(alertmanager: str, tmp_path: Path) -> None:
    async with httpx.AsyncClient(base_url=f"{alertmanager}/api/v2") as client:
        await until(lambda: _answers(client))
        await _post(client, LABELS | {"severity": "critical"})
        await until(lambda: [told["severity"] for told in _told(tmp_path)] == ["critical"])
        assert (
            _told(tmp_path)[0].items() >= {"status": "firing", "summary": "Past its limit", **LABELS}.items()
        )
        await _post(client, LABELS | {"severity": "warning"})
        await until(lambda: _inhibited(client, "warning"))
        other = LABELS | {"severity": "warning", "code": "workflow_action_failed_rate_high"}
        await _post(client, other)
        await until(lambda: other["code"] in {told["code"] for told in _told(tmp_path)})
    told = {(each["code"], each["severity"]) for each in _told(tmp_path)}
    assert told == {(LABELS["code"], "critical"), (other["code"], "warning")}


async def test_the_receiver_refuses_what_is_no_notification(receiver: str, tmp_path: Path) -> None:
    async with httpx.AsyncClient(base_url=receiver) as client:
        await until(lambda: _answers(client))
        for body in (b"", b"[]", b"{}", b'{"alerts":[1]}'):
            assert (await client.post("/", content=body)).status_code == 400
    assert _told(tmp_path) == []


def test_amtool_takes_the_configuration() -> None:
    checked = run_program(
        [program("amtool", PACKAGE), "check-config", str(CONFIGURATION)], capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_prometheus_tells_it_and_it_tells_the_receiver_that_is_composed() -> None:
    alerting = yaml.safe_load((DEPLOYED / "prometheus.yml").read_text())["alerting"]
    assert alerting["alertmanagers"] == [{"static_configs": [{"targets": ["alertmanager:9093"]}]}]
    hook = yaml.safe_load(CONFIGURATION.read_text())["receivers"][0]["webhook_configs"][0]
    assert hook["url"] == f"http://receiver:{PORT}/"
    assert COMPOSED["receiver"]["command"][0] == "demo.receiver"
    assert {"alertmanager", "receiver"} <= COMPOSED.keys()


def _told(folder: Path) -> list[dict[str, Any]]:
    """What the receiver has written of alerts; lines that are none are refusals."""
    lines = (folder / "receiver.log").read_text().splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


async def _answers(client: httpx.AsyncClient) -> bool:
    try:
        await client.get("/status")
    except httpx.TransportError:
        return False
    return True


async def _post(client: httpx.AsyncClient, labels: dict[str, str]) -> None:
    alert = {"labels": labels, "annotations": {"summary": "Past its limit"}}
    (await client.post("/alerts", json=[alert])).raise_for_status()


async def _inhibited(client: httpx.AsyncClient, severity: str) -> bool:
    alerts = (await client.get("/alerts", params={"filter": f'severity="{severity}"'})).json()
    return bool(alerts) and all(alert["status"]["inhibitedBy"] for alert in alerts)
