"""What is said of a query string that cannot be taken, to the letter; and of the last one that can."""

from typing import Any

import pytest

from service.api import parameters
from service.api.responses.errors import InvalidRequest
from service.overview.overrides import Overrides

WINDOW = "window_days must be one of: 1, 7, 14, 30, 90"
BUCKET = "bucket_days must be one of: 1, 7, 14, 30"
PAGE = "page must be >= 1"
PAGE_SIZE = "page_size must be between 1 and 200"
LEVEL = "level must be one of: warn, critical, info"
FORMAT = "export_format must be json, csv or md"
NO_INTEGERS = ("", "x", "+7", "7.0", "%207", "7%20", "१", "0x7", "1e1")
SHARES = (
    *("overlay_cache_hit_rate_warn", "doc_sync_dead_letter_rate_warn", "workflow_failed_rate_warn"),
    "breakage_open_rate_warn",
)
LEAST = "overlay_cache_min_requests_warn"
NO_NUMBERS = (
    *("", "%20", "x", "nan", "NaN", "inf", "-inf", "Infinity", "+0.5", "%2B0.5", "%200.5", "0.5%20", "0,5"),
    *("१", "0_1", "0x0", ".", "-", "1e", "e1", "true", "0.5.", "0.5%00"),
)
JUDGED = ("SUMMARY", "ALERTS", "EXPORT")
REFUSED = [
    *(
        ("SUMMARY", f"{SHARES[0]}={text}", f"{SHARES[0]} must be between 0 and 1")
        for text in (*NO_NUMBERS, "-0.1", "-1e-9", "1.0000001", "2", "1e400", "-1e400")
    ),
    *(
        (reader, f"{name}={text}", f"{name} must be {refusal}")
        for reader in JUDGED
        for name, refusal in (*((name, "between 0 and 1") for name in SHARES), (LEAST, ">= 0"))
        for text in ("-1", "nan", "inf")
    ),
    *(("SUMMARY", f"{LEAST}={text}", f"{LEAST} must be >= 0") for text in NO_INTEGERS),
    *(("TRENDS", f"window_days={text}", WINDOW) for text in (*NO_INTEGERS, "0", "-7", "2", "91")),
    *(("TRENDS", f"bucket_days={text}", BUCKET) for text in (*NO_INTEGERS, "0", "-1", "2", "90")),
    ("TRENDS", "bucket_days=14", "bucket_days must be <= window_days"),
    *(("DOC_SYNC_FAILURES", f"page={text}", PAGE) for text in (*NO_INTEGERS, "0", "-1")),
    *(("DOC_SYNC_FAILURES", f"page_size={text}", PAGE_SIZE) for text in (*NO_INTEGERS, "0", "-1", "201")),
    *(
        ("SUMMARY", f"{name}={text}", f"{name} {refusal}")
        for name in ("site_id", "target_object", "template_key")
        for text, refusal in (
            ("x" * 201, "must be at most 200 characters"),
            ("a%00b", "must not contain NUL"),
        )
    ),
    *(("ALERTS", f"level={text}", LEVEL) for text in ("x", "warning", "warn,critical")),
    *(("REPORT", f"lang={text}", "lang must be en or zh") for text in ("fr", "zh-CN", "en,zh")),
    *(
        (reader, f"export_format={text}", FORMAT)
        for reader in ("EXPORT", "TRENDS_EXPORT")
        for text in ("x", "pdf", "json,csv")
    ),
    ("TRENDS_EXPORT", "bucket_days=14", "bucket_days must be <= window_days"),
    *(("TRENDS", f"align={text}", "align must be window or clock") for text in ("x", "day", "clock,window")),
    *(("TRENDS", f"bucket_hours={text}", "bucket_hours must be one of: 1, 6") for text in ("0", "2", "24")),
    *(
        ("TRENDS", f"window_days={text}&bucket_hours=1", "bucket_hours needs window_days of 1 or 7")
        for text in ("14", "30", "90")
    ),
    ("TRENDS", "bucket_days=1&bucket_hours=6", "give bucket_days or bucket_hours, not both"),
    *(
        (
            "TRENDS",
            f"window_days=90&align=clock&bucket_days={text}",
            "align=clock needs bucket_days of 1 or 7",
        )
        for text in ("14", "30")
    ),
]


def read(name: str, query_string: str) -> Any:  # noqa: ANN401
    """The query that an endpoint's parameters make of a query string."""
    return getattr(parameters, name).read(query_string.encode())


@pytest.mark.parametrize(("name", "query_string", "message"), REFUSED)
def test_a_bad_value_is_refused_with_the_contracts_words(name: str, query_string: str, message: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(name, query_string)
    assert (str(refused.value), refused.value.message) == (message, message)


@pytest.mark.parametrize(
    ("query_string", "asked"),
    [
        ("", (1, "window", None)),
        ("align=", (1, "window", None)),
        ("align=%20Clock%20", (1, "clock", None)),
        ("window_days=90&align=clock&bucket_days=7", (7, "clock", None)),
        ("window_days=90&align=window&bucket_days=30", (30, "window", None)),
        ("window_days=1&bucket_hours=1", (1, "clock", 1)),
        ("window_days=7&align=window&bucket_hours=6", (1, "clock", 6)),
    ],
)
def test_points_count_back_from_now_or_go_by_the_clock_as_hours_always_do(
    query_string: str, asked: tuple[int, str, int | None]
) -> None:
    query = read("TRENDS", query_string)
    assert (query.bucket_days, query.align, query.bucket_hours) == asked


def test_a_refusal_holds_what_was_given_numbers_as_numbers() -> None:
    with pytest.raises(InvalidRequest) as refused:
        read("DOC_SYNC_FAILURES", "page=0&site_id=+7+&window_days=-30&unknown=1&page_size=x")
    assert refused.value.context == {"window_days": -30, "site_id": " 7 ", "page": 0, "page_size": "x"}
    with pytest.raises(InvalidRequest) as refused:
        read("DOC_SYNC_FAILURES", "page=0")
    assert refused.value.context == {"window_days": None, "site_id": None, "page": 0, "page_size": None}


def test_the_first_bad_parameter_in_the_endpoints_order_is_the_one_that_is_named() -> None:
    with pytest.raises(InvalidRequest, match=f"^{WINDOW}$"):
        read("TRENDS", "template_key=%00&bucket_days=2&window_days=2")
    with pytest.raises(InvalidRequest, match=f"^{BUCKET}$"):
        read("TRENDS", "template_key=%00&bucket_days=2")


def test_the_limits_of_a_request_come_last_in_the_contracts_order() -> None:
    names = [SHARES[0], LEAST, *SHARES[1:]]
    for reader in JUDGED:
        each = [parameter.name for parameter in getattr(parameters, reader).each]
        assert each[-5:] == names
        bad = "&".join(f"{name}=x" for name in reversed(names))
        with pytest.raises(InvalidRequest, match=f"^{SHARES[0]} must"):
            read(reader, bad)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("0", 0.0), ("1", 1.0), ("0.05", 0.05), ("5e-2", 0.05), (".5", 0.5), ("1.", 1.0), ("1E-9", 1e-9)),
        *(("-0.0", 0.0), ("1e-400", 0.0), ("0" * 5000 + "1", 1.0)),
    ],
)
def test_a_share_is_a_number_from_0_to_1(text: str, value: float) -> None:
    for name in SHARES:
        given = getattr(read("SUMMARY", f"{name}={text}").overrides, name)
        assert (type(given), str(given)) == (float, str(value))


def test_a_least_number_is_any_that_is_not_negative() -> None:
    for number in (0, 1, 10**30):
        assert read("ALERTS", f"{LEAST}={number}").overrides == Overrides(
            overlay_cache_min_requests_warn=number
        )


@pytest.mark.parametrize("name", ["site_id", "target_object", "template_key"])
def test_a_filter_of_200_characters_is_taken(name: str) -> None:
    longest = "x" * 200
    assert getattr(read("SUMMARY", f"{name}=++{longest}++").snapshot.filters, name) == longest


def test_a_query_string_of_any_length_is_read() -> None:
    for length in (1000, 1024, 1025, 5000):
        padding = "x" * (length - len("window_days=30&unknown="))
        assert read("SUMMARY", f"window_days=30&unknown={padding}").snapshot.window_days == 30


def test_the_smallest_and_largest_pages_are_taken() -> None:
    for page_size in (1, 200):
        query = read("DOC_SYNC_FAILURES", f"page=1&page_size={page_size}")
        assert (query.page, query.page_size) == (1, page_size)


@pytest.mark.parametrize(
    ("text", "export_format"),
    [("", "json"), ("%20", "json"), ("JSON", "json"), (" Csv ", "csv"), ("md", "md")],
)
def test_a_format_is_trimmed_and_lower_cased_and_json_when_it_is_blank(text: str, export_format: str) -> None:
    assert read("EXPORT", f"export_format={text.replace(' ', '+')}").export_format == export_format


@pytest.mark.parametrize(("text", "lang"), [("", "en"), ("+", "en"), ("ZH", "zh"), ("+En+", "en")])
def test_a_language_is_trimmed_and_lower_cased_and_english_when_it_is_blank(text: str, lang: str) -> None:
    assert (read("REPORT", f"lang={text}").lang, read("REPORT", "").lang) == (lang, "en")
