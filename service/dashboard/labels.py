"""The edges of a trend's points as people read them: Mon 24, 14:00."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct

from service.dashboard.steps import DAY, Step
from service.overview.trends import Trends
from service.wording.words import words_in

# Of more than that, an axis names the days and not the hours.
LONG = timedelta(days=2)
# From so many hours on, days are told.
DAYS_FROM = 48


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


class Labels:
    """Writes times in a language.

    Of a Course, `points` are whole texts and `axis` short ones, of which one may be empty. Both are
    remembered: the trends of a page have one course, and so have all who look at it.
    """

    def __init__(self, language: str) -> None:
        self._word = words_in(language)["word"]
        self._weekdays = self._word("weekdays").split()
        self._named = lru_cache(maxsize=64)(self._name)
        self.points = lru_cache(maxsize=64)(self._points)
        self.axis = lru_cache(maxsize=64)(self._axis)

    def filters(self) -> dict[str, Callable[..., Any]]:
        """What templates call, by name."""
        return {each: getattr(self, each) for each in ("points", "axis", "edge", "hour", "duration")}

    def hour(self, instant: datetime) -> str:
        """An instant of the last days."""
        return self._timed(self._day(instant), instant)

    def duration(self, hours: float) -> str:
        """So many hours, of which whole ones count, and of many whole days."""
        if hours < 1:
            return self._word("lasts.short")
        if hours < DAYS_FROM:
            return self._word("lasts.hours", n=int(hours))
        return self._word("lasts.days", n=int(hours // 24))

    def edge(self, course: Course, instant: datetime) -> str:
        """A beginning or the end of a point; days have the time only where they are cut."""
        is_short = bool(course.step.bucket_hours) or course.step == DAY
        name = self._day(instant) if is_short else self._day(instant, "at.date")
        is_whole = instant.time() == time() and not course.step.bucket_hours
        return name if is_whole else self._timed(name, instant)

    def _points(self, course: Course) -> tuple[str, ...]:
        return tuple(self.edge(course, start) for start in course.starts)

    def _axis(self, course: Course) -> tuple[str, ...]:
        is_long = course.until - course.starts[0] > LONG
        return tuple(self._tick(course.step, start, is_long=is_long) for start in course.starts)

    def _tick(self, step: Step, start: datetime, *, is_long: bool) -> str:
        if not step.bucket_hours:
            return self._day(start) if step == DAY else f"{start:%m-%d}"
        if start.time() == time():
            return self._day(start)
        return "" if is_long else f"{start:%H:%M}"

    def _day(self, instant: datetime, key: str = "at.day") -> str:
        return self._named(instant.date(), key)

    def _name(self, day: date, key: str) -> str:
        weekday = self._weekdays[day.weekday()]
        return self._word(key, weekday=weekday, day=day.day, date=f"{day:%m-%d}")

    def _timed(self, day: str, instant: datetime) -> str:
        # The hour that comes twice, where the clock is put back, says the second time which it is.
        which = f" {instant.tzname()}" if instant.fold else ""
        return self._word("at.time", day=day, time=f"{instant.hour:02}:{instant.minute:02}{which}")
