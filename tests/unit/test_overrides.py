"""Limits that a request brings: which there are, and what they change."""

import msgspec
import pytest
from msgspec.structs import asdict, replace

from service.overview.overrides import (
    NO_OVERRIDES,
    OVERRIDABLE,
    Overrides,
    SloThresholds,
    overridden,
    told,
)
from service.overview.slo import Threshold, Thresholds
from service.overview.summary import summarize
from tests.support.snapshots import SNAPSHOT

NAMES = (
    *("overlay_cache_hit_rate_warn", "overlay_cache_min_requests_warn", "doc_sync_dead_letter_rate_warn"),
    *("workflow_failed_rate_warn", "breakage_open_rate_warn"),
)
CONFIGURED = Thresholds(
    overlay_cache_hit_rate=Threshold(0.7, 0.6),
    overlay_cache_min_requests=20,
    doc_sync_dead_letter_rate=Threshold(0.03, 0.9),
    workflow_failed_rate=Threshold(0.04),
    breakage_open_rate=Threshold(0.05, 0.95),
    doc_sync_min_jobs=3,
)


def test_a_request_may_bring_the_contracts_five() -> None:
    assert Overrides.__struct_fields__ == NAMES
    assert asdict(NO_OVERRIDES) == dict.fromkeys(NAMES)
    assert [limit.name for limit in OVERRIDABLE] == list(NAMES)


def test_nothing_brought_is_as_configured() -> None:
    assert overridden(CONFIGURED, NO_OVERRIDES) == CONFIGURED
    assert [limit.configured(CONFIGURED) for limit in OVERRIDABLE] == [0.7, 20, 0.03, 0.04, 0.05]


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("name", [name for name in NAMES if "min" not in name])
def test_a_rates_limit_is_where_it_warns_and_no_other_is_touched(name: str, value: float) -> None:
    limit = name.removesuffix("_warn")
    expected = replace(CONFIGURED, **{limit: Threshold(value, getattr(CONFIGURED, limit).critical)})
    assert overridden(CONFIGURED, Overrides(**{name: value})) == expected


@pytest.mark.parametrize("least", [0, 1, 10**30])
def test_a_least_number_is_taken_as_it_is(least: int) -> None:
    limits = overridden(CONFIGURED, Overrides(overlay_cache_min_requests_warn=least))
    assert limits == replace(CONFIGURED, overlay_cache_min_requests=least)


def test_answers_tell_the_limits_that_a_request_can_bring_and_no_more() -> None:
    assert SloThresholds.__struct_fields__ == tuple(name.removesuffix("_warn") for name in NAMES)
    assert asdict(told(CONFIGURED)) == {
        limit.limit: getattr(CONFIGURED, limit.limit) for limit in OVERRIDABLE
    }
    assert msgspec.json.decode(msgspec.json.encode(told(CONFIGURED)), type=SloThresholds) == told(CONFIGURED)


def test_a_summary_is_judged_by_the_limits_that_it_tells() -> None:
    limits = overridden(CONFIGURED, Overrides(workflow_failed_rate_warn=0.99, breakage_open_rate_warn=0.625))
    summary = summarize(SNAPSHOT, limits)
    assert summary.slo_thresholds == told(limits)
    levels = {hint.code: (hint.level, hint.message) for hint in summary.slo_hints}
    # 30 of 50 lookups hit, 3 of 18 jobs are dead letters, 3 of 20 runs failed, 5 of 8 incidents are open.
    assert levels == {
        "overlay_cache_hit_rate_low": (
            "warn",
            "Overlay cache hit rate is below 0.7 in the selected window",
        ),
        "doc_sync_dead_letter_rate_high": ("warn", "Document sync dead-letter rate is above 3%"),
    }
