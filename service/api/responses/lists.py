"""Headers that are lists, as far as anybody reads them: callers decide how long they are."""

MAX_BYTES = 1024


def beginning_of(header: bytes) -> bytes:
    """The members of a list that are whole in its first kilobyte."""
    return header if len(header) <= MAX_BYTES else header[:MAX_BYTES].rpartition(b",")[0]
