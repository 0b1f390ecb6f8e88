"""What the script draws a trend from: its numbers in columns, as uPlot takes them."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from service.dashboard.charts import TrendBucket

DIGITS = 6


class Drawing(Struct, frozen=True):
    """A trend by its buckets, oldest first; `past` and `partial` are places of buckets, counted from 0.

    `labels` stand on the axis of time, where an empty one is left out. `limit` is what `past` are beyond.
    """

    labels: tuple[str, ...]
    totals: tuple[int, ...]
    parts: tuple[int, ...]
    rates: tuple[float | None, ...]
    past: tuple[int, ...]
    partial: tuple[int, ...]
    limit: float


def drawing(buckets: Sequence[TrendBucket], labels: tuple[str, ...], limit: float) -> str:
    """A trend's Drawing as JSON."""
    made = Drawing(
        labels=labels,
        totals=tuple(bucket.total for bucket in buckets),
        parts=tuple(bucket.part for bucket in buckets),
        rates=tuple(None if bucket.rate is None else round(bucket.rate, DIGITS) for bucket in buckets),
        past=tuple(n for n, bucket in enumerate(buckets) if bucket.is_past),
        partial=tuple(n for n, bucket in enumerate(buckets) if bucket.partial),
        limit=limit,
    )
    return msgspec.json.encode(made).decode()
