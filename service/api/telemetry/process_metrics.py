"""CPU, memory and descriptors, under the names that every dashboard knows; added up over all workers."""

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Metric, ProcessCollector

# When the newest worker began: one that was replaced shows. All else is a sum.
_MODES: dict[str, Any] = {"process_start_time_seconds": "livemax"}
OF_WORKERS = "of all workers together"


class ProcessMetrics:
    """What the client library finds out about this process; nothing on systems where it finds out nothing.

    The library's own collector cannot share with other processes. A worker that died still counts for the
    CPU, so that its counter never goes back.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._collector = ProcessCollector(registry=None)
        self._families = {found.name: _family(found, registry) for found in self._collector.collect()}
        self._counted = dict.fromkeys(self._families, 0.0)

    def publish(self) -> None:
        """Note how things stand now."""
        for found in self._collector.collect():
            family, value = self._families[found.name], found.samples[0].value
            if isinstance(family, Gauge):
                family.set(value)
            else:
                family.inc(value - self._counted[found.name])
                self._counted[found.name] = value


def _family(found: Metric, registry: CollectorRegistry) -> Counter | Gauge:
    about = f"{found.documentation.rstrip('.')}, {OF_WORKERS}."
    if found.type == "counter":
        return Counter(found.name, about, registry=registry)
    return Gauge(found.name, about, registry=registry, multiprocess_mode=_MODES.get(found.name, "livesum"))
