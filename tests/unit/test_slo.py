"""SLO hints: which side of a threshold gives one, how severe it is, and what it says."""

import pytest
from msgspec.structs import replace

from service.overview.slo import OBJECTIVES, Hint, Objective, Threshold, Thresholds, slo_hints
from tests.support.summaries import summary

DEFAULTS = Thresholds()
NOTHING = summary()
SECTIONS = {
    "requests": "overlay_cache",
    "hit_rate": "overlay_cache",
    "dead_letter_rate": "doc_sync",
    "failed_rate": "workflow_actions",
    "open_rate": "breakages",
}
CODES = {
    "dead_letter_rate": ("doc_sync_dead_letter_rate_high", "doc_sync_dead_letter_rate", 0.05),
    "failed_rate": ("workflow_action_failed_rate_high", "workflow_failed_rate", 0.02),
    "open_rate": ("breakage_open_rate_high", "breakage_open_rate", 0.5),
}

MINIMA = {
    "dead_letter_rate": "doc_sync_min_jobs",
    "failed_rate": "workflow_min_runs",
    "open_rate": "breakage_min_incidents",
}
NONE: dict[str, int] = {}


def hints(
    thresholds: Thresholds = DEFAULTS, totals: dict[str, int] = NONE, /, **rates: float
) -> tuple[Hint, ...]:
    """The hints of these rates, over so many rows by section; all other rates have no data."""
    sections = {name: getattr(NOTHING, name) for name in SECTIONS.values()}
    for name, total in totals.items():
        sections[name] = replace(sections[name], total=total)
    for name, value in rates.items():
        sections[SECTIONS[name]] = replace(sections[SECTIONS[name]], **{name: value})
    return slo_hints(sections, thresholds)


def test_no_data_is_no_hint() -> None:
    assert hints() == ()


@pytest.mark.parametrize("rate", CODES)
def test_a_high_rate_warns_past_its_threshold_and_not_on_it(rate: str) -> None:
    code, _, threshold = CODES[rate]
    assert hints(**{rate: threshold}) == ()
    assert hints(**{rate: 0.0}) == ()
    (hint,) = hints(**{rate: threshold + 1e-12})
    assert (hint.code, hint.level) == (code, "warn")


def test_a_low_hit_rate_warns_below_its_threshold_and_with_enough_lookups() -> None:
    assert hints(requests=10, hit_rate=0.8) == ()
    assert hints(requests=9, hit_rate=0.0) == ()
    (hint,) = hints(requests=10, hit_rate=0.7999)
    assert (hint.code, hint.level) == ("overlay_cache_hit_rate_low", "warn")


@pytest.mark.parametrize("rate", CODES)
def test_a_high_rate_of_fewer_rows_than_the_least_is_no_hint_whatever_it_is(rate: str) -> None:
    few = replace(DEFAULTS, **{MINIMA[rate]: 10}, **{CODES[rate][1]: Threshold(CODES[rate][2], 0.75)})
    section = SECTIONS[rate]
    assert hints(few, {section: 9}, **{rate: 1.0}) == ()
    assert [hint.level for hint in hints(few, {section: 10}, **{rate: 1.0})] == ["critical"]
    assert getattr(DEFAULTS, MINIMA[rate]) == 0


@pytest.mark.parametrize("rate", CODES)
def test_past_the_critical_threshold_there_is_one_hint_and_it_is_critical(rate: str) -> None:
    code, name, threshold = CODES[rate]
    thresholds = replace(DEFAULTS, **{name: Threshold(threshold, 0.75)})
    assert [hint.level for hint in hints(thresholds, **{rate: 0.75})] == ["warn"]
    (hint,) = hints(thresholds, **{rate: 0.76})
    assert (hint.code, hint.level) == (code, "critical")
    assert hint.message.endswith(" is above 75%")


def test_a_critically_low_hit_rate_names_the_critical_threshold() -> None:
    thresholds = Thresholds(overlay_cache_hit_rate=Threshold(0.9, 0.4), overlay_cache_min_requests=1)
    warned, critical = (hints(thresholds, requests=1, hit_rate=rate) for rate in (0.4, 0.39))
    assert [(hint.level, hint.message) for hint in warned + critical] == [
        ("warn", "Overlay cache hit rate is below 0.9 in the selected window"),
        ("critical", "Overlay cache hit rate is below 0.4 in the selected window"),
    ]


def test_hints_come_in_the_contracts_order_with_the_contracts_messages() -> None:
    rates = {"dead_letter_rate": 1.0, "failed_rate": 1.0, "open_rate": 1.0}
    assert [hint.message for hint in hints(requests=10, hit_rate=0.0, **rates)] == [
        "Overlay cache hit rate is below 0.8 in the selected window",
        "Document sync dead-letter rate is above 5%",
        "Workflow custom action failed rate is above 2%",
        "Open breakage ratio is above 50%",
    ]


@pytest.mark.parametrize(
    ("threshold", "written"),
    [
        *((0.0, "0%"), (1.0, "100%"), (0.07, "7%"), (0.29, "29%"), (0.125, "12.5%"), (0.1, "10%")),
        *((0.1234567, "12.34567%"), (0.9999999, "99.99999%"), (0.000001, "0.0001%")),
    ],
)
def test_a_message_names_its_threshold_to_the_digit(threshold: float, written: str) -> None:
    thresholds = Thresholds(workflow_failed_rate=Threshold(threshold))
    rate = threshold + 1e-9
    message = hints(thresholds, failed_rate=rate)[0].message
    assert message == f"Workflow custom action failed rate is above {written}"


@pytest.mark.parametrize(
    ("threshold", "written"), [(1.0, "1"), (0.1234567, "0.1234567"), (1e-7, "0.0000001")]
)
def test_a_hit_rate_is_named_as_a_share(threshold: float, written: str) -> None:
    thresholds = Thresholds(overlay_cache_hit_rate=Threshold(threshold))
    message = hints(thresholds, requests=10, hit_rate=0.0)[0].message
    assert message == f"Overlay cache hit rate is below {written} in the selected window"


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_an_example_of_where_it_is_critical_is_a_share_past_where_it_warns(objective: Objective) -> None:
    assert 0 < objective.critical_example < 1
    assert objective.is_past(objective.critical_example, objective.default)
