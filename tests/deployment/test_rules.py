"""What Prometheus' own tool says of the configuration and the rules, and where alerts lead to."""

import re
from pathlib import Path

import pytest
import yaml

from service.overview.slo import HINT_CODES, HINT_LEVELS
from tests.deployment.expressions import named, rules
from tests.deployment.prometheus import DEPLOYED, promtool

RUNBOOK = "docs/runbook.md"
SEVERITIES = {"warn": "warning", "critical": "critical"}
TESTS = tuple(sorted(path.name for path in DEPLOYED.glob("*_test.yml")))
ON_OBJECTIVES = ("slo_hint_active", "slo_burn_rate", "slo_budget_spent_ratio")


def test_prometheus_takes_the_configuration(tmp_path: Path) -> None:
    for name in ("prometheus.yml", "rules.yml"):
        (tmp_path / name).write_text((DEPLOYED / name).read_text())
    (tmp_path / "scrape_token").write_text("what the compose file puts there")
    promtool("check", "config", "prometheus.yml", cwd=tmp_path)


def test_prometheus_takes_the_rules() -> None:
    promtool("check", "rules", "--lint-fatal", "rules.yml")


def test_each_alert_fires_when_it_must_and_only_then() -> None:
    promtool("test", "rules", *TESTS)


def test_each_alert_is_tested() -> None:
    tested = "".join((DEPLOYED / name).read_text() for name in TESTS)
    for rule in rules():
        assert f"alertname: {rule['alert']}\n" in tested, f"never seen to fire: {rule['alert']}"
        assert f"alertname: {rule['alert']}, exp_alerts: []" in tested, f"never seen silent: {rule['alert']}"


def test_each_hint_of_each_level_is_seen_to_fire() -> None:
    tests = yaml.safe_load((DEPLOYED / "rules_test.yml").read_text())["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    labels = [alert["exp_labels"] for case in cases for alert in case["exp_alerts"]]
    fired = {(each["code"], each["severity"]) for each in labels if "code" in each}
    assert fired == {(code, SEVERITIES[level]) for code in HINT_CODES for level in HINT_LEVELS}


@pytest.mark.parametrize("alert", ["ParallelOpsObjectiveMissed", "ParallelOpsBudgetBurning"])
def test_what_is_told_of_an_objective_warns_and_is_critical(alert: str) -> None:
    found = [rule["labels"]["severity"] for rule in rules() if rule["alert"] == alert]
    assert sorted(found) == sorted(SEVERITIES.values())


def test_no_rule_names_an_objective_so_that_a_new_one_is_alerted_on() -> None:
    found = [selector for rule in rules() for selector in named(rule["expr"]).selectors]
    on_objectives = [selector for selector in found if selector.metric.endswith(ON_OBJECTIVES)]
    assert len(on_objectives) == 2 + 3 + 2 + 1
    assert not any("code" in selector.labels for selector in on_objectives)


def test_each_alert_has_its_section_in_the_runbook() -> None:
    runbook = (DEPLOYED.parent.parent / RUNBOOK).read_text()
    alerts = {heading.lower() for heading in re.findall(r"^## (\w+)$", runbook, flags=re.MULTILINE)}
    assert alerts == {rule["alert"].lower() for rule in rules()}
    assert set(re.findall(r"^### (\w+)$", runbook, flags=re.MULTILINE)) == set(HINT_CODES)
    for rule in rules():
        path, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert path == RUNBOOK
        assert anchor == ("{{ $labels.code }}" if "hint" in rule["expr"] else rule["alert"].lower())
