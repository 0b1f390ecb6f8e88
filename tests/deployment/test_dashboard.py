"""The Grafana dashboard: what it asks for, draws and leads to, and that filtered targets stay apart."""

import json
from pathlib import Path
from typing import Any

import yaml

from service.overview.slo import HINT_CODES, HINT_LEVELS, OBJECTIVES
from tests.deployment.expressions import DEPLOY, FILTERS, dashboard, filled_in, named
from tests.deployment.prometheus import promtool

SITE = "S-1"
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
    own = (
        [f'code="{code}",level="{level}",' for code in HINT_CODES for level in HINT_LEVELS]
        if metric.endswith("slo_hint_active")
        else [""]
    )
    return [
        f'{metric}{{{labels}window_days="7"{site}}}' for labels in own for site in ("", f',site_id="{SITE}"')
    ]
