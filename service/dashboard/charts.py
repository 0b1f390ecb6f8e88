"""The geometry of the charts: numbers in, SVG coordinates out. How they look is the stylesheet's.

Drawn here and not by a library: a page is to weigh less than 150 kB and cost less than 5 ms, and a
strict Content-Security-Policy forbids styles and scripts within it. pygal 3.1.3, for one, took 26 ms
for a line of 90 points, and wrote 80 kB with a script and a style; the three trends of a page here
take 1 ms and 13 kB.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

# A trend is two strips, one over the other: the rate as a line, the volume as bars.
POINT_WIDTH = 10.0
RATE_TOP, RATE_FLOOR = 4.0, 60.0
BAR_TOP, BAR_FLOOR = 68.0, 100.0
BAR_MARGIN = 1.5
# The line leaves some room above its highest point and its limit.
HEADROOM = 1.15


class TrendBucket(Struct, frozen=True):
    """One bucket: `part` of `total` are what the rate is about; it is None without data."""

    start: datetime
    partial: bool
    total: int
    part: int
    rate: float | None


class TrendChart(Struct, frozen=True):
    """Paths of one trend. `lines` has a gap where a rate is unknown; lone points are `dots`.

    `partial` and `gaps` are the x of whole columns, `limit` the y of the threshold. `lowest` and
    `highest` are the extreme rates, None where no rate is known.
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


def trend_chart(buckets: Sequence[TrendBucket], limit: float | None) -> TrendChart:
    """The chart of a trend, oldest bucket first."""
    known = [bucket.rate for bucket in buckets if bucket.rate is not None]
    rate_top = min(1.0, max([*known, limit or 0.0, 0.01]) * HEADROOM)
    total_top = max((bucket.total for bucket in buckets), default=0)
    lines, dots = _lines(buckets, rate_top)
    return TrendChart(
        width=len(buckets) * POINT_WIDTH,
        lines=lines,
        dots=dots,
        totals=_bars([bucket.total for bucket in buckets], total_top),
        parts=_bars([bucket.part for bucket in buckets], total_top),
        limit=None if limit is None else round(_rate_y(limit, rate_top), 1),
        gaps=tuple(n * POINT_WIDTH for n, bucket in enumerate(buckets) if bucket.rate is None),
        partial=tuple(n * POINT_WIDTH for n, bucket in enumerate(buckets) if bucket.partial),
        rate_top=rate_top,
        total_top=total_top,
        lowest=min(known, default=None),
        highest=max(known, default=None),
    )


def _lines(buckets: Sequence[TrendBucket], rate_top: float) -> tuple[str, str]:
    """A line for each run of known rates, and a dot for each that stands alone."""
    lines, dots = [], []
    for run in _runs(buckets):
        points = [f"{(n + 0.5) * POINT_WIDTH:g} {_rate_y(rate, rate_top):.1f}" for n, rate in run]
        if len(points) > 1:
            lines.append("M" + "L".join(points))
        else:
            dots.append(f"M{points[0]}h0")  # the round ends of a line without length are a dot
    return "".join(lines), "".join(dots)


def _runs(buckets: Sequence[TrendBucket]) -> list[list[tuple[int, float]]]:
    runs: list[list[tuple[int, float]]] = [[]]
    for n, bucket in enumerate(buckets):
        if bucket.rate is None:
            runs.append([])
        else:
            runs[-1].append((n, bucket.rate))
    return [run for run in runs if run]


def _bars(counts: Sequence[int], top: int) -> str:
    """All bars as one path along the floor; a count of zero has no bar."""
    if not any(counts):
        return ""
    width, space = f"{POINT_WIDTH - 2 * BAR_MARGIN:g}", f"{2 * BAR_MARGIN:g}"
    steps = [f"M{BAR_MARGIN:g} {BAR_FLOOR:g}"]
    for count in counts:
        if count:
            height = f"{max(1.0, count / top * (BAR_FLOOR - BAR_TOP)):.1f}"
            steps.append(f"v-{height}h{width}v{height}h{space}")
        else:
            steps.append(f"h{POINT_WIDTH:g}")
    return "".join(steps)


def _rate_y(rate: float, top: float) -> float:
    return RATE_FLOOR - rate / top * (RATE_FLOOR - RATE_TOP)


class Share(Struct, frozen=True):
    """One row of a distribution: its key, how many, which share of all, and how it is meant."""

    key: str
    count: int
    share: float
    tone: str


class Distribution(Struct, frozen=True):
    """The largest shares of a map, and how many others there are with what count together."""

    name: str
    rows: tuple[Share, ...]
    others: int
    others_count: int


MOST_ROWS = 6
_TONES = {
    "failed": "bad",
    "critical": "bad",
    "high": "bad",
    "invalid_active_templates": "bad",
    "warning": "warn",
    "open": "warn",
    "misses": "warn",
    "templates_without_active": "warn",
    "completed": "good",
    "ok": "good",
    "closed": "good",
    "resolved": "good",
    "hits": "good",
    "one_active": "good",
}


def distribution(name: str, counts: dict[str, int]) -> Distribution:
    """A map as rows, the largest first, ties by key."""
    total = sum(counts.values()) or 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown, rest = ordered[:MOST_ROWS], ordered[MOST_ROWS:]
    return Distribution(
        name=name,
        rows=tuple(
            Share(key, count, count / total, _TONES.get(key.lower(), "plain")) for key, count in shown
        ),
        others=len(rest),
        others_count=sum(count for _, count in rest),
    )
