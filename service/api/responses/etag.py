"""Whether a caller has an answer already (RFC 9110, 13.1.2)."""

from service.api.responses.lists import beginning_of


def matches(if_none_match: bytes, etag: bytes) -> bool:
    """Whether the header's list names the entity; the comparison is weak."""
    if not if_none_match:
        return False
    opaque = etag.removeprefix(b"W/")
    tags = beginning_of(if_none_match).split(b",")
    return any(tag.strip().removeprefix(b"W/") in (b"*", opaque) for tag in tags)
