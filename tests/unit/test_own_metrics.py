"""What own metrics take from prometheus_client although it does not promise it."""

from prometheus_client import CollectorRegistry, Histogram

from service.api.telemetry.own_metrics import _Durations

BOUNDS = (0.001, 0.01, 0.1, 1.0)

MOVED = "prometheus_client's Histogram has other private fields than _Durations.add in own_metrics.py uses: "


def histogram() -> Histogram:
    """One with a label, as the service has it."""
    return _Durations("seconds", "Some.", ["route"], buckets=BOUNDS, registry=CollectorRegistry())


def test_a_histogram_has_the_private_fields_that_durations_use() -> None:
    child = histogram().labels("/summary")
    for field in ("_sum", "_buckets"):
        assert hasattr(child, field), f"{MOVED}{field} is gone"
    assert callable(getattr(child._sum, "inc", None)), f"{MOVED}_sum has no inc()"
    assert len(child._buckets) == len(BOUNDS) + 1, (
        f"{MOVED}_buckets has not one value for each bound and +Inf"
    )
    assert all(callable(getattr(bucket, "inc", None)) for bucket in child._buckets), f"{MOVED}no inc()"


def test_observations_by_the_bucket_are_those_one_by_one() -> None:
    """Each bucket counts for itself, and is added up when it is read."""
    together, one_by_one = histogram(), histogram()
    counts = [number % 3 for number in range(len(BOUNDS) + 1)]
    inside = [*BOUNDS, 2 * BOUNDS[-1]]  # the upper bound belongs to its bucket
    child = together.labels("/summary")
    assert isinstance(child, _Durations)
    child.add(counts, sum(value * count for value, count in zip(inside, counts, strict=True)))
    for value, count in zip(inside, counts, strict=True):
        for _ in range(count):
            one_by_one.labels("/summary").observe(value)
    assert samples(together) == samples(one_by_one), f"{MOVED}they mean something else"


def samples(histogram: Histogram) -> dict[tuple[str, str], float]:
    """The values by name and bound, to the nanosecond; when it was made is left out."""
    (family,) = histogram.collect()
    return {
        (sample.name, sample.labels.get("le", "")): round(sample.value, 9)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }
