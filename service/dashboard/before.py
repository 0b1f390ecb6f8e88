"""What a figure was in the window before, and since when a rate is past its limit."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from service.overview.clock import HOUR_SECONDS
from service.overview.hourly import HOURS
from service.overview.slo import Hint
from service.overview.summary import Previous
from service.wording.figures import percent

# What began as long ago may have begun before that.
KNOWN = timedelta(hours=HOURS - 1)


class Before(Struct, frozen=True):
    """A rate in the window before; the way that it has gone since, and what to think of that.

    `way` is up, down or same, `verdict` better, worse or same; both are None where there is no rate now.
    """

    value: float
    way: str | None = None
    verdict: str | None = None


def before(
    previous: Previous | None, section: str, name: str, now: float | None, *, is_least: bool
) -> Before | None:
    """A figure of the window before, if that is known. `is_least` when it is good that it is high."""
    then = getattr(getattr(previous, section, None), name, None)
    if then is None or now is None:
        return None if then is None else Before(then)
    if percent(then) == percent(now):
        return Before(then, "same", "same")
    is_up = now > then
    return Before(then, "up" if is_up else "down", "better" if is_up == is_least else "worse")


class Run(Struct, frozen=True):
    """How long hours have been bad, or not: from `begin` on, so many whole hours ago.

    `is_longer` when it may well have begun before, which nobody can tell.
    """

    begin: datetime
    hours: int
    is_bad: bool
    is_longer: bool


def run_of(hint: Hint, instant: datetime, zone: ZoneInfo) -> Run | None:
    """The run of hours that a hint tells of, as of an instant."""
    begin = hint.since or hint.quiet_since
    if begin is None:
        return None
    lasted = instant - begin
    hours = int(lasted.total_seconds()) // HOUR_SECONDS
    return Run(begin.astimezone(zone), hours, hint.since is not None, lasted >= KNOWN)
