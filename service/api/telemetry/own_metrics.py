"""How the service itself is doing, for Prometheus; right with several workers.

Workers share their numbers through files (prometheus-client's multiprocess mode) when the
variable PROMETHEUS_MULTIPROC_DIR names a folder; one process alone, as in tests, needs none.
"""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from litestar.handlers import HTTPRouteHandler
from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    values,
)
from prometheus_client.metrics import MetricWrapperBase, disable_created_metrics
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from service.api.access.admission import OF_NOBODY, SCRAPED
from service.api.dependencies import Context
from service.api.reading import readable
from service.api.responses.compression import negotiated
from service.api.responses.raw import RawResponse
from service.api.telemetry.health import Readiness
from service.api.telemetry.limit_metrics import show_limits
from service.api.telemetry.process_metrics import ProcessMetrics
from service.api.telemetry.reading_metrics import ReadingMetrics
from service.api.telemetry.request_counts import BOUNDS, RequestCounts
from service.cache.observer import Observer
from service.overview.slo import Thresholds
from service.readings.manifest import NAME as READINGS
from service.snapshots import CHOICES, LISTS, SECTIONS
from service.tenants.workspaces import Workspaces
from service.version import VERSION

M = TypeVar("M", bound=MetricWrapperBase)

OWN_METRICS = "/metrics"
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
COMPUTATION_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
_NAMES = (*(section.name for section in (*SECTIONS, *LISTS, CHOICES)), READINGS)

# When a counter began says nothing that its value does not, and doubles the text.
disable_created_metrics()  # type: ignore[no-untyped-call]


class _Durations(Histogram):
    """A histogram that takes observations by the bucket: one at a time costs as much as a hot request."""

    def add(self, counts: Sequence[int], seconds: float) -> None:
        """Add `counts` observations, bucket by bucket, that took `seconds` together."""
        self._sum.inc(seconds)
        for bucket, count in zip(self._buckets, counts, strict=True):
            if count:
                bucket.inc(count)


def _family(
    registry: CollectorRegistry,
    kind: type[M],
    name: str,
    about: str,
    *labels: str,
    **options: Any,  # noqa: ANN401
) -> M:
    return kind(f"parallel_ops_{name}", about, labels, registry=registry, **options)


class OwnMetrics(Observer):
    """The families, and how they are filled. `workspaces` gives those that this process has."""

    def __init__(
        self, counts: RequestCounts, workspaces: Callable[[], Workspaces], thresholds: Thresholds
    ) -> None:
        self._counts = counts
        self._workspaces = workspaces
        self._folder = os.environ.get(FOLDER_VARIABLE)
        # The library looked for the folder when it was imported, which the demo does before there is one.
        values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._request_families()
        self._section_families()
        self._process_families()
        self._process = ProcessMetrics(self._registry)
        show_limits(partial(_family, self._registry), thresholds)
        self.readings = ReadingMetrics(partial(_family, self._registry))
        self._show_zeros()

    def _request_families(self) -> None:
        family = partial(_family, self._registry)
        self._requests = family(Counter, "requests_total", "Requests answered.", "route", "status")
        self._durations = family(
            _Durations,
            "request_duration_seconds",
            "From a request to the last byte handed to the server.",
            "route",
            buckets=BOUNDS,
        )
        self._lookups = family(
            Counter,
            "snapshot_lookups_total",
            "Answers by how fresh they were: hit, stale, or miss.",
            "state",
        )

    def _section_families(self) -> None:
        family = partial(_family, self._registry)
        self._computations = family(
            Counter,
            "section_computations_total",
            "Computations of a section, by how they ended.",
            *("section", "outcome"),
        )
        self._computation_seconds = family(
            Histogram,
            "section_computation_seconds",
            "How long a section's successful computation took.",
            "section",
            buckets=COMPUTATION_BOUNDS,
        )
        self._last_success = family(
            Gauge,
            "section_last_success_timestamp_seconds",
            "When this instance last computed a section; others may have done so since.",
            "section",
            multiprocess_mode="max",
        )
        self._lease_waits = family(
            Counter,
            "lease_waits_total",
            "Computations that another process was found to have under way.",
            "section",
        )

    def _process_families(self) -> None:
        family = partial(_family, self._registry, Gauge)
        self._database = family(
            "database_connections",
            "Connections of the pool: in use, idle, and how many there may be.",
            "state",
            multiprocess_mode="livesum",
        )
        self._redis = family(
            "redis_up",
            "Whether Redis answered when it was last asked (1) or not (0).",
            multiprocess_mode="livemostrecent",
        )
        self._tasks = family(
            "asyncio_tasks",
            "Tasks on the event loop: requests, computations, checks. One that only grows is a leak.",
            multiprocess_mode="livesum",
        )
        build = family(
            "build_info",
            "Always 1; the label says what runs.",
            "version",
            multiprocess_mode="livemax",
        )
        build.labels(VERSION).set(1)

    def computed(self, name: str, seconds: float) -> None:
        """Count a section that was computed."""
        self._computations.labels(name, "ok").inc()
        self._computation_seconds.labels(name).observe(seconds)
        self._last_success.labels(name).set(time.time())

    def failed(self, name: str) -> None:
        """Count a section that could not be had."""
        self._computations.labels(name, "failed").inc()

    def waited(self, name: str) -> None:
        """Count a wait for another process."""
        self._lease_waits.labels(name).inc()

    def redis_is(self, up: bool) -> None:
        """Note whether Redis answered."""
        self._redis.set(int(up))

    def publish(self) -> None:
        """Put what this process has counted since the last time where every worker's scrape finds it."""
        for (route, status, state), requests in self._counts.take().items():
            self._requests.labels(route, str(status)).inc(requests.total)
            self._durations.labels(route).add(requests.buckets, requests.seconds)
            if state:
                self._lookups.labels(state).inc(requests.total)
        workspaces = self._workspaces()
        pool = workspaces.connections()
        self._database.labels("in_use").set(pool.in_use)
        self._database.labels("idle").set(pool.idle)
        self._database.labels("limit").set(pool.limit)
        self._tasks.set(len(asyncio.all_tasks()))
        self._process.publish()
        self.readings.publish(workspaces.spending())

    def text(self) -> bytes:
        """All families of all workers in the text format 0.0.4."""
        self.publish()
        if self._folder is None:
            return generate_latest(self._registry)
        _forget_the_dead(Path(self._folder))
        everybody = CollectorRegistry()
        MultiProcessCollector(everybody, self._folder)  # type: ignore[no-untyped-call]
        return generate_latest(everybody)

    def _show_zeros(self) -> None:
        """A series that appears with its first event hides that event from rate()."""
        for section in _NAMES:
            for outcome in ("ok", "failed"):
                self._computations.labels(section, outcome)
            self._computation_seconds.labels(section)
            self._lease_waits.labels(section)
        for state in ("hit", "stale", "miss"):
            self._lookups.labels(state)


def own_metrics_route(metrics: OwnMetrics, readiness: Readiness) -> HTTPRouteHandler:
    """The endpoint for Prometheus, outside the API's prefix."""

    @readable(OWN_METRICS, opt=SCRAPED | OF_NOBODY)
    async def own_metrics(context: Context) -> RawResponse:
        """The service's own metrics, Redis' state among them: so that is looked at first."""
        await readiness.report()
        body, encoding = negotiated(metrics.text(), context.header(b"accept-encoding"))
        length = (b"content-length", b"%d" % len(body))
        kind = (b"content-type", CONTENT_TYPE_PLAIN_0_0_4.encode())
        encoded = [(name.encode(), value.encode()) for name, value in encoding.items()]
        return RawResponse(200, [kind, length, (b"cache-control", b"no-store"), *encoded], body)

    return own_metrics


def _forget_the_dead(folder: Path) -> None:
    """A worker that died has no connections any more; what it counted stays counted."""
    pids = {int(file.stem.rpartition("_")[2]) for file in folder.glob("gauge_live*_*.db")}
    for pid in pids:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            with suppress(FileNotFoundError):  # another worker may be doing the same
                mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
        except PermissionError:
            pass
