"""How a report says things: in a language, by a clock, and what others wrote as text on one line."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from service.overview.bounds import MAX_LABEL_LENGTH
from service.overview.markdown import escaped
from service.wording.figures import NO_DATA
from service.wording.words import words_in

MINUTES, SECONDS = "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"
_UNITS = {"d": 86_400, "h": 3600, "min": 60}


class Teller:
    """The words of a language, and times of a zone.

    `word` and `known` are those of `words_in`.
    """

    def __init__(self, language: str, zone: ZoneInfo) -> None:
        words = words_in(language)
        self.word, self.known = words["word"], words["known"]
        self._zone = zone

    def time(self, instant: datetime | None, form: str = MINUTES) -> str:
        """A time by the zone's clock, which says how far that is off; a dash for None."""
        if instant is None:
            return NO_DATA
        local = self._local(instant)
        return f"{local:{form}} {local.isoformat()[-6:] if local.utcoffset() else 'UTC'}"

    def _local(self, instant: datetime) -> datetime:
        try:
            return instant.astimezone(self._zone)
        except OverflowError:  # the last hours of the year 9999
            return instant.astimezone(UTC)

    def lasting(self, seconds: float) -> str:
        """How long, in the largest unit of which there are two."""
        unit = next((unit for unit, size in _UNITS.items() if seconds >= 2 * size), "s")
        return self.word(f"report.{unit}", n=round(seconds / _UNITS.get(unit, 1)))

    def named(self, name: str, value: str) -> str:
        """A value by its name."""
        return self.word("report.named", name=name, value=value)


def text(value: str | None) -> str:
    """What others wrote, or its beginning, on one line and not for the beginning of that."""
    whole = (value or "").strip()
    shown = whole if len(whole) <= MAX_LABEL_LENGTH else f"{whole[:MAX_LABEL_LENGTH]}…"
    return escaped(shown) or NO_DATA


def first_line(value: str | None) -> str:
    """Of a text that may have many lines the first that says anything."""
    return next(iter((value or "").strip().splitlines()), "")


def listed(lines: Iterable[str]) -> list[str]:
    """The items of a list, which begin with words of ours."""
    return [f"- {line}" for line in lines]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table of figures and words of ours."""
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]
