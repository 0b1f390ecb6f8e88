"""Who is asking: what authentication leaves in a request's state."""

from litestar.types import Scope

_OPERATOR_ID = "operator_id"


def operator_of(scope: Scope) -> int | None:
    """The caller's integer id; None when authentication is off."""
    operator_id: int | None = scope["state"].get(_OPERATOR_ID)
    return operator_id


def remember_operator(scope: Scope, operator_id: int) -> None:
    """Note whom a request was found to come from."""
    scope["state"][_OPERATOR_ID] = operator_id
