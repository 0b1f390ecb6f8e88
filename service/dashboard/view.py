"""What a view of the board is made of. All of it is in the address, so a view can be shared."""

from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

from msgspec.structs import asdict, replace

from service.api.parameters import (
    DOC_SYNC_FAILURES,
    OVERRIDES,
    TRENDS,
    Parameter,
    Parameters,
    filter_parameter,
    overrides_of,
)
from service.api.values import Values
from service.dashboard.steps import CHOICES, Step, step_of
from service.overview.overrides import NO_OVERRIDES, Overrides
from service.overview.query import FILTERS, ROWS_PER_PAGE, Filters, PageQuery, Query, TrendsQuery
from service.wording.words import LANGUAGES

THEMES = ("light", "dark")

_WINDOW, _BUCKET, _, _BUCKET_HOURS, *_FILTERS = TRENDS.each
_PAGE = next(parameter for parameter in DOC_SYNC_FAILURES.each if parameter.name == "page")


# The filters of the lists, beside those of the figures.
LIST_FILTERS = ("result_code", "error")
PAGES = ("jobs_page", "runs_page", "incidents_page")


class View(Filters, frozen=True, dict=True):
    """One view of the board; fields are named as in the address, where those of `overrides` are its own.

    None is "not given".
    """

    window_days: int = 7
    bucket_days: int | None = None
    bucket_hours: int | None = None
    jobs_page: int = 1
    runs_page: int = 1
    incidents_page: int = 1
    result_code: str | None = None
    error: str | None = None
    lang: str | None = None
    theme: str | None = None
    overrides: Overrides = NO_OVERRIDES

    @property
    def dress(self) -> "View":
        """The usual view in this one's language and theme."""
        return View(lang=self.lang, theme=self.theme)

    @property
    def snapshot(self) -> Query:
        """The snapshot that the view shows."""
        return Query(self.window_days, Filters(*(getattr(self, name) for name in FILTERS)))

    @property
    def step(self) -> Step:
        """What a point of the trends spans."""
        return step_of(self.window_days, self.bucket_days, self.bucket_hours)

    @property
    def step_choices(self) -> tuple[Step, ...]:
        """What it may span; what an address alone can ask for is there if it is asked for."""
        choices = CHOICES[self.window_days]
        return choices if self.step in choices else (*choices, self.step)

    @property
    def trends(self) -> TrendsQuery:
        """The trends that the view shows."""
        return self.step.query(self.snapshot)

    @property
    def jobs(self) -> PageQuery:
        """The page of failed jobs that the view shows."""
        return self._page(self.site_id, self.jobs_page, error=self.error)

    @property
    def runs(self) -> PageQuery:
        """The page of failed runs that the view shows."""
        return self._page(self.target_object, self.runs_page, error=self.error, result_code=self.result_code)

    @property
    def incidents(self) -> PageQuery:
        """The page of open incidents that the view shows."""
        return self._page(None, self.incidents_page)

    def _page(self, only: str | None, page: int, **kept: str | None) -> PageQuery:
        return PageQuery(self.window_days, only, page, ROWS_PER_PAGE, **kept)

    @property
    def is_filtered(self) -> bool:
        """Whether any rows are left out."""
        return any(getattr(self, name) for name in (*FILTERS, *LIST_FILTERS))

    def address(self, **changes: Any) -> str:  # noqa: ANN401
        """The path and query of this view with some fields changed; defaults are left out."""
        return _address("/", self._fields | changes, _DEFAULTS)

    def window_address(self, window_days: int) -> str:
        """The same in another window, where the lists and buckets begin anew."""
        return self.kept_address(window_days=window_days, bucket_days=None, bucket_hours=None)

    def kept_address(self, **changes: Any) -> str:  # noqa: ANN401
        """The same with other rows kept, where the lists begin anew."""
        return self.address(**dict.fromkeys(PAGES, 1), **changes)

    def api_address(self, path: str, *names: str, **more: Any) -> str:  # noqa: ANN401
        """The address of an API endpoint that is asked with those of the view's fields."""
        fields = self._fields
        return _address(path, {name: fields[name] for name in names} | more, {})

    def trends_address(self, path: str, **more: Any) -> str:  # noqa: ANN401
        """The same for one of the trends, in the steps that the view has."""
        more |= {"align": self.trends.align, **asdict(self.step)}
        return self.api_address(path, "window_days", *FILTERS, **more)

    @cached_property
    def _fields(self) -> dict[str, Any]:
        """All fields by their names and in their order in the address. A page has fifty addresses."""
        first = dict.fromkeys(("window_days", "bucket_days", "bucket_hours"))
        fields = first | asdict(self) | asdict(self.overrides)
        del fields["overrides"]
        return fields


_DEFAULTS = asdict(View())


def _address(path: str, values: dict[str, Any], defaults: dict[str, Any]) -> str:
    given = [
        _pair(name, value)
        for name, value in values.items()
        if value is not None and value != defaults.get(name)
    ]
    return f"{path}?{'&'.join(given)}" if given else path


@lru_cache(maxsize=1024, typed=True)
def _pair(name: str, value: str | float) -> str:
    """One field as a query has it; most are in every address of a page."""
    return urlencode({name: value})


def _one_of(allowed: tuple[str, ...], name: str) -> Parameter:
    def read(raw: str, _before: Values) -> str | None:
        value = raw.strip().lower()
        if value and value not in allowed:
            raise ValueError(f"{name} must be one of: {', '.join(allowed)}")
        return value or None

    return Parameter(name, "", {"type": "string"}, read)


def _view(values: Values) -> View:
    own = {name: value for name, value in values.items() if name not in Overrides.__struct_fields__}
    return View(**own, overrides=overrides_of(values))


VIEW = Parameters(
    _view,
    *(_WINDOW, _BUCKET, _BUCKET_HOURS, *_FILTERS),
    *(replace(_PAGE, name=name) for name in PAGES),
    *(filter_parameter(name, "", "") for name in LIST_FILTERS),
    *(_one_of(LANGUAGES, "lang"), _one_of(THEMES, "theme"), *OVERRIDES),
)


def dress_of(query_string: bytes) -> View:
    """The usual view in the language and theme of a query string, whatever else that holds."""
    given = dict(parse_qsl(query_string.decode(errors="replace"), errors="replace"))
    lang, theme = (given.get(name, "").strip().lower() for name in ("lang", "theme"))
    return View(lang=lang if lang in LANGUAGES else None, theme=theme if theme in THEMES else None)
