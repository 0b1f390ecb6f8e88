"""Query parameters: what each endpoint takes, how a value is read, and what is said of a bad one.

One declaration serves the parser and the OpenAPI document.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl

from msgspec import Struct

from service.api.responses.errors import InvalidRequest
from service.overview.clock import MONTH_DAYS
from service.overview.export import FORMATS
from service.overview.query import (
    ALIGNMENTS,
    BUCKET_DAYS,
    BUCKET_HOURS,
    CLOCK_BUCKETS,
    EXAMPLES_OF_FILTERS,
    FILTERS,
    HOURLY_WINDOWS,
    KEPT_BY_FILTERS,
    LEVELS,
    WINDOW_DAYS,
    AlertsQuery,
    ExportQuery,
    Filters,
    PageQuery,
    Query,
    ReportQuery,
    TrendsQuery,
)
from service.wording.words import DEFAULT, LANGUAGES

REMEMBERED = 2048
MAX_REMEMBERED_LENGTH = 1024
MAX_TEXT_LENGTH = 200
MAX_PAGE_SIZE = 200
# Python refuses to read longer numbers; nobody means them.
_INTEGER = re.compile(r"-?[0-9]{1,4000}")

Q = TypeVar("Q")
Values = Mapping[str, Any]


class Parameter(Struct, frozen=True):
    """One query parameter. `read` gets the raw text and what was read before it.

    It raises ValueError with the message for the caller. `schema` is the value's JSON schema.
    """

    name: str
    description: str
    schema: dict[str, Any]
    read: Callable[[str, Values], Any]
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
    is_number = raw is not None and parameter.schema["type"] == "integer" and _INTEGER.fullmatch(raw)
    return int(raw) if raw is not None and is_number else raw


def _integer(raw: str, refusal: str) -> int:
    """Plain ASCII digits only: "+7", "7.0" and "१" are no integers here."""
    if not _INTEGER.fullmatch(raw):
        raise ValueError(refusal)
    return int(raw)


def _one_of(name: str, allowed: tuple[int, ...]) -> Callable[[str, Values], int]:
    refusal = f"{name} must be one of: {', '.join(map(str, allowed))}"

    def read(raw: str, _before: Values) -> int:
        value = _integer(raw, refusal)
        if value not in allowed:
            raise ValueError(refusal)
        return value

    return read


def _bucket(raw: str, before: Values) -> int:
    value = _one_of("bucket_days", BUCKET_DAYS)(raw, before)
    if value > before["window_days"]:
        raise ValueError("bucket_days must be <= window_days")
    return value


def _bucket_hours(raw: str, before: Values) -> int:
    value = _one_of("bucket_hours", BUCKET_HOURS)(raw, before)
    if before["window_days"] not in HOURLY_WINDOWS:
        raise ValueError(f"bucket_hours needs window_days of {' or '.join(map(str, HOURLY_WINDOWS))}")
    if before["bucket_days"] is not None:
        raise ValueError("give bucket_days or bucket_hours, not both")
    return value


def _align(raw: str, before: Values) -> str | None:
    value = _choice(ALIGNMENTS, None, f"align must be {' or '.join(ALIGNMENTS)}")(raw, before)
    if value == "clock" and before["bucket_days"] not in (None, *CLOCK_BUCKETS):
        raise ValueError(f"align=clock needs bucket_days of {' or '.join(map(str, CLOCK_BUCKETS))}")
    return value


def _page(raw: str, _before: Values) -> int:
    refusal = "page must be >= 1"
    value = _integer(raw, refusal)
    if value < 1:
        raise ValueError(refusal)
    return value


def _page_size(raw: str, _before: Values) -> int:
    refusal = f"page_size must be between 1 and {MAX_PAGE_SIZE}"
    value = _integer(raw, refusal)
    if not 1 <= value <= MAX_PAGE_SIZE:
        raise ValueError(refusal)
    return value


def _filter(name: str) -> Callable[[str, Values], str | None]:
    def read(raw: str, _before: Values) -> str | None:
        value = raw.strip()
        if len(value) > MAX_TEXT_LENGTH:
            raise ValueError(f"{name} must be at most {MAX_TEXT_LENGTH} characters")
        if "\0" in value:
            raise ValueError(f"{name} must not contain NUL")
        return value or None

    return read


def _choice(
    allowed: tuple[str, ...], default: str | None, refusal: str
) -> Callable[[str, Values], str | None]:
    def read(raw: str, _before: Values) -> str | None:
        value = raw.strip().lower()
        if value and value not in allowed:
            raise ValueError(refusal)
        return value or default

    return read


def filter_parameter(name: str, description: str, example: str) -> Parameter:
    """A text that keeps rows; blank is none."""
    # The limit is on the trimmed value, so the schema leaves room for white space around it.
    schema = {"type": "string", "pattern": "^[^\\u0000]*$", "examples": [example]}
    return Parameter(name, description, schema, _filter(name))


_WINDOW = Parameter(
    "window_days",
    "How many days back the figures go.",
    {"type": "integer", "enum": list(WINDOW_DAYS), "default": 7},
    _one_of("window_days", WINDOW_DAYS),
    7,
)
_BUCKET = Parameter(
    "bucket_days",
    "How many days one point of the trend spans; at most window_days.",
    {"type": "integer", "enum": list(BUCKET_DAYS), "default": 1},
    _bucket,
)
_ALIGN = Parameter(
    "align",
    "Whether points count back from now, or begin at midnights of the time zone's days, or of its Mondays.",
    {"type": "string", "enum": [*ALIGNMENTS, ""], "default": ALIGNMENTS[0]},
    _align,
)
_BUCKET_HOURS = Parameter(
    "bucket_hours",
    "How many hours by the clock one point of the trend spans, in place of days; for window_days of 1 or 7.",
    {"type": "integer", "enum": list(BUCKET_HOURS)},
    _bucket_hours,
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
    _choice(LEVELS, None, f"level must be one of: {', '.join(LEVELS)}"),
)
_FORMATS = tuple(FORMATS)
_FORMAT = Parameter(
    "export_format",
    "The file's format; case does not matter.",
    {"type": "string", "enum": [*_FORMATS, ""], "default": _FORMATS[0]},
    _choice(_FORMATS, _FORMATS[0], f"export_format must be {', '.join(_FORMATS[:-1])} or {_FORMATS[-1]}"),
    _FORMATS[0],
)
_LANG = Parameter(
    "lang",
    "The text's language; case does not matter.",
    {"type": "string", "enum": [*LANGUAGES, ""], "default": DEFAULT},
    _choice(LANGUAGES, DEFAULT, f"lang must be {' or '.join(LANGUAGES)}"),
    DEFAULT,
)
_PAGE = Parameter(
    "page",
    "Which page, from 1; one past the end is empty.",
    {"type": "integer", "minimum": 1, "default": 1},
    _page,
    1,
)
_PAGE_SIZE = Parameter(
    "page_size",
    "How many rows a page has.",
    {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": 20},
    _page_size,
    20,
)


def _snapshot(values: Values) -> Query:
    return Query(values["window_days"], Filters(**{name: values[name] for name in FILTERS}))


def _trends(values: Values) -> TrendsQuery:
    hours = values["bucket_hours"]
    align = "clock" if hours else values["align"] or ALIGNMENTS[0]
    return TrendsQuery(_snapshot(values), values["bucket_days"] or BUCKET_DAYS[0], align, hours)


def _page_of(filtered_by: str) -> Callable[[Values], PageQuery]:
    return lambda values: PageQuery(
        values["window_days"], values[filtered_by], values["page"], values["page_size"]
    )


SNAPSHOT = Parameters(_snapshot, _WINDOW, *_FILTERS)
TRENDS = Parameters(_trends, _WINDOW, _BUCKET, _ALIGN, _BUCKET_HOURS, *_FILTERS)
ALERTS = Parameters(
    lambda values: AlertsQuery(_snapshot(values), values["level"]), _WINDOW, *_FILTERS, _LEVEL
)
EXPORT = Parameters(
    lambda values: ExportQuery(_snapshot(values), values["export_format"]), _WINDOW, *_FILTERS, _FORMAT
)
REPORT = Parameters(lambda values: ReportQuery(_snapshot(values), values["lang"]), _WINDOW, *_FILTERS, _LANG)
DOC_SYNC_FAILURES = Parameters(_page_of("site_id"), _WINDOW, _SITE, _PAGE, _PAGE_SIZE)
WORKFLOW_FAILURES = Parameters(_page_of("target_object"), _WINDOW, _TARGET, _PAGE, _PAGE_SIZE)
BUDGETS = Parameters(
    lambda values: Query(MONTH_DAYS, Filters(values["site_id"], values["target_object"])), _SITE, _TARGET
)
