"""The limits that answers tell, and that one request may bring for itself in place of the configured ones.

OVERRIDABLE is made from OBJECTIVES; parameters, queries, answers and the board's note are made from it.
"""

from collections.abc import Iterator

from msgspec import Struct, defstruct
from msgspec.structs import replace

from service.overview.slo import OBJECTIVES, Threshold, Thresholds


class Overridable(Struct, frozen=True):
    """A limit that answers tell and requests may bring: a rate's, which is a share, or a least count.

    `limit` is its name in Thresholds, `default` the contract's; `figure` of `section` is what it is of.
    """

    limit: str
    default: float
    section: str
    figure: str
    is_share: bool

    @property
    def name(self) -> str:
        """The parameter's."""
        return f"{self.limit}_warn"

    def configured(self, thresholds: Thresholds) -> float:
        """Where it stands without an override."""
        limit: Threshold | int = getattr(thresholds, self.limit)
        return limit.warn if isinstance(limit, Threshold) else limit

    def given(self, overrides: "Overrides") -> float | None:
        """Where a request wants it, None where it does not say."""
        value: float | None = getattr(overrides, self.name)
        return value


def _overridable() -> Iterator[Overridable]:
    for each in OBJECTIVES:
        yield Overridable(each.name, each.default, each.section, each.rate, is_share=True)
        least = each.minimum
        if least.is_told:
            yield Overridable(least.name, least.default, each.section, least.figure, is_share=False)


# In the order in which bad ones are reported.
OVERRIDABLE = tuple(_overridable())
_BROUGHT = [(each.name, float | None, None) for each in OVERRIDABLE]
_TOLD = [(each.limit, Threshold if each.is_share else int) for each in OVERRIDABLE]


class Overrides(defstruct("_", _BROUGHT, frozen=True)):  # type: ignore[misc]
    """The limits that a request brings, by the names of its parameters; None is "as configured"."""


NO_OVERRIDES: Overrides = Overrides()


class SloThresholds(defstruct("_", _TOLD, frozen=True)):  # type: ignore[misc]
    """The limits that the hints of an answer are by: those of its request, and else the configured ones."""


def told(thresholds: Thresholds) -> SloThresholds:
    """The thresholds as answers have them."""
    return SloThresholds(*(getattr(thresholds, name) for name in SloThresholds.__struct_fields__))


def overridden(thresholds: Thresholds, overrides: Overrides) -> Thresholds:
    """The thresholds in force for a request; where rates are critical stays as it is configured."""
    changes: dict[str, Threshold | float] = {}
    for each in OVERRIDABLE:
        value = each.given(overrides)
        if value is not None:
            limit = getattr(thresholds, each.limit)
            changes[each.limit] = replace(limit, warn=value) if each.is_share else value
    return replace(thresholds, **changes)
