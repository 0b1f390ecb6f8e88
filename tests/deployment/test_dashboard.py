"""The Grafana dashboard: what it asks for, draws and leads to, and that filtered targets stay apart."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from service.overview.budgets import BUDGETED
from service.overview.slo import HINT_CODES, HINT_LEVELS, OBJECTIVES
from tests.deployment.expressions import DEPLOY, FILTERS, dashboard, filled_in, named, rules
from tests.deployment.prometheus import promtool

SITE = "S-1"
BURNING = "ParallelOpsBudgetBurning"
# Those that a query of one value has one of.
OWN_LABELS = {
    "slo_hint_active": [f'code="{code}",level="{level}",' for code in HINT_CODES for level in HINT_LEVELS],
    "slo_burn_rate": [f'code="{code}",' for code in HINT_CODES],
}
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def variable(name: str) -> dict[str, Any]:
    """One of the dashboard's variables."""
    return next(each for each in dashboard()["templating"]["list"] if each["name"] == name)


def unfilled() -> list[str]:
    """The queries of side tracks' figures, as they are written."""
    targets = [target for panel in dashboard()["panels"] for target in panel.get("targets", [])]
    return [target["expr"] for target in targets if "yuantus_parallel_" in target["expr"]]


def test_the_source_of_everything_is_the_one_that_is_chosen() -> None:
    asking = [
        *dashboard()["panels"],
        *dashboard()["annotations"]["list"],
        *(target for panel in dashboard()["panels"] for target in panel.get("targets", [])),
        *(each for each in dashboard()["templating"]["list"] if each["type"] == "query"),
    ]
    assert all(each["datasource"] == SOURCE for each in asking if each.get("type") != "row")
    provided = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text())
    assert variable("datasource")["current"]["value"] == provided["datasources"][0]["uid"]
    assert variable("datasource")["query"] == provided["datasources"][0]["type"]


def test_panels_are_told_apart_and_none_covers_another() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


def test_each_objective_has_its_rate_over_time_between_its_limits() -> None:
    for objective in OBJECTIVES:
        limit = f'max by (level) (parallel_ops_slo_limit{{code="{objective.code}"}})'
        panels = [
            panel
            for panel in dashboard()["panels"]
            if limit in [target["expr"] for target in panel.get("targets", [])]
        ]
        assert [panel["type"] for panel in panels] == ["timeseries"], objective.code
        rate, _ = panels[0]["targets"]
        assert (
            f"yuantus_parallel_{objective.section.removesuffix('_actions').removesuffix('s')}" in rate["expr"]
        )
        dashed = {override["matcher"]["options"] for override in panels[0]["fieldConfig"]["overrides"]}
        assert dashed == set(HINT_LEVELS)


def test_each_budget_has_its_burn_rates_with_the_lines_at_which_alerts_begin() -> None:
    lines = {float(bound) for bound in re.findall(r"> ([\d.]+)", "".join(_expressions(BURNING)))}
    for code in (budget.code for budget in BUDGETED):
        asked = f'yuantus_parallel_slo_burn_rate{{code="{code}",'
        (panel,) = (panel for panel in dashboard()["panels"] if _asks(panel, asked))
        assert panel["targets"][0]["legendFormat"] == "{{over}}"
        assert _lines(panel) == lines == {1, 6}
    (spent,) = (panel for panel in dashboard()["panels"] if _asks(panel, "slo_budget_spent_ratio"))
    assert (spent["targets"][0]["legendFormat"], _lines(spent)) == ("{{code}}", {1})


def test_it_leads_to_the_board_and_to_the_runbook() -> None:
    links = {link["title"]: link["url"] for link in dashboard()["links"]}
    assert links == {"Duty board": "${board}/?window_days=${window_days}", "Runbook": "${board}/runbook"}
    ports = yaml.safe_load((DEPLOY.parent / "docker-compose.yml").read_text())["services"]["nginx"]["ports"]
    assert [f"http://{port.rpartition(':')[0]}" for port in ports] == [variable("board")["query"]]


def test_a_filtered_target_is_shown_when_its_filter_is_chosen_and_never_mixed_with_all(
    tmp_path: Path,
) -> None:
    """Of two targets, one of them filtered by a site, each query finds one, by Prometheus' own evaluation."""
    for name in FILTERS:
        assert (variable(name)["allValue"], variable(name)["includeAll"]) == ("^$", True)
    queries = {filled_in(written) for written in unfilled()}
    queries |= {filled_in(written.replace("$site_id", SITE)) for written in unfilled()}
    assert len(queries) > 30
    metrics = {selector.metric for query in queries for selector in named(query).selectors}
    cases = [
        {"expr": f"count({query})", "exp_samples": [{"labels": "{}", "value": 1}]}
        for query in sorted(queries)
    ]
    series = [
        {"series": one, "values": "1+0x4"} for metric in sorted(metrics) for one in _of_two_targets(metric)
    ]
    tests = {"tests": [{"interval": "15s", "input_series": series, "promql_expr_test": cases}]}
    (tmp_path / "tests.yml").write_text(json.dumps(tests))
    promtool("test", "rules", "tests.yml", cwd=tmp_path)


def _of_two_targets(metric: str) -> list[str]:
    """The series of a metric that Prometheus has when it asks for everything and for one site."""
    labels = next((each for name, each in OWN_LABELS.items() if metric.endswith(name)), [""])
    return [
        f'{metric}{{{own}window_days="7"{site}}}' for own in labels for site in ("", f',site_id="{SITE}"')
    ]


def _expressions(alert: str) -> list[str]:
    return [rule["expr"] for rule in rules() if rule["alert"] == alert]


def _asks(panel: dict[str, Any], text: str) -> bool:
    return any(text in target["expr"] for target in panel.get("targets", []))


def _lines(panel: dict[str, Any]) -> set[float]:
    """Where a panel draws lines."""
    shown = panel["fieldConfig"]["defaults"]
    assert shown["custom"]["thresholdsStyle"]["mode"] == "dashed"
    return {step["value"] for step in shown["thresholds"]["steps"] if step["value"] is not None}
