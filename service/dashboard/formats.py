"""Figures and times as people read them. A figure that nobody knows is a dash, never a zero."""

from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup, escape
from msgspec.json import decode

from service.dashboard.charts import TrendBucket
from service.sources.workflow_actions import NO_CODE

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


def point_rows(buckets: Sequence[TrendBucket], labels: Sequence[str], partial: str, no_data: str) -> Markup:
    """The table rows of a trend: 500 on a page of three, too many for a template.

    `partial` and `no_data` are the words for a bucket that is cut off and for a rate that nobody knows.
    """
    mark, unknown = f" ({escape(partial)})", escape(no_data)
    rows = [
        f'<tr><th scope="row">{escape(label)}{mark if bucket.partial else ""}</th>'
        f"<td>{number(bucket.total)}</td><td>{number(bucket.part)}</td>"
        f"<td>{unknown if bucket.rate is None else percent(bucket.rate)}</td></tr>"
        for bucket, label in zip(buckets, labels, strict=True)
    ]
    return Markup("\n".join(rows))  # noqa: S704 - numbers, and words that are escaped


def code(result_code: str) -> str | None:
    """A result code, given as JSON text, as runs are counted by it; None where there may be no result."""
    if result_code == "null":
        return None
    if result_code.startswith('"'):
        return decode(result_code, type=str) or NO_CODE
    is_falsy = result_code == "false" or not result_code.strip("-0.")
    return NO_CODE if is_falsy else result_code


def breakable(code: str) -> Markup:
    """A name that may go on in the next line after an underscore, and not within a word."""
    return Markup(str(escape(code)).replace("_", "_<wbr>"))  # noqa: S704 - it is escaped


FILTERS = {
    each.__name__: each for each in (number, percent, limit, clock, code, moment, point_rows, breakable)
}
