"""Figures and times as people read them. A figure that nobody knows is a dash, never a zero."""

from datetime import datetime

NO_DATA = "–"


def number(value: float | None) -> str:
    """12345 as 12,345; a fraction to two places."""
    if value is None:
        return NO_DATA
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def percent(value: float | None) -> str:
    """0.1234 as 12.3 %. What is not quite nothing or everything does not look like it."""
    if value is None:
        return NO_DATA
    if 0 < value < 0.001:
        return "< 0.1 %"
    if 0.999 < value < 1:
        return "> 99.9 %"
    return f"{value * 100:.1f} %"


def limit(value: float) -> str:
    """A threshold, as precisely as it was set."""
    return f"{value * 100:g} %"


def clock(instant: datetime) -> str:
    """The time of day of a UTC instant, which says so."""
    return f"{instant:%H:%M:%S} UTC"


def moment(instant: datetime | None) -> str:
    """Date and time of a UTC instant, for places that say UTC themselves."""
    return f"{instant:%Y-%m-%d %H:%M:%S}" if instant else NO_DATA


def day(instant: datetime) -> str:
    """Month, day and time of a bucket's edge."""
    return f"{instant:%m-%d %H:%M}"


FILTERS = {function.__name__: function for function in (number, percent, limit, clock, moment, day)}
