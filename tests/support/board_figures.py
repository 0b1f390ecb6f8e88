"""What the board shows for a figure of the API's summary."""

from typing import Any

CACHE_SETTINGS = ("entries", "max_entries", "ttl_seconds")


def shown_figure(summary: Any, section: str, name: str) -> Any:  # noqa: ANN401 - JSON
    """The API's value; None, a dash, for a zero that stands only for "there is nothing that this is of"."""
    found = summary[section]
    if section == "doc_sync" and name == "avg_attempt_count" and not found["total"]:
        return None
    if section == "overlay_cache" and name in CACHE_SETTINGS and not any(map(found.get, CACHE_SETTINGS)):
        return None
    return found[name]
