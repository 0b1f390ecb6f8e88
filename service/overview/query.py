"""What a caller asks for, and the values that are allowed in it."""

from typing import Literal, get_args

from msgspec import Struct

from service.overview.overrides import NO_OVERRIDES, Overrides

WINDOW_DAYS = (1, 7, 14, 30, 90)
BUCKET_DAYS = (1, 7, 14, 30)
BUCKET_HOURS = (1, 6)
HOURLY_WINDOWS = (1, 7)
CLOCK_BUCKETS = (1, 7)
Align = Literal["window", "clock"]
ALIGNMENTS: tuple[Align, ...] = get_args(Align)
LEVELS = ("warn", "critical", "info")
# Of lists that people look at; callers of the API say how many they want.
ROWS_PER_PAGE = 10


class Filters(Struct, frozen=True):
    """What figures are kept to; parameters, echoes and labels have these names. None is "no filter"."""

    site_id: str | None = None
    target_object: str | None = None
    template_key: str | None = None


FILTERS = Filters.__struct_fields__
# What each of them keeps, in their order.
KEPT_BY_FILTERS = (
    "the document sync jobs of one site",
    "the workflow action runs of one target object",
    "the versions of one consumption template",
)
EXAMPLES_OF_FILTERS = ("SH-01", "ECO", "PAINT-0007")


class Query(Struct, frozen=True):
    """What one snapshot depends on."""

    window_days: int
    filters: Filters = Filters()


class SummaryQuery(Struct, frozen=True):
    """A snapshot's figures, judged by the limits that the request brings, and else by the configured ones.

    `labels` are more of those that Prometheus knows the figures by.
    """

    snapshot: Query
    overrides: Overrides = NO_OVERRIDES
    labels: dict[str, str] = {}


class TrendsQuery(Struct, frozen=True):
    """A snapshot's course in buckets of `bucket_days`, or of `bucket_hours` if these are given.

    Edges count back from the instant (`window`), or are those of the time zone's clock.
    """

    snapshot: Query
    bucket_days: int = 1
    align: Align = "window"
    bucket_hours: int | None = None


class TrendsExportQuery(TrendsQuery, frozen=True):
    """The same as a file."""

    export_format: str = "json"


class AlertsQuery(Struct, frozen=True):
    """A snapshot's hints, of one level when it is given."""

    snapshot: Query
    level: str | None
    overrides: Overrides = NO_OVERRIDES


class ExportQuery(Struct, frozen=True):
    """A snapshot's summary as a file."""

    snapshot: Query
    export_format: str
    overrides: Overrides = NO_OVERRIDES


class ReportQuery(Struct, frozen=True):
    """A snapshot's figures and newest failures as a text in a language, one of the files in `wording`."""

    snapshot: Query
    lang: str
    overrides: Overrides = NO_OVERRIDES


class PageQuery(Struct, frozen=True):
    """One page of failing rows; `only` is the site or target object that is kept, None keeps all.

    `result_code` and `error`, words of it, keep further; callers of the API have neither.
    """

    window_days: int
    only: str | None
    page: int
    page_size: int
    result_code: str | None = None
    error: str | None = None
