"""Figures and times as the board's pages have them."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from markupsafe import Markup, escape

from service.dashboard.charts import TrendBucket
from service.wording.figures import NO_DATA, code, limit, number, percent


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
    mark, unknown = f" ({escape(partial)})", str(escape(no_data))
    escaped = str(escape("\n".join(labels))).split("\n")
    rows = [
        f'<tr><th scope="row">{label}{mark if bucket.partial else ""}</th>'
        f"{_counted(bucket.total, bucket.part)}<td>{_share(bucket.rate) or unknown}</td></tr>"
        for bucket, label in zip(buckets, escaped, strict=True)
    ]
    return Markup("\n".join(rows))  # noqa: S704 - numbers, and words that are escaped


@lru_cache(maxsize=4096)
def _counted(total: int, part: int) -> str:
    """The cells of counts, which are mostly small, and then alike in many rows."""
    return f"<td>{number(total)}</td><td>{number(part)}</td>"


@lru_cache(maxsize=4096)
def _share(rate: float | None) -> str:
    """A rate in words; none for one that nobody knows."""
    return "" if rate is None else percent(rate)


def breakable(code: str) -> Markup:
    """A name that may go on in the next line after an underscore, and not within a word."""
    return Markup(str(escape(code)).replace("_", "_<wbr>"))  # noqa: S704 - it is escaped


FILTERS = {
    each.__name__: each for each in (number, percent, limit, clock, code, moment, point_rows, breakable)
}
