"""The duty board's pure parts: words, figures, charts, addresses, states."""

from string import Formatter

import pytest

from service.dashboard.charts import TrendBucket, distribution, trend_chart
from service.dashboard.formats import breakable
from service.dashboard.view import VIEW, View
from service.overview.overrides import OVERRIDABLE, Overrides
from service.overview.slo import OBJECTIVES
from service.wording.figures import number, percent
from service.wording.words import CATALOGUE, DEFAULT, FOLDER, LANGUAGES, preferred


def buckets(*rates: float | None) -> list[TrendBucket]:
    """A bucket a day; one without a rate holds nothing."""
    return [TrendBucket(False, *((0, 0) if rate is None else (10, 1)), rate) for rate in rates]


def test_an_unknown_rate_is_a_gap_in_the_line_and_a_lone_point_is_a_dot() -> None:
    chart = trend_chart(buckets(0.1, 0.2, None, 0.3, None, 0.1, 0.1), limit=None)
    assert (chart.lines.count("M"), chart.lines.count("L"), chart.dots.count("M")) == (2, 2, 1)
    assert chart.gaps == (20.0, 40.0)


def test_a_line_goes_through_the_middle_of_its_columns_as_high_as_its_rates() -> None:
    chart = trend_chart(buckets(0.0, 1.0, 0.5), limit=None)
    assert (chart.lines, chart.dots) == ("M5,60L15,4L25,32", "")
    assert trend_chart(buckets(0.0, None, 1.0), limit=0.5).dots == "M5,60ZM25,4Z"


def test_no_rows_have_no_bar_and_the_most_rows_the_highest() -> None:
    chart = trend_chart(buckets(0.1, None, 0.2), limit=0.05)
    assert chart.totals == "M5,68V100M25,68V100"
    assert chart.limit is not None


def test_a_trend_without_any_data_can_be_drawn() -> None:
    chart = trend_chart(buckets(None, None), limit=0.05)
    assert (chart.lines, chart.dots, chart.totals, len(chart.gaps)) == ("", "", "", 2)


def test_a_distribution_shows_the_largest_and_counts_the_others() -> None:
    shown = distribution("by_status", {f"s{n}": n for n in range(10)})
    assert [row.key for row in shown.rows] == ["s9", "s8", "s7", "s6", "s5", "s4"]
    assert (shown.others, shown.others_count) == (4, 6)
    assert distribution("by_status", {}).rows == ()


def test_a_distribution_of_nothing_has_no_rows() -> None:
    assert distribution("by_lookup", {"hits": 0, "misses": 0}).rows == ()


def test_severities_are_in_their_own_order_and_the_worst_alone_is_red() -> None:
    counts = {"low": 9, "blocker": 3, "medium": 8, "high": 7, "unknown": 5, "critical": 1, "minor": 2}
    shown = distribution("by_severity", counts)
    assert [row.key for row in shown.rows] == ["critical", "high", "medium", "low", "unknown", "blocker"]
    assert [row.tone for row in shown.rows[:4]] == ["bad", "warn", "plain", "plain"]


def test_a_code_breaks_after_its_underscores_and_is_only_text() -> None:
    assert breakable("A_<b>_C") == "A_<wbr>&lt;b&gt;_<wbr>C"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0.0 %"),
        (1.0, "100.0 %"),
        (0.0004, "< 0.1 %"),
        (0.9996, "> 99.9 %"),
        (0.125, "12.5 %"),
    ],
)
def test_a_share_looks_like_nothing_or_everything_only_when_it_is(value: float | None, text: str) -> None:
    assert percent(value) == text


def test_numbers_are_grouped_and_an_unknown_one_is_a_dash() -> None:
    assert [number(12345), number(1.5), number(None)] == ["12,345", "1.50", "–"]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("zh", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-US,zh;q=0.9", "en"),
        ("fr,de;q=0.9", "en"),
        ("fr,zh;q=0.2", "zh"),
        ("zh;q=0", "en"),
        ("zh;q=x", "en"),
    ],
)
def test_the_language_is_the_browsers(header: str, language: str) -> None:
    assert preferred(header) == language


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_the_same_with_the_same_values(language: str) -> None:
    texts, english = CATALOGUE[language], CATALOGUE[DEFAULT]
    assert _filled_in(texts.words) == _filled_in(english.words)
    assert texts.values.keys() == english.values.keys()
    assert all((texts.name, texts.html, *texts.words.values(), *texts.values.values()))


def test_english_comes_first_and_every_file_is_a_language() -> None:
    assert LANGUAGES[0] == DEFAULT == "en"
    assert sorted(LANGUAGES) == sorted(path.stem for path in FOLDER.iterdir())


def test_every_objective_has_words_in_every_language() -> None:
    for texts in CATALOGUE.values():
        for objective in OBJECTIVES:
            assert {f"alert.{objective.code}", objective.section, objective.rate} <= texts.words.keys()
        assert {limit.figure for limit in OVERRIDABLE} <= texts.words.keys()


def _filled_in(words: dict[str, str]) -> dict[str, set[str]]:
    """What is filled into each text."""
    return {key: {name for _, name, _, _ in Formatter().parse(text) if name} for key, text in words.items()}


def test_an_address_holds_what_differs_from_the_usual_view_and_reads_back() -> None:
    view = View(window_days=30, site_id="a b&c=d", runs_page=3, lang="zh")
    assert view.address() == "/?window_days=30&site_id=a+b%26c%3Dd&runs_page=3&lang=zh"
    assert VIEW.read(view.address().partition("?")[2].encode()) == view
    assert View().address() == "/"
    assert view.window_address(7) == "/?site_id=a+b%26c%3Dd&lang=zh"


def test_an_address_holds_the_limits_that_it_brings_and_reads_back() -> None:
    view = View(overrides=Overrides(overlay_cache_min_requests_warn=0, breakage_open_rate_warn=0.0))
    assert view.address() == "/?overlay_cache_min_requests_warn=0&breakage_open_rate_warn=0.0"
    assert VIEW.read(view.address().partition("?")[2].encode()) == view
    assert view.address(**dict.fromkeys(Overrides.__struct_fields__)) == "/"
    assert view.api_address("/x", "breakage_open_rate_warn", "site_id") == "/x?breakage_open_rate_warn=0.0"
