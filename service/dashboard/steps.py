"""What a point of the board's trends may span, and how the choices depend on the window."""

from msgspec import Struct

from service.overview.query import CLOCK_BUCKETS, Align, Query, TrendsQuery


class Step(Struct, frozen=True):
    """Days or hours from one point to the next, fields as in an address; one of them is None."""

    bucket_days: int | None = None
    bucket_hours: int | None = None

    @property
    def name(self) -> str:
        """As in the catalogue's words."""
        return f"{self.bucket_hours}h" if self.bucket_hours else f"{self.bucket_days}d"

    @property
    def is_by_clock(self) -> bool:
        """Whether points begin by the clock; where they cannot, they count back from now."""
        return self.bucket_hours is not None or self.bucket_days in CLOCK_BUCKETS

    def query(self, snapshot: Query) -> TrendsQuery:
        """The trends of a snapshot in these steps."""
        align: Align = "clock" if self.is_by_clock else "window"
        return TrendsQuery(snapshot, self.bucket_days or 1, align, self.bucket_hours)


HOUR, SIX_HOURS = Step(bucket_hours=1), Step(bucket_hours=6)
DAY, WEEK = Step(bucket_days=1), Step(bucket_days=7)
# By the window's days. Thirteen points for a quarter read better than ninety; the API has all.
CHOICES = {
    1: (HOUR, SIX_HOURS),
    7: (HOUR, SIX_HOURS, DAY),
    14: (DAY, WEEK),
    30: (DAY, WEEK),
    90: (WEEK,),
}


def step_of(window_days: int, bucket_days: int | None, bucket_hours: int | None) -> Step:
    """The step that is asked for, or else the window's usual one; days are too fine for a quarter."""
    choices = CHOICES[window_days]
    usual = DAY if DAY in choices else choices[0]
    if bucket_hours is None and (bucket_days is None or bucket_days < (usual.bucket_days or 0)):
        return usual
    return Step(bucket_days, bucket_hours)
