"""Who is asking: what authentication leaves in a request's state."""

from litestar.types import Scope

_OPERATOR_ID = "operator_id"


def operator_of(scope: Scope) -> int | None:
    """The caller's integer id; None when authentication is off.

    Raises KeyError for a request that nobody has let in: no answer can be made for it.
    """
    operator_id: int | None = scope["state"][_OPERATOR_ID]
    return operator_id


def remember_operator(scope: Scope, operator_id: int | None) -> None:
    """Note whom a request was found to come from."""
    scope.setdefault("state", {})[_OPERATOR_ID] = operator_id
