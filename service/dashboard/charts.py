"""The charts: trends as lines over bars, distributions as rows with bars.

Numbers go in, SVG paths and coordinates come out; how they look is the stylesheet's. A strict
Content-Security-Policy and 5 ms a page leave no room for a library's whole charts: pygal's come with
scripts and styles of their own, and leather's take 2 ms and more each.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from msgspec import Struct

from service.wording.figures import tone

# A trend is two strips, one over the other: the rate as a line, the volume as bars.
POINT_WIDTH = 10.0
RATE_TOP, RATE_FLOOR = 4.0, 60.0
BAR_TOP, BAR_FLOOR = 68.0, 100.0
# What is not nothing has a bar that can be seen.
LEAST_BAR = 1.0
# The line leaves some room above its highest point and its limit.
HEADROOM = 1.15
DIGITS = 1


class TrendBucket(Struct, frozen=True):
    """One bucket: `part` of `total` are what the rate is about; it is None without data.

    `is_past` is whether the rate is beyond the limit of its objective.
    """

    partial: bool
    total: int
    part: int
    rate: float | None
    is_past: bool = False


class TrendChart(Struct, frozen=True):
    """Paths of one trend. `lines` has a gap where a rate is unknown; lone points are `dots`.

    `partial` and `gaps` are the x of whole columns, `limit` the y of the threshold. `lowest` and
    `highest` are the extreme rates, None where no rate is known. So many buckets are `past` the limit.
    """

    width: float
    lines: str
    dots: str
    totals: str
    parts: str
    limit: float | None
    gaps: tuple[float, ...]
    partial: tuple[float, ...]
    rate_top: float
    total_top: int
    lowest: float | None
    highest: float | None
    past: int


def trend_chart(buckets: Sequence[TrendBucket], limit: float | None) -> TrendChart:
    """The chart of a trend, oldest bucket first."""
    known = [bucket.rate for bucket in buckets if bucket.rate is not None]
    rate_top = min(1.0, max([*known, limit or 0.0, 0.01]) * HEADROOM)
    total_top = max((bucket.total for bucket in buckets), default=0)
    lines, dots = _lines([bucket.rate for bucket in buckets], rate_top)
    return TrendChart(
        width=len(buckets) * POINT_WIDTH,
        lines=lines,
        dots=dots,
        totals=_bars([bucket.total for bucket in buckets], total_top),
        parts=_bars([bucket.part for bucket in buckets], total_top),
        limit=None if limit is None else _y(limit, rate_top, RATE_FLOOR, RATE_TOP),
        gaps=_columns(bucket.rate is None for bucket in buckets),
        partial=_columns(bucket.partial for bucket in buckets),
        rate_top=rate_top,
        total_top=total_top,
        lowest=min(known, default=None),
        highest=max(known, default=None),
        past=sum(bucket.is_past for bucket in buckets),
    )


def _y(value: float, highest: float, floor: float, top: float) -> float:
    """How high a value stands in a strip whose top is the highest, to the digits of a path."""
    part = value / highest
    return round(floor * (1 - part) + top * part, DIGITS)


def _lines(rates: Sequence[float | None], highest: float) -> tuple[str, str]:
    """A line through each run of known rates, and a dot for each that stands alone."""
    heights = {
        rate: f"{_y(rate, highest, RATE_FLOOR, RATE_TOP):g}" for rate in set(rates) if rate is not None
    }
    runs: list[list[str]] = [[]]
    for rate, x in zip(rates, _middles(len(rates)), strict=True):
        if rate is None:
            runs.append([])
        else:
            runs[-1].append(f"{x}{heights[rate]}")
    lines = ["M" + "L".join(run) for run in runs if len(run) > 1]
    dots = [f"M{run[0]}Z" for run in runs if len(run) == 1]
    return "".join(lines), "".join(dots)


def _bars(counts: Sequence[int], highest: int) -> str:
    """All bars as one path of upright strokes, a thousand on a page by the hour; zero has none."""
    bars = {count: _bar(count, highest) for count in set(counts) if count}
    places = zip(counts, _middles(len(counts)), strict=True)
    return "".join([f"M{x}{bars[count]}" for count, x in places if count])


def _bar(count: int, highest: int) -> str:
    y = min(_y(count, highest, BAR_FLOOR, BAR_TOP), BAR_FLOOR - LEAST_BAR)
    return f"{y:g}V{BAR_FLOOR:g}"


@lru_cache(maxsize=64)
def _middles(points: int) -> tuple[str, ...]:
    """The middle of each of so many columns, as a path has it before a y."""
    return tuple(f"{(n + 0.5) * POINT_WIDTH:g}," for n in range(points))


def _columns(are_marked: Iterable[bool]) -> tuple[float, ...]:
    """The left edges of the columns that are marked."""
    return tuple(n * POINT_WIDTH for n, is_marked in enumerate(are_marked) if is_marked)


class Category(Struct, frozen=True):
    """One category of a distribution: its key, how many, which share of all, and how it is meant."""

    key: str
    count: int
    share: float
    tone: str


class Distribution(Struct, frozen=True):
    """The largest categories of a map, and how many others there are with what count together."""

    name: str
    rows: tuple[Category, ...]
    others: int
    others_count: int


MOST_ROWS = 6
# Keys that have an order of their own, and come first in it, however many there are of each.
_ORDERS = {"by_severity": ("critical", "high", "medium", "low")}


def distribution(name: str, counts: dict[str, int]) -> Distribution:
    """A map as rows: those with an order, then the largest first, ties by key. Nothing counted is no rows."""
    total, order = sum(counts.values()), _ORDERS.get(name, ())
    ranks = {key: n - len(order) for n, key in enumerate(order)}
    found = counts.items() if total else ()
    ordered = sorted(found, key=lambda item: (ranks.get(item[0], 0), -item[1], item[0]))
    shown, rest = ordered[:MOST_ROWS], ordered[MOST_ROWS:]
    return Distribution(
        name=name,
        rows=tuple(Category(key, count, count / total, tone(key)) for key, count in shown),
        others=len(rest),
        others_count=sum(count for _, count in rest),
    )
