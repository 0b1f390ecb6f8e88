"""What the board gives its script to draw a trend from."""

import json
from typing import Any

import pytest

from service.dashboard.charts import TrendBucket
from service.dashboard.drawing import drawing
from service.dashboard.panels import Limit

LABELS = ("Mon 30", "Tue 31", "Wed 1", "Thu 2")


def drawn(*rates: float | None, partial: bool = False, limit: float = 0.05) -> Any:  # noqa: ANN401
    """The drawing of a bucket a day, the last of which may be partial."""
    held = Limit(limit)
    last = len(rates) - 1
    buckets = [
        TrendBucket(partial and n == last, 9, n, rate, held.is_passed_by(rate))
        for n, rate in enumerate(rates)
    ]
    return json.loads(drawing(buckets, LABELS[: len(rates)], limit))


def test_a_trend_is_drawn_from_columns_of_its_buckets() -> None:
    made = drawn(0.1, None, 1 / 3, 0.0, partial=True)
    assert made == {
        "labels": [*LABELS],
        "totals": [9, 9, 9, 9],
        "parts": [0, 1, 2, 3],
        "rates": [0.1, None, 0.333333, 0.0],
        "past": [0, 2],
        "partial": [3],
        "limit": 0.05,
    }


@pytest.mark.parametrize(
    ("rate", "is_past"), [(0.0499, False), (0.05, False), (0.0501, True), (1.0, True), (None, False)]
)
def test_a_bucket_is_past_a_limit_beyond_it_as_a_hint_is(rate: float | None, is_past: bool) -> None:
    assert drawn(rate)["past"] == [0] * is_past
    assert Limit(0.05).is_passed_by(rate) is is_past


@pytest.mark.parametrize(("rate", "is_past"), [(0.79, True), (0.8, False), (0.81, False), (None, False)])
def test_a_rate_that_must_not_fall_is_past_its_limit_below_it(rate: float | None, is_past: bool) -> None:
    assert Limit(0.8, is_least=True).is_passed_by(rate) is is_past
