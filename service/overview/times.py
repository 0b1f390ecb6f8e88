"""Times as the contract writes them."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

# Of every struct on the wire: JSON schema calls it a date-time, and nothing without a zone is read as one.
Instant = Annotated[datetime, Meta(tz=True)]


def rfc3339(instant: datetime) -> str:
    """A UTC instant as RFC 3339 with `Z`, to the same digits as in a JSON answer."""
    return instant.isoformat().replace("+00:00", "Z")
