"""Refusals: one shape for all of them, and no error that is anything else."""

from typing import Any

import msgspec
import structlog
from litestar import Request
from litestar.exceptions import HTTPException
from litestar.response import Response
from litestar.types import ExceptionHandlersMap
from msgspec import Struct

from service.api.parameters import InvalidRequest
from service.api.reply import Reply
from service.cache.tick_cache import Unavailable

RETRY_AFTER_SECONDS = 2
_NOT_KEPT = (b"cache-control", b"no-store")
NOT_FOUND, METHOD_NOT_ALLOWED = 404, 405

log = structlog.get_logger(__name__)


class ErrorDetail(Struct, frozen=True):
    """What was refused: a code to act on, a message to read, and what the request held."""

    code: str
    message: str
    context: dict[str, Any]


class ErrorAnswer(Struct, frozen=True):
    """The body of every refusal."""

    detail: ErrorDetail


def refused(
    status: int,
    code: str,
    message: str,
    context: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Reply:
    """The refusal of a request that never reaches the routes."""
    body = _body(code, message, context)
    given = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    length = (b"content-length", b"%d" % len(body))
    return Reply(status, [(b"content-type", b"application/json"), length, _NOT_KEPT, *given], body)


def refusal(
    status: int,
    code: str,
    message: str,
    context: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Response[bytes]:
    """The response that refuses a request; nobody may keep it."""
    return Response(
        _body(code, message, context),
        status_code=status,
        media_type="application/json",
        headers={"cache-control": "no-store", **(headers or {})},
    )


def _body(code: str, message: str, context: dict[str, Any] | None) -> bytes:
    return msgspec.json.encode(ErrorAnswer(ErrorDetail(f"parallel_ops_{code}", message, context or {})))


def _invalid(_: Request[Any, Any, Any], error: InvalidRequest) -> Response[bytes]:
    return refusal(400, "invalid_request", error.message, error.context)


def unavailable(_: Request[Any, Any, Any] | None = None, __: Exception | None = None) -> Response[bytes]:
    """Nothing can be said now, and asking again soon is the right thing."""
    return refusal(
        503,
        "unavailable",
        "no answer could be computed in time and no recent one is kept; try again shortly",
        headers={"retry-after": str(RETRY_AFTER_SECONDS)},
    )


def _http(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    # Not request.url: it is made with the Host header, which may be anything.
    path = request.scope["path"].encode(errors="replace").decode()
    context = {"method": request.method, "path": path}
    headers = dict(error.headers or {})
    if error.status_code == NOT_FOUND:
        return refusal(NOT_FOUND, "not_found", f"no such path: {path}", context)
    if error.status_code == METHOD_NOT_ALLOWED:
        message = f"{request.method} is not allowed here, only GET is"
        return refusal(METHOD_NOT_ALLOWED, "method_not_allowed", message, context, headers | {"allow": "GET"})
    if error.status_code >= 500:
        return _unforeseen(request, error)
    return refusal(400, "invalid_request", error.detail, context)


def _unforeseen(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    log.error("unforeseen error", path=request.scope["path"], exc_info=error)
    return unavailable()


HANDLERS: ExceptionHandlersMap = {
    InvalidRequest: _invalid,
    Unavailable: unavailable,
    HTTPException: _http,
    Exception: _unforeseen,
}
