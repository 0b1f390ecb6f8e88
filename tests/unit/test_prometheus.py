"""The text that Prometheus scrapes: labels that hold anything, and NaN where nothing is known."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from service.overview.prometheus import prometheus_text
from service.overview.query import Filters, Query
from service.overview.slo import Hint
from tests.support.summaries import summary

# What PostgreSQL can hold.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


def samples(text: bytes) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Labels and values by the gauge's name."""
    return {
        family.name.removeprefix("yuantus_parallel_"): [
            (sample.labels, sample.value) for sample in family.samples
        ]
        for family in text_string_to_metric_families(text.decode())
    }


@given(by_status=st.dictionaries(texts, st.integers(0, 10**12)), site_id=texts)
def test_any_text_comes_through_as_a_label(by_status: dict[str, int], site_id: str) -> None:
    text = prometheus_text(summary(by_status=by_status), (), Query(7, Filters(site_id=site_id)))
    found = samples(text)["doc_sync_by_status"]
    assert {labels["status"]: value for labels, value in found} == by_status
    assert all(labels["site_id"] == site_id for labels, _ in found)


def test_rates_without_data_are_nan_and_maps_without_data_have_no_sample() -> None:
    found = samples(prometheus_text(summary(), (), Query(7)))
    for name in ("doc_sync_success_rate", "workflow_failed_rate", "overlay_cache_hit_rate"):
        ((labels, value),) = found[name]
        assert math.isnan(value)
        assert labels == {"window_days": "7"}
    assert found["doc_sync_by_status"] == found["workflow_by_result_code"] == []


@pytest.mark.parametrize(
    "filters", [{}, {"site_id": "S1"}, {"target_object": "Part", "template_key": "pump"}]
)
def test_only_filters_that_were_given_are_labels(filters: dict[str, str]) -> None:
    found = samples(prometheus_text(summary(), (), Query(30, Filters(**filters))))
    assert found["doc_sync_jobs_total"] == [({"window_days": "30", **filters}, 0)]


def test_each_code_and_level_is_0_or_1() -> None:
    hint = Hint("breakage_open_rate_high", "critical", "")
    found = samples(prometheus_text(summary(hints=(hint,)), (), Query(7)))["slo_hint_active"]
    assert len(found) == 4 * 2
    active = [labels for labels, value in found if value == 1]
    assert active == [{"window_days": "7", "code": hint.code, "level": hint.level}]
    assert sum(value for _, value in found) == 1
