"""Addresses of servers that are not there."""

from demo.process import free_port


def nowhere(scheme: str) -> str:
    """An address at which nobody listens."""
    return f"{scheme}://127.0.0.1:{free_port()}/0"
