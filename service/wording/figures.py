"""Figures as people read them. A figure that nobody knows is a dash, never a zero."""

from msgspec.json import decode

from service.sources.workflow_actions import NO_CODE

NO_DATA = "–"

_KEYS_BY_TONE = {
    "bad": ("failed", "critical", "invalid_active_templates"),
    "warn": ("warning", "high", "open", "misses", "templates_without_active"),
    "good": ("completed", "ok", "closed", "resolved", "hits", "one_active"),
}
_TONES = {key: tone for tone, keys in _KEYS_BY_TONE.items() for key in keys}


def number(value: float | None) -> str:
    """12345 as 12,345; a fraction to two places."""
    if value is None:
        return NO_DATA
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


def percent(value: float | None) -> str:
    """0.1234 as 12.3 %. What is not quite nothing or everything does not look like it."""
    if value is None:
        return NO_DATA
    if 0 < value < 0.001:
        return "< 0.1 %"
    if 0.999 < value < 1:
        return "> 99.9 %"
    return f"{value * 100:.1f} %"


def limit(value: float) -> str:
    """A threshold, as precisely as it was set."""
    return f"{value * 100:g} %"


def code(result_code: str) -> str | None:
    """A result code, given as JSON text, as runs are counted by it; None where there may be no result."""
    if result_code == "null":
        return None
    if result_code.startswith('"'):
        return decode(result_code, type=str) or NO_CODE
    is_falsy = result_code == "false" or not result_code.strip("-0.")
    return NO_CODE if is_falsy else result_code


def tone(key: str) -> str:
    """Whether what is counted under a key is bad, to be warned of, good, or plain, as far as is known."""
    return _TONES.get(key.lower(), "plain")
