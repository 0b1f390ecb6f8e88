"""The summary as Prometheus gauges."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from msgspec.structs import asdict
from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from service.overview.budgets import Budget
from service.overview.metrics import FIGURES, MAPS
from service.overview.query import Query
from service.overview.slo import HINT_CODES, HINT_LEVELS
from service.overview.summary import Summary

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PREFIX = "yuantus_parallel_"

# Values of a gauge's own labels, and the value.
Sample = tuple[tuple[str, ...], float | None]
# Name, documentation, labels beside the query's, and samples.
Gauge = tuple[str, str, tuple[str, ...], Iterable[Sample]]


def prometheus_text(
    summary: Summary, budgets: Sequence[Budget], query: Query, labels: Mapping[str, str] | None = None
) -> bytes:
    """All gauges in the text format 0.0.4, with these labels; a rate without data is NaN, never 0."""
    given = {name: value for name, value in asdict(query.filters).items() if value is not None}
    labels = {**(labels or {}), "window_days": str(query.window_days), **given}
    return generate_latest(_Gauges(summary, budgets, labels))


class _Gauges(Collector):
    def __init__(self, summary: Summary, budgets: Sequence[Budget], labels: Mapping[str, str]) -> None:
        self._summary = summary
        self._budgets = budgets
        self._labels = labels

    def collect(self) -> Iterable[GaugeMetricFamily]:
        for name, documentation, labels, samples in chain(
            _gauges(self._summary), _budget_gauges(self._budgets)
        ):
            family = GaugeMetricFamily(PREFIX + name, documentation, labels=(*self._labels, *labels))
            for values, value in samples:
                number = math.nan if value is None else value
                family.add_metric((*self._labels.values(), *values), number)
            yield family


def _budget_gauges(budgets: Sequence[Budget]) -> Iterator[Gauge]:
    yield (
        "slo_budget_spent_ratio",
        "How much of the objective's error budget of 30 days is spent; 1 is all of it",
        ("code",),
        [((budget.code,), budget.spent) for budget in budgets],
    )
    yield (
        "slo_burn_rate",
        "How fast the error budget went in the last clock hours; 1 spends exactly the budget",
        ("code", "over"),
        [
            ((budget.code, over), burn_rate)
            for budget in budgets
            for over, burn_rate in budget.burn_rates.items()
        ],
    )


def _gauges(summary: Summary) -> Iterator[Gauge]:
    for figure in FIGURES:
        yield figure.gauge, figure.documentation, (), [((), figure.of(summary))]
    yield "slo_hints_total", "SLO hints that are active", (), [((), len(summary.slo_hints))]
    yield (
        "generated_timestamp_seconds",
        "Unix time of the instant that the figures are as of",
        (),
        [((), summary.generated_at.timestamp())],
    )
    yield (
        "oldest_reading_timestamp_seconds",
        "Unix time at which the oldest of the rows in the figures were read",
        (),
        [((), summary.oldest_reading.timestamp())],
    )
    for counts in MAPS:
        samples: list[Sample] = [((key,), count) for key, count in counts.of(summary).items()]
        yield counts.gauge, counts.documentation, (counts.label,), samples
    active = {(hint.code, hint.level) for hint in summary.slo_hints}
    yield (
        "slo_hint_active",
        "1 while the SLO hint of that code and level is active, else 0",
        ("code", "level"),
        [((code, level), (code, level) in active) for code in HINT_CODES for level in HINT_LEVELS],
    )
