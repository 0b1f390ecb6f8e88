"""How much of what rows say is told: hostile rows must not make an answer large."""

from heapq import nsmallest

MOST_KEYS = 500
OTHERS = "(others)"
MAX_LABEL_LENGTH = 200
MAX_NUMBER_DIGITS = 100
MAX_ERROR_LENGTH = 8000


def bounded(counts: dict[str, int]) -> dict[str, int]:
    """The map sorted by key, by code point. Of more than MOST_KEYS keys the most frequent, ties by name.

    The others are summed under OTHERS, to which what was summed so before is added.
    """
    if len(counts) <= MOST_KEYS:
        return dict(sorted(counts.items()))
    named = ((-count, key) for key, count in counts.items() if key != OTHERS)
    kept = {key: -count for count, key in nsmallest(MOST_KEYS - 1, named)}
    kept[OTHERS] = sum(counts.values()) - sum(kept.values())
    return dict(sorted(kept.items()))


def shortened(error: str | None, length: int | None) -> str | None:
    """The beginning of an error that has so many characters in all, and what is missing if there is."""
    if error is None or length is None or length <= MAX_ERROR_LENGTH:
        return error
    return f"{error[:MAX_ERROR_LENGTH]}… ({length} characters)"
