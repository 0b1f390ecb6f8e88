"""Query parameters: what each endpoint takes, how a value is read, and what is said of a bad one.

One declaration serves the parser and the OpenAPI document.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl

from msgspec import Struct
from msgspec.structs import asdict

from service.api.responses.errors import InvalidRequest
from service.api.values import (
    INTEGER,
    Reader,
    Values,
    align,
    at_least,
    between,
    bucket,
    bucket_hours,
    choice,
    one_of,
    share,
    short_text,
)
from service.overview.clock import MONTH_DAYS
from service.overview.files import FORMATS
from service.overview.overrides import OVERRIDABLE, Overridable, Overrides
from service.overview.query import (
    ALIGNMENTS,
    BUCKET_DAYS,
    BUCKET_HOURS,
    EXAMPLES_OF_FILTERS,
    FILTERS,
    KEPT_BY_FILTERS,
    LEVELS,
    WINDOW_DAYS,
    AlertsQuery,
    ExportQuery,
    Filters,
    PageQuery,
    Query,
    ReportQuery,
    SummaryQuery,
    TrendsExportQuery,
    TrendsQuery,
)
from service.wording.words import DEFAULT, LANGUAGES

REMEMBERED = 2048
MAX_PAGE_SIZE = 200
MAX_REMEMBERED_LENGTH = 1024

Q = TypeVar("Q")


class Parameter(Struct, frozen=True):
    """One query parameter: how its value is read, and the value's JSON schema."""

    name: str
    description: str
    schema: dict[str, Any]
    read: Reader[Any]
    default: Any = None


class Parameters(Generic[Q]):
    """The parameters of an endpoint: turns query strings into its query; the ones of late are remembered.

    They are in the order in which bad ones are reported.
    """

    def __init__(self, build: Callable[[Values], Q], *each: Parameter) -> None:
        self.each = each
        self._build = build
        self._remembered = lru_cache(maxsize=REMEMBERED)(self._parse)

    def read(self, query_string: bytes) -> Q:
        """The query. Raises InvalidRequest for the first bad parameter.

        Of a parameter that is given twice the last value counts; unknown ones are ignored.
        """
        if len(query_string) > MAX_REMEMBERED_LENGTH:
            return self._parse(query_string)
        return self._remembered(query_string)

    def _parse(self, query_string: bytes) -> Q:
        # Whoever types a site's name into curl sends bytes that are not percent-encoded.
        text = query_string.decode(errors="replace")
        given = dict(parse_qsl(text, keep_blank_values=True, errors="replace"))
        values: dict[str, Any] = {}
        for parameter in self.each:
            raw = given.get(parameter.name)
            try:
                values[parameter.name] = parameter.default if raw is None else parameter.read(raw, values)
            except ValueError as error:
                raise InvalidRequest(str(error), _as_given(given, self.each)) from None
        return self._build(values)


def _as_given(given: dict[str, str], parameters: tuple[Parameter, ...]) -> dict[str, Any]:
    return {parameter.name: _shown(parameter, given.get(parameter.name)) for parameter in parameters}


def _shown(parameter: Parameter, raw: str | None) -> Any:  # noqa: ANN401
    is_number = raw is not None and parameter.schema["type"] == "integer" and INTEGER.fullmatch(raw)
    return int(raw) if raw is not None and is_number else raw


def filter_parameter(name: str, description: str, example: str) -> Parameter:
    """A text that keeps rows; blank is none."""
    # The limit is on the trimmed value, so the schema leaves room for white space around it.
    schema = {"type": "string", "pattern": "^[^\\u0000]*$", "examples": [example]}
    return Parameter(name, description, schema, short_text(name))


_WINDOW = Parameter(
    "window_days",
    "How many days back the figures go.",
    {"type": "integer", "enum": list(WINDOW_DAYS), "default": 7},
    one_of("window_days", WINDOW_DAYS),
    7,
)
_BUCKET = Parameter(
    "bucket_days",
    "How many days one point of the trend spans; at most window_days.",
    {"type": "integer", "enum": list(BUCKET_DAYS), "default": 1},
    bucket,
)
_ALIGN = Parameter(
    "align",
    "Whether points count back from now, or begin at midnights of the time zone's days, or of its Mondays.",
    {"type": "string", "enum": [*ALIGNMENTS, ""], "default": ALIGNMENTS[0]},
    align,
)
_BUCKET_HOURS = Parameter(
    "bucket_hours",
    "How many hours by the clock one point of the trend spans, in place of days; for window_days of 1 or 7.",
    {"type": "integer", "enum": list(BUCKET_HOURS)},
    bucket_hours,
)
_FILTERS = tuple(
    filter_parameter(name, f"Keeps {kept}; trimmed, at most 200 characters, blank means all.", example)
    for name, kept, example in zip(FILTERS, KEPT_BY_FILTERS, EXAMPLES_OF_FILTERS, strict=True)
)
_SITE, _TARGET, *_ = _FILTERS
_LEVEL = Parameter(
    "level",
    "Keeps the hints of one level; case does not matter, blank means all.",
    {"type": "string", "enum": [*LEVELS, ""]},
    choice(LEVELS, None, f"level must be one of: {', '.join(LEVELS)}"),
)
_FORMATS = tuple(FORMATS)
_FORMAT = Parameter(
    "export_format",
    "The file's format; case does not matter.",
    {"type": "string", "enum": [*_FORMATS, ""], "default": _FORMATS[0]},
    choice(_FORMATS, _FORMATS[0], f"export_format must be {', '.join(_FORMATS[:-1])} or {_FORMATS[-1]}"),
    _FORMATS[0],
)
_LANG = Parameter(
    "lang",
    "The text's language; case does not matter.",
    {"type": "string", "enum": [*LANGUAGES, ""], "default": DEFAULT},
    choice(LANGUAGES, DEFAULT, f"lang must be {' or '.join(LANGUAGES)}"),
    DEFAULT,
)
_PAGE = Parameter(
    "page",
    "Which page, from 1; one past the end is empty.",
    {"type": "integer", "minimum": 1, "default": 1},
    at_least("page", 1),
    1,
)
_PAGE_SIZE = Parameter(
    "page_size",
    "How many rows a page has.",
    {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": 20},
    between("page_size", 1, MAX_PAGE_SIZE),
    20,
)


def _override(limit: Overridable) -> Parameter:
    figure = f"{limit.section}.{limit.figure}"
    if limit.is_share:
        about = f"Past which {figure} this answer warns, in place of the configured limit."
        schema = {"type": "number", "minimum": 0, "maximum": 1, "examples": [limit.default]}
        return Parameter(limit.name, about, schema, share(limit.name))
    about = f"From how many {figure} on this answer judges their rate, in place of the configured number."
    schema = {"type": "integer", "minimum": 0, "examples": [limit.default]}
    return Parameter(limit.name, about, schema, at_least(limit.name, 0))


OVERRIDES = tuple(map(_override, OVERRIDABLE))


def overrides_of(values: Values) -> Overrides:
    """The limits that a request brings."""
    return Overrides(**{limit.name: values[limit.name] for limit in OVERRIDABLE})


def _snapshot(values: Values) -> Query:
    return Query(values["window_days"], Filters(**{name: values[name] for name in FILTERS}))


def _trends(values: Values) -> TrendsQuery:
    hours = values["bucket_hours"]
    aligned = "clock" if hours else values["align"] or ALIGNMENTS[0]
    return TrendsQuery(_snapshot(values), values["bucket_days"] or BUCKET_DAYS[0], aligned, hours)


def _page_of(filtered_by: str) -> Callable[[Values], PageQuery]:
    return lambda values: PageQuery(
        values["window_days"], values[filtered_by], values["page"], values["page_size"]
    )


SUMMARY = Parameters(
    lambda values: SummaryQuery(_snapshot(values), overrides_of(values)), _WINDOW, *_FILTERS, *OVERRIDES
)
TRENDS = Parameters(_trends, _WINDOW, _BUCKET, _ALIGN, _BUCKET_HOURS, *_FILTERS)
TRENDS_EXPORT = Parameters(
    lambda values: TrendsExportQuery(**asdict(_trends(values)), export_format=values["export_format"]),
    *(*TRENDS.each, _FORMAT),
)
ALERTS = Parameters(
    lambda values: AlertsQuery(_snapshot(values), values["level"], overrides_of(values)),
    *(_WINDOW, *_FILTERS, _LEVEL, *OVERRIDES),
)
EXPORT = Parameters(
    lambda values: ExportQuery(_snapshot(values), values["export_format"], overrides_of(values)),
    *(_WINDOW, *_FILTERS, _FORMAT, *OVERRIDES),
)
REPORT = Parameters(
    lambda values: ReportQuery(_snapshot(values), values["lang"], overrides_of(values)),
    *(_WINDOW, *_FILTERS, _LANG, *OVERRIDES),
)
DOC_SYNC_FAILURES = Parameters(_page_of("site_id"), _WINDOW, _SITE, _PAGE, _PAGE_SIZE)
WORKFLOW_FAILURES = Parameters(_page_of("target_object"), _WINDOW, _TARGET, _PAGE, _PAGE_SIZE)
BUDGETS = Parameters(
    lambda values: Query(MONTH_DAYS, Filters(values["site_id"], values["target_object"])), _SITE, _TARGET
)
