"""Processes that run tests side by side take ports of their own. A pytest plugin.

Where one of them knows that nobody listens, as for a server that is away, another could start one.
"""

import os

from demo import process


def pytest_configure() -> None:
    """Before any server: the processes deal the ports out among themselves."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")  # gw0, gw1, ...
    if worker is not None:
        count = int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
        process.PORTS = process.PORTS[int(worker.removeprefix("gw")) :: count]
