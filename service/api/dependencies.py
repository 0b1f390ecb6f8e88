"""What Litestar hands to handlers that ask for it by name."""

from typing import Any, TypeAlias

from litestar import Request
from litestar.di import NamedDependency, Provide

from service.api.context import RequestContext, context_of, provide_context
from service.api.replay import Replay
from service.snapshots import Snapshots

Context: TypeAlias = NamedDependency[RequestContext]
GivenReplay: TypeAlias = NamedDependency[Replay]
GivenSnapshots: TypeAlias = NamedDependency[Snapshots]


def dependencies(replay: Replay) -> dict[str, Provide]:
    """All of them, by the names of parameters."""
    context = Provide(provide_context, sync_to_thread=False)
    snapshots = Provide(_snapshots_of, sync_to_thread=False)
    return {"context": context, "snapshots": snapshots, "replay": _given(replay)}


def _snapshots_of(request: Request[Any, Any, Any]) -> Snapshots:
    """Those of the tenant who asks."""
    return context_of(request.scope).workspace.snapshots


def _given(value: Any) -> Provide:  # noqa: ANN401
    def itself() -> Any:  # noqa: ANN401
        return value

    return Provide(itself, sync_to_thread=False)
