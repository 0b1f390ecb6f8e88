"""Times as the contract writes them."""

from datetime import datetime


def rfc3339(instant: datetime) -> str:
    """A UTC instant as RFC 3339 with `Z`, to the same digits as in a JSON answer."""
    return instant.isoformat().replace("+00:00", "Z")
