"""Alertmanager as it is deployed tells the receiver of alerts, of a critical one instead of its warning."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from demo.receiver import PORT
from tests.deployment.alertmanager import CONFIGURATION, PACKAGE, alerting, receiving, told
from tests.deployment.expressions import DEPLOY, rules
from tests.deployment.prometheus import DEPLOYED
from tests.support.children import run_program
from tests.support.programs import program
from tests.support.waiting import until

COMPOSED = yaml.safe_load((DEPLOY.parent / "docker-compose.yml").read_text())["services"]
LABELS = {"alertname": "ParallelOpsObjectiveMissed", "code": "breakage_open_rate_high", "window_days": "7"}
# Alerts on budgets are of no window.
BUDGET = {"alertname": "ParallelOpsBudgetBurning", "code": "doc_sync_dead_letter_rate_high"}


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[str]:
    """The URL of the demo's receiver."""
    with receiving(tmp_path) as url:
        yield url


@pytest.fixture
def alertmanager(receiver: str, tmp_path: Path) -> Iterator[str]:
    """The URL of an Alertmanager that tells it."""
    with alerting(tmp_path, receiver) as address:
        yield f"http://{address}"


async def test_alerts_arrive_and_critical_keeps_the_warning_quiet(alertmanager: str, tmp_path: Path) -> None:
    async with httpx.AsyncClient(base_url=f"{alertmanager}/api/v2") as client:
        await _post(client, LABELS | {"severity": "critical"})
        await until(lambda: [each["severity"] for each in told(tmp_path)] == ["critical"])
        assert (
            told(tmp_path)[0].items() >= {"status": "firing", "summary": "Past its limit", **LABELS}.items()
        )
        await _post(client, LABELS | {"severity": "warning"}, BUDGET | {"severity": "critical"})
        await until(lambda: _inhibited(client, "warning"))
        await until(lambda: BUDGET["code"] in _codes(tmp_path))
        await _post(client, BUDGET | {"severity": "warning"})
        await until(lambda: _inhibited(client, "warning", 2))
        other = LABELS | {"severity": "warning", "code": "workflow_action_failed_rate_high"}
        await _post(client, other)
        await until(lambda: other["code"] in _codes(tmp_path))
    arrived = {(each["code"], each["severity"]) for each in told(tmp_path)}
    assert arrived == {
        (LABELS["code"], "critical"),
        (BUDGET["code"], "critical"),
        (other["code"], "warning"),
    }


async def test_the_receiver_refuses_what_is_no_notification(receiver: str, tmp_path: Path) -> None:
    async with httpx.AsyncClient(base_url=receiver) as client:
        await until(lambda: _answers(client))
        for body in (b"", b"[]", b"{}", b'{"alerts":[1]}'):
            assert (await client.post("/", content=body)).status_code == 400
    assert told(tmp_path) == []


def test_amtool_takes_the_configuration() -> None:
    checked = run_program(
        [program("amtool", PACKAGE), "check-config", str(CONFIGURATION)], capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_what_is_told_of_by_day_only_is_never_critical() -> None:
    route = yaml.safe_load(CONFIGURATION.read_text())["route"]
    (matcher,) = (matcher for each in route["routes"] for matcher in each["matchers"])
    by_day = [rule["labels"] for rule in rules() if matcher == f"alertname = {rule['alert']}"]
    assert by_day == [{"severity": "warning"}]
    assert "active_time_intervals" not in route


def test_prometheus_tells_it_and_it_tells_the_receiver_that_is_composed() -> None:
    alerting = yaml.safe_load((DEPLOYED / "prometheus.yml").read_text())["alerting"]
    assert alerting["alertmanagers"] == [{"static_configs": [{"targets": ["alertmanager:9093"]}]}]
    hook = yaml.safe_load(CONFIGURATION.read_text())["receivers"][0]["webhook_configs"][0]
    assert hook["url"] == f"http://receiver:{PORT}/"
    assert COMPOSED["receiver"]["command"][0] == "demo.receiver"
    assert {"alertmanager", "receiver"} <= COMPOSED.keys()


def _codes(folder: Path) -> set[str]:
    return {each["code"] for each in told(folder)}


async def _answers(client: httpx.AsyncClient) -> bool:
    try:
        await client.get("/status")
    except httpx.TransportError:
        return False
    return True


async def _post(client: httpx.AsyncClient, *labels: dict[str, str]) -> None:
    alerts = [{"labels": each, "annotations": {"summary": "Past its limit"}} for each in labels]
    (await client.post("/alerts", json=alerts)).raise_for_status()


async def _inhibited(client: httpx.AsyncClient, severity: str, alerts: int = 1) -> bool:
    found = (await client.get("/alerts", params={"filter": f'severity="{severity}"'})).json()
    return len(found) == alerts and all(alert["status"]["inhibitedBy"] for alert in found)
