"""Query strings to queries: what is read, and what is said of what cannot be."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.api import parameters
from service.api.parameters import Parameters
from service.api.responses.errors import InvalidRequest
from service.overview.query import (
    AlertsQuery,
    ExportQuery,
    PageQuery,
    Query,
    SummaryQuery,
    TrendsExportQuery,
    TrendsQuery,
)

READERS: dict[str, Parameters[Any]] = {
    "summary": parameters.SUMMARY,
    "trends": parameters.TRENDS,
    "alerts": parameters.ALERTS,
    "export": parameters.EXPORT,
    "trends_export": parameters.TRENDS_EXPORT,
    "doc_sync_failures": parameters.DOC_SYNC_FAILURES,
    "workflow_failures": parameters.WORKFLOW_FAILURES,
}
SITES = [
    ("S1", "S1"),
    ("+S1%20", "S1"),
    ("%C2%A0S1%E3%80%80%0A", "S1"),
    ("%1C%85", "\ufffd"),  # 0x85 alone is no UTF-8, so it is not the white space U+0085
    ("%E2%80%8BS1", "\u200bS1"),  # zero-width space is no white space
    ("%20", None),
    ("", None),
    ("%5C", "\\"),
    ("%ZZ", "%ZZ"),
    ("%E5%B7%A5%E5%A0%B4", "工場"),
    ("工場", "工場"),
    ("S1#x", "S1#x"),
]


def test_nothing_given_is_all_defaults() -> None:
    week = Query(7)
    assert parameters.SUMMARY.read(b"") == SummaryQuery(week)
    assert parameters.TRENDS.read(b"") == TrendsQuery(week, 1)
    assert parameters.ALERTS.read(b"") == AlertsQuery(week, None)
    assert parameters.EXPORT.read(b"") == ExportQuery(week, "json")
    assert parameters.TRENDS_EXPORT.read(b"") == TrendsExportQuery(week, 1, export_format="json")
    assert parameters.DOC_SYNC_FAILURES.read(b"") == PageQuery(7, None, 1, 20)
    assert parameters.WORKFLOW_FAILURES.read(b"") == PageQuery(7, None, 1, 20)


@pytest.mark.parametrize(("given_value", "site_id"), SITES)
def test_a_filter_is_decoded_and_trimmed(given_value: str, site_id: str | None) -> None:
    assert parameters.SUMMARY.read(f"site_id={given_value}".encode()).snapshot.filters.site_id == site_id


def test_bytes_that_are_no_utf_8_are_replaced() -> None:
    assert parameters.SUMMARY.read(b"site_id=a\xff").snapshot.filters.site_id == "a\ufffd"
    assert parameters.SUMMARY.read(b"site_id=a%FF").snapshot.filters.site_id == "a\ufffd"
    assert parameters.SUMMARY.read(b"site_id=%ED%A0%80").snapshot.filters.site_id == "\ufffd" * 3


def test_every_allowed_window_and_bucket_is_taken() -> None:
    for window_days in (1, 7, 14, 30, 90):
        assert parameters.SUMMARY.read(b"window_days=%d" % window_days).snapshot == Query(window_days)
        for bucket_days in (1, 7, 14, 30):
            text = b"bucket_days=%d&window_days=%d" % (bucket_days, window_days)
            if bucket_days <= window_days:
                assert parameters.TRENDS.read(text) == TrendsQuery(Query(window_days), bucket_days)
            else:
                with pytest.raises(InvalidRequest, match=r"^bucket_days must be <= window_days$"):
                    parameters.TRENDS.read(text)


def test_pages_have_no_upper_limit_and_page_sizes_one_of_200() -> None:
    text = b"page=%d&page_size=200" % 10**30
    assert parameters.DOC_SYNC_FAILURES.read(text) == PageQuery(7, None, 10**30, 200)
    assert parameters.WORKFLOW_FAILURES.read(b"page=1&page_size=1") == PageQuery(7, None, 1, 1)


def test_each_kind_of_failures_has_one_filter() -> None:
    text = b"site_id=S1&target_object=Part"
    assert parameters.DOC_SYNC_FAILURES.read(text).only == "S1"
    assert parameters.WORKFLOW_FAILURES.read(text).only == "Part"


@pytest.mark.parametrize("text", ["WARN", " warn ", "Warn\u3000", "%57arn"])
def test_levels_are_trimmed_and_lower_cased(text: str) -> None:
    assert parameters.ALERTS.read(f"level={text}".encode()).level == "warn"


def test_of_a_parameter_given_twice_the_last_counts_and_unknown_ones_do_not() -> None:
    text = b"window_days=x&unknown=%00&window_days=30&WINDOW_DAYS=2"
    assert parameters.SUMMARY.read(text).snapshot == Query(30)


def test_a_query_of_up_to_1024_bytes_is_remembered() -> None:
    for length, is_remembered in ((1024, True), (1025, False)):
        text = b"site_id=S1&unknown=".ljust(length, b"x")
        first, second = (parameters.SUMMARY.read(text) for _ in range(2))
        assert first == second
        assert (first is second) == is_remembered


def test_a_refusal_is_the_same_the_second_time() -> None:
    for _ in range(2):
        with pytest.raises(InvalidRequest) as refused:
            parameters.ALERTS.read(b"level=loud&window_days=30")
        assert refused.value.message == "level must be one of: warn, critical, info"
        assert refused.value.context["window_days"] == 30


@given(text=st.binary(max_size=300) | st.text(max_size=80).map(str.encode))
@pytest.mark.parametrize("name", READERS)
def test_no_query_string_is_more_than_a_query_or_a_refusal(name: str, text: bytes) -> None:
    reader = READERS[name]
    for query_string in (text, b"site_id=" + text, b"page=" + text, b"window_days=" + text):
        first, second = _outcome(reader, query_string), _outcome(reader, query_string)
        assert first == second
        if isinstance(first, dict):
            assert list(first) == [parameter.name for parameter in reader.each]


def _outcome(reader: Parameters[Any], query_string: bytes) -> object:
    """The query, or the context of its refusal."""
    try:
        return reader.read(query_string)
    except InvalidRequest as refused:
        return refused.context
