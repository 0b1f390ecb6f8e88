"""The PromQL that is deployed: where it is, and which metrics and labels it names."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
DASHBOARD = DEPLOY / "grafana" / "dashboards" / "parallel-ops.json"
RULES = DEPLOY / "prometheus" / "rules.yml"

# What Grafana fills in; a filter that is not chosen is its variable's allValue.
FILTERS = ("site_id", "target_object", "template_key")
_VARIABLES = {
    "$window_days": "7",
    "$__rate_interval": "1m",
    **dict.fromkeys((f"${name}" for name in FILTERS), "^$"),
}
_STRING = r'"(?:[^"\\]|\\.)*"'
_SELECTOR = re.compile(rf"\b([a-zA-Z_:][\w:]*+)(?!\s*\()(?:\{{((?:{_STRING}|[^}}\"])*)\}})?")
_MATCHER = re.compile(rf"(\w+)\s*(?:=~|!~|!=|=)\s*{_STRING}")
_LABELS = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_KEYWORDS = {"and", "or", "unless", "bool", "offset"}
_LABEL_VALUES = re.compile(r"label_values\((\w+)(?:\{[^}]*\})?, (\w+)\)")


class Selector(NamedTuple):
    """A metric, as an expression names it, and the labels that it is selected by."""

    text: str
    metric: str
    labels: frozenset[str]


class Named(NamedTuple):
    """All that an expression names: selectors, and the labels that it groups by or shows."""

    selectors: list[Selector]
    labels: set[str]


def rules() -> list[dict[str, Any]]:
    """The alert rules."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    """The Grafana dashboard."""
    document: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return document


def shown() -> Iterator[tuple[str, str, str]]:
    """Title, expression and legend of each query of the dashboard, Grafana's variables filled in."""
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], filled_in(target["expr"]), target["legendFormat"]


def variables() -> list[tuple[str, str]]:
    """Metric and label that each of the dashboard's variables is made of."""
    of_type = [each for each in dashboard()["templating"]["list"] if each["type"] == "query"]
    queries = [variable["query"]["query"] for variable in of_type]
    return [match.groups() for query in queries if (match := _LABEL_VALUES.fullmatch(query))]  # type: ignore[misc]


def filled_in(expression: str) -> str:
    """The expression as Grafana sends it."""
    for name, value in _VARIABLES.items():
        expression = expression.replace(name, value)
    return expression


def named(expression: str) -> Named:
    """What a well-formed expression names; every word that is no function and no keyword is a metric."""
    labels = {
        label
        for _, names in _LABELS.findall(expression)
        for label in (name.strip() for name in names.split(","))
        if label
    }
    rest = re.sub(r"\[[^\]]*\]", "", _LABELS.sub(" ", expression))
    selectors = [
        Selector(match[0], match[1], frozenset(name for name in _MATCHER.findall(match[2] or "")))
        for match in _SELECTOR.finditer(rest)
        if match[1] not in _KEYWORDS
    ]
    return Named(selectors, labels)


def in_legend(template: str) -> set[str]:
    """The labels that a legend shows."""
    return set(re.findall(r"\{\{\s*(\w+)\s*\}\}", template))


def in_annotations(rule: dict[str, Any]) -> set[str]:
    """The labels that an alert's texts show."""
    return set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
