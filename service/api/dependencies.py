"""What Litestar hands to handlers that ask for it by name."""

from typing import Any, TypeAlias

from litestar.di import NamedDependency, Provide

from service.api.context import RequestContext, provide_context
from service.api.replay import Replay
from service.overview.slo import Thresholds
from service.snapshots import Snapshots

Context: TypeAlias = NamedDependency[RequestContext]
GivenReplay: TypeAlias = NamedDependency[Replay]
GivenSnapshots: TypeAlias = NamedDependency[Snapshots]
GivenThresholds: TypeAlias = NamedDependency[Thresholds]


def dependencies(snapshots: Snapshots, thresholds: Thresholds, replay: Replay) -> dict[str, Provide]:
    """All of them, by the names of parameters."""
    given = {"snapshots": snapshots, "thresholds": thresholds, "replay": replay}
    return {
        "context": Provide(provide_context, sync_to_thread=False),
        **{name: _given(value) for name, value in given.items()},
    }


def _given(value: Any) -> Provide:  # noqa: ANN401
    def itself() -> Any:  # noqa: ANN401
        return value

    return Provide(itself, sync_to_thread=False)
