"""The edges of a trend's points as people read them: Mon 24, 14:00."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from service.dashboard.steps import DAY, Step
from service.dashboard.wording import words_in
from service.overview.trends import Trends

# Of more than that, an axis names the days and not the hours.
LONG = timedelta(days=2)


class Course(Struct, frozen=True):
    """Where a trend's points begin, oldest first, and the last one ends, in the time zone `zone`."""

    starts: tuple[datetime, ...]
    until: datetime
    zone: str
    step: Step


def course_of(trends: Trends) -> Course:
    """The points of trends by the clock of their time zone."""
    zone = ZoneInfo(trends.time_zone)
    return Course(
        starts=tuple(point.bucket_start.astimezone(zone) for point in trends.points),
        until=trends.generated_at.astimezone(zone),
        zone=zone.key,
        step=Step(trends.bucket_days, trends.bucket_hours),
    )


def labels_in(language: str) -> dict[str, Callable[..., Any]]:
    """Functions from a Course to what a language says of its points.

    `points` are whole texts, `axis` short ones, of which one may be empty; `edge` is the text of one instant.
    `hour` is so for an instant of no course.
    """
    word = words_in(language)["word"]
    weekdays = word("weekdays").split()

    def day(instant: datetime, key: str = "at.day") -> str:
        return word(key, weekday=weekdays[instant.weekday()], date=f"{instant:%m-%d}", day=instant.day)

    def hour(instant: datetime) -> str:
        return word("at.time", day=day(instant), time=f"{instant:%H:%M}")

    def edge(course: Course, instant: datetime) -> str:
        name = day(instant, "at.day" if course.step.bucket_hours or course.step == DAY else "at.date")
        if instant.time() == time() and not course.step.bucket_hours:
            return name
        return word("at.time", day=name, time=f"{instant:%H:%M}")

    # The trends of a page have one course, and so have all who look at it.
    @lru_cache(maxsize=64)
    def points(course: Course) -> tuple[str, ...]:
        return tuple(edge(course, start) for start in course.starts)

    @lru_cache(maxsize=64)
    def axis(course: Course) -> tuple[str, ...]:
        is_long = course.until - course.starts[0] > LONG
        return tuple(_tick(course.step, start, is_long=is_long) for start in course.starts)

    def _tick(step: Step, start: datetime, *, is_long: bool) -> str:
        if not step.bucket_hours:
            return day(start) if step == DAY else f"{start:%m-%d}"
        if start.time() == time():
            return day(start)
        return "" if is_long else f"{start:%H:%M}"

    return {"points": points, "axis": axis, "edge": edge, "hour": hour}
