"""Processor time of whole families of processes."""

import psutil

ATTEMPTS = 10


def spent(root: psutil.Process, without: int | None = None) -> float:
    """Seconds that a process and its descendants have taken so far, those that have ended included.

    `without` is a living child that does not count. Raises psutil.NoSuchProcess when the process is gone.
    """
    for _ in range(ATTEMPTS):
        ended = _of_ended(root)
        family = [root, *root.children(recursive=True)]
        try:
            seconds = sum(_own(process) + _of_ended(process) for process in family if process.pid != without)
        except psutil.NoSuchProcess:
            root.cpu_times()  # raises if it is the root that is gone
            continue
        # A child that ended meanwhile would count twice, or not at all.
        if _of_ended(root) == ended:
            return seconds
    raise TimeoutError(f"the children of {root.pid} end too quickly to be counted")


def _own(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _of_ended(process: psutil.Process) -> float:
    """Of its children that it has seen end; the kernel adds what those had seen of theirs."""
    times = process.cpu_times()
    return times.children_user + times.children_system
