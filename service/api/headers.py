"""Looking at a request's headers as the server handed them over."""

from litestar.types import HTTPScope


def header(scope: HTTPScope, name: bytes) -> bytes:
    """The value of a request's header, b"" without one. `name` is in lower case."""
    return next((value for key, value in scope["headers"] if key == name), b"")
