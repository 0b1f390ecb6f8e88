"""Which steps the board's trends may have, and how their points are named, by the clock of a time zone."""

from datetime import UTC, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from service.api.responses.errors import InvalidRequest
from service.dashboard.labels import Course, Labels, course_of
from service.dashboard.steps import CHOICES
from service.dashboard.view import VIEW, View
from service.overview.query import WINDOW_DAYS
from service.overview.sections import BreakagesDay, DocSyncDay, WorkflowActionsDay
from service.overview.trends import trends_of
from service.wording.words import CATALOGUE
from tests.support.snapshots import NOTHING

T = TypeVar("T")
# A Friday afternoon.
INSTANT = datetime(2026, 3, 27, 14, 5, 30, tzinfo=UTC)


def cells(cell: T) -> dict[str, tuple[T, ...]]:
    """As many empty cells as any trend may take."""
    return dict.fromkeys(("days", "by_clock", "by_hour"), (cell,) * 200)


EMPTY = replace(
    NOTHING,
    doc_sync=replace(NOTHING.doc_sync, **cells(DocSyncDay())),
    workflow_actions=replace(NOTHING.workflow_actions, **cells(WorkflowActionsDay())),
    breakages=replace(NOTHING.breakages, **cells(BreakagesDay())),
)


def course(zone: str = "UTC", instant: datetime = INSTANT, **view: Any) -> Course:  # noqa: ANN401
    """The points of a view's trends in a time zone."""
    seen = View(**view)
    snapshot = replace(EMPTY, instant=instant, zone=ZoneInfo(zone), query=seen.snapshot)
    return course_of(trends_of(snapshot, seen.trends))


def named(found: Course, language: str = "en", kind: str = "points") -> tuple[str, ...]:
    """What a language says of the points."""
    labels: tuple[str, ...] = getattr(Labels(language), kind)(found)
    return labels


@pytest.mark.parametrize(
    ("view", "steps"),
    [
        ({"window_days": 1}, "1h 1h,6h"),
        ({"window_days": 7}, "1d 1h,6h,1d"),
        ({"window_days": 14}, "1d 1d,7d"),
        ({"window_days": 30, "bucket_days": 7}, "7d 1d,7d"),
        ({"window_days": 90}, "7d 7d"),
        ({"window_days": 90, "bucket_days": 1}, "7d 7d"),
        # What addresses of before ask for.
        ({"window_days": 14, "bucket_days": 14}, "14d 1d,7d,14d"),
        ({"window_days": 90, "bucket_days": 30}, "30d 7d,30d"),
        ({"window_days": 1, "bucket_days": 1}, "1d 1h,6h,1d"),
    ],
)
def test_a_window_opens_in_its_usual_step_and_offers_others(view: dict[str, Any], steps: str) -> None:
    seen = View(**view)
    assert f"{seen.step.name} {','.join(each.name for each in seen.step_choices)}" == steps


def test_every_window_and_step_has_words() -> None:
    assert tuple(CHOICES) == WINDOW_DAYS
    names = {"1h", "6h", "1d", "7d", "14d", "30d"}
    for texts in CATALOGUE.values():
        assert {f"{kind}.{name}" for name in names for kind in ("step", "trend.each")} <= texts.words.keys()
        assert len(texts.words["weekdays"].split()) == 7


def test_steps_are_by_the_clock_but_where_they_only_count_back() -> None:
    align = {days: View(window_days=30, bucket_days=days).trends.align for days in (None, 1, 7, 14, 30)}
    assert align == {None: "clock", 1: "clock", 7: "clock", 14: "window", 30: "window"}
    assert View(window_days=1).trends == VIEW.read(b"window_days=1&bucket_hours=1").trends


def test_hours_are_in_the_address_until_the_window_changes() -> None:
    view = VIEW.read(b"bucket_hours=6&site_id=S1")
    assert view.address() == "/?bucket_hours=6&site_id=S1"
    assert view.window_address(30) == "/?window_days=30&site_id=S1"
    assert view.trends_address("/t") == "/t?window_days=7&site_id=S1&align=clock&bucket_hours=6"
    with pytest.raises(InvalidRequest, match="bucket_hours needs window_days of 1 or 7"):
        VIEW.read(b"window_days=30&bucket_hours=1")


def test_a_day_by_the_hour_names_the_hours_of_the_zone() -> None:
    found = course("Asia/Shanghai", window_days=1)
    points = named(found)
    assert (len(points), found.zone) == (25, "Asia/Shanghai")
    assert (*points[:2], points[-1]) == ("Thu 26, 22:05", "Thu 26, 23:00", "Fri 27, 22:00")
    assert named(found, kind="axis")[:4] == ("22:05", "23:00", "Fri 27", "01:00")
    assert named(found, "zh")[2] == "27日周五 00:00"


def test_an_hour_that_comes_twice_says_the_second_time_which_it_is() -> None:
    found = course("Europe/Berlin", datetime(2026, 10, 25, 3, 30, tzinfo=UTC), window_days=1)
    twice = [name for name in named(found) if "25, 02:00" in name]
    assert twice == ["Sun 25, 02:00", "Sun 25, 02:00 CET"]


def test_a_week_by_the_hour_names_its_days_on_the_axis() -> None:
    for hours, count in ((1, 169), (6, 29)):
        axis = named(course(window_days=7, bucket_hours=hours), kind="axis")
        assert len(axis) == count
        assert list(filter(None, axis)) == [
            *("Sat 21", "Sun 22", "Mon 23", "Tue 24"),
            *("Wed 25", "Thu 26", "Fri 27"),
        ]


def test_days_have_the_time_only_where_the_window_cuts_them() -> None:
    found = course("America/New_York", window_days=7)
    assert named(found)[:2] == ("Fri 20, 10:05", "Sat 21")
    assert named(found, kind="axis")[:2] == ("Fri 20", "Sat 21")
    assert named(found, "zh", "axis")[1] == "21日周六"


def test_weeks_and_what_counts_back_have_the_month() -> None:
    assert named(course(window_days=90))[:2] == ("Sat 12-27, 14:05", "Mon 12-29")
    assert named(course(window_days=90), kind="axis")[-1] == "03-23"
    assert named(course("Asia/Kolkata", window_days=30, bucket_days=30)) == ("Wed 02-25, 19:35",)
