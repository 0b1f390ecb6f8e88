"""What the board tells beside its figures: the window before, since when, where, and budgets."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from service.dashboard.before import Before, Run, before, run_of
from service.dashboard.labels import Labels
from service.dashboard.layouts import LAYOUTS
from service.dashboard.places import IN_SIGHT, Places
from service.dashboard.spending import Spending, spendings
from service.dashboard.view import VIEW
from service.overview.sections import DocSyncDay, Snapshot, WorkflowActionsDay
from service.overview.slo import HINT_CODES, Hint, Threshold, Thresholds
from service.overview.summary import Previous, WorkflowActionsBefore, summarize
from service.wording.words import CATALOGUE
from tests.support.snapshots import INSTANT, NOTHING

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOUR = timedelta(hours=1)


def previous(failed_rate: float | None) -> Previous:
    """A window before in which runs failed so often, and of which nothing else is known."""
    runs = WorkflowActionsBefore(100, 0, failed_rate)
    return Previous(INSTANT - 14 * 24 * HOUR, None, runs, None, None)


@pytest.mark.parametrize(
    ("then", "now", "is_least", "told"),
    [
        (0.1, 0.2, False, Before(0.1, "up", "worse")),
        (0.2, 0.1, False, Before(0.2, "down", "better")),
        (0.7, 0.8, True, Before(0.7, "up", "better")),
        (0.8, 0.7, True, Before(0.8, "down", "worse")),
        # What reads the same has not changed.
        (0.1, 0.10001, False, Before(0.1, "same", "same")),
        (0.0, 0.0, False, Before(0.0, "same", "same")),
        (0.1, None, False, Before(0.1)),
        (None, 0.1, False, None),
    ],
)
def test_a_rate_is_better_or_worse_than_before(
    then: float | None, now: float | None, is_least: bool, told: Before | None
) -> None:
    assert before(previous(then), "workflow_actions", "failed_rate", now, is_least=is_least) == told


def test_what_is_not_known_of_before_is_not_told() -> None:
    assert before(None, "workflow_actions", "failed_rate", 0.1, is_least=False) is None
    assert before(previous(0.1), "breakages", "open_rate", 0.1, is_least=False) is None
    assert before(previous(0.1), "consumption_templates", "templates_total", 3, is_least=False) is None


def run(since: timedelta | None = None, quiet: timedelta | None = None) -> Run | None:
    """The run of a hint whose times are so long ago."""
    begins = [None if each is None else INSTANT - each for each in (since, quiet)]
    return run_of(Hint(HINT_CODES[0], "warn", "", *begins), INSTANT, SHANGHAI)


def test_a_hint_tells_since_when_by_the_clock_of_the_zone() -> None:
    found = run(since=5.5 * HOUR)
    assert found == Run(INSTANT - 5.5 * HOUR, 5, is_bad=True, is_longer=False)
    assert found is not None
    hours = {lang: Labels(lang).hour(found.begin) for lang in CATALOGUE}
    assert hours == {"en": "Tue 10, 12:00", "zh": "10日周二 12:00"}


def test_a_hint_tells_for_how_long_it_is_over() -> None:
    assert run(quiet=6.5 * HOUR) == Run(INSTANT - 6.5 * HOUR, 6, is_bad=False, is_longer=False)
    assert run() is None


def test_what_is_as_old_as_the_hours_that_are_known_may_be_older() -> None:
    runs = [run(since=hours * HOUR) for hours in (166.5, 167, 167.5)]
    assert [each is not None and each.is_longer for each in runs] == [False, True, True]


@pytest.mark.parametrize(
    ("hours", "english", "chinese"),
    [
        (0, "less than 1 h", "不到 1 小时"),
        (1, "1 h", "1 小时"),
        (47.9, "47 h", "47 小时"),
        (48, "2 d", "2 天"),
        (719, "29 d", "29 天"),
    ],
)
def test_a_duration_is_in_hours_and_then_in_days(hours: float, english: str, chinese: str) -> None:
    assert [Labels(lang).duration(hours) for lang in ("en", "zh")] == [english, chinese]


def places(*names: str | None) -> Places:
    """The worst sites of that name, each with a dead letter more than the next."""
    worst = tuple((name, DocSyncDay(100, 0, 20 - n, 10 - n)) for n, name in enumerate(names))
    summary = summarize(replace(NOTHING, doc_sync=replace(NOTHING.doc_sync, worst=worst)), Thresholds())
    columns = LAYOUTS[0].places
    assert columns is not None
    return columns.places(summary.doc_sync)


def test_a_place_has_its_counts_and_its_rate_and_leads_to_itself() -> None:
    (site,) = places("SH-01").rows
    assert (site.name, site.counts, site.rate, site.is_filter) == ("SH-01", (100, 20, 10), 0.1, True)


@pytest.mark.parametrize("name", [None, "", " ", " padded", "x" * 201])
def test_no_link_leads_to_what_no_filter_finds(name: str | None) -> None:
    assert [each.is_filter for each in places(name, "x" * 200).rows] == [False, True]


def test_the_very_worst_places_are_in_sight_and_the_others_at_hand() -> None:
    found = places(*map(str, range(10)))
    assert [len(found.in_sight), len(found.further)] == [IN_SIGHT, 10 - IN_SIGHT]
    assert found.in_sight + found.further == found.rows
    assert places().in_sight == ()


def test_the_link_of_a_place_keeps_the_view_and_begins_the_lists_anew() -> None:
    view = VIEW.read(b"window_days=30&bucket_days=7&jobs_page=3&lang=zh")
    assert view.kept_address(site_id="A&B") == "/?window_days=30&bucket_days=7&site_id=A%26B&lang=zh"


Counts = tuple[int, int]


def spending(month: Counts | None, last_hour: Counts = (0, 0), limit: float = 0.1) -> Spending:
    """The budget of runs of which so many, and so many failed, in a month and in its last hour."""
    cells = (WorkflowActionsDay(),) * 169 + (WorkflowActionsDay(*last_hour),)
    counted = None if month is None else WorkflowActionsDay(*month)
    section = replace(NOTHING.workflow_actions, by_hour=cells, month=counted)
    snapshot: Snapshot = replace(NOTHING, instant=INSTANT, workflow_actions=section)
    limits: dict[str, Any] = {"workflow_failed_rate": Threshold(limit)}
    return spendings(snapshot, Thresholds(**limits))[1]


@pytest.mark.parametrize(
    ("month", "last_hour", "level", "outlook"),
    [
        ((1000, 50), (10, 0), "ok", "lasts"),
        ((1000, 50), (100, 1), "ok", "lasts"),
        ((1000, 50), (10, 1), "warn", "ends"),
        ((1000, 99), (100, 1), "warn", "ends"),
        ((1000, 100), (10, 0), "critical", "gone"),
        ((1000, 100), (0, 0), "critical", "gone"),
    ],
)
def test_a_budget_lasts_or_ends_or_is_gone(
    month: Counts, last_hour: Counts, level: str, outlook: str
) -> None:
    found = spending(month, last_hour)
    assert (found.section, found.level, found.outlook) == ("workflow_actions", level, outlook)


@pytest.mark.parametrize(
    ("month", "outlook"), [(None, "unread"), ((0, 0), "unknown"), ((1000, 50), "unknown")]
)
def test_without_data_no_budget_is_green(month: Counts | None, outlook: str) -> None:
    assert (spending(month).level, spending(month).outlook) == ("no_data", outlook)


def test_the_budget_of_a_source_that_is_away_says_so() -> None:
    found = spendings(replace(NOTHING, degraded=("overlay_cache",)), Thresholds())
    assert [(each.section, each.outlook) for each in found] == [
        ("doc_sync", "unread"),
        ("workflow_actions", "unread"),
        ("overlay_cache", "away"),
    ]


def test_where_nothing_may_fail_the_first_failure_takes_it_all() -> None:
    assert spending((1000, 1), (10, 0), limit=0.0).level == "critical"
    assert spending((1000, 0), (10, 0), limit=0.0).level == "no_data"


def test_all_that_is_told_has_words() -> None:
    names = ("unread", "away", "unknown", "gone", "ends", "lasts")
    outlooks = {f"budget.{each}{why}" for each in names for why in ("", ".why")}
    over = {f"burn.{name}" for name in spending(None).budget.burn_rates}
    verdicts = {f"before.{each}" for each in ("better", "worse", "same")}
    filters = [layout.places.filter for layout in LAYOUTS if layout.places]
    kinds = {f"{kind}.{name}" for name in filters for kind in ("worst", "without")}
    for texts in CATALOGUE.values():
        assert outlooks | over | verdicts | kinds <= texts.words.keys()
