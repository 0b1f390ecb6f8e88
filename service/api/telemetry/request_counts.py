"""Requests counted in plain numbers: a hot request cannot afford more."""

from bisect import bisect_left

BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)

# Route template, status, and how fresh the answer was ("" where that means nothing).
Kind = tuple[str, int, str]


class Requests:
    """Requests of one kind: how many, how long together, and how many in each bucket of BOUNDS."""

    __slots__ = ("buckets", "seconds", "total")

    def __init__(self) -> None:
        self.total = 0
        self.seconds = 0.0
        self.buckets = [0] * (len(BOUNDS) + 1)


class RequestCounts:
    """What has been answered since somebody last took the counts."""

    def __init__(self) -> None:
        self._requests: dict[Kind, Requests] = {}

    def count(self, kind: Kind, seconds: float) -> None:
        """Count one request of a kind."""
        requests = self._requests.get(kind)
        if requests is None:
            requests = self._requests[kind] = Requests()
        requests.total += 1
        requests.seconds += seconds
        requests.buckets[bisect_left(BOUNDS, seconds)] += 1

    def take(self) -> dict[Kind, Requests]:
        """The counts since the last call."""
        taken, self._requests = self._requests, {}
        return taken
