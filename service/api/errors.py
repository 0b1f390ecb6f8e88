"""Refusals: one shape for all of them, and no error that is anything else."""

from typing import Any

import msgspec
import structlog
from litestar import Request
from litestar.exceptions import HTTPException
from litestar.response import Response
from litestar.types import ExceptionHandlersMap, HTTPScope
from msgspec import Struct

from service.api.parameters import InvalidRequest
from service.api.reply import Endpoint, Reply
from service.cache.tick_cache import Unavailable

RETRY_AFTER_SECONDS = 2
_JSON = (b"content-type", b"application/json")
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
    """The response that refuses a request; nobody may keep it."""
    body = msgspec.json.encode(ErrorAnswer(ErrorDetail(f"parallel_ops_{code}", message, context or {})))
    given = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    return Reply(status, [_JSON, (b"content-length", b"%d" % len(body)), _NOT_KEPT, *given], body)


def refusal_of(scope: HTTPScope, error: Exception) -> Reply:
    """The refusal that an error stands for; one that nobody foresaw is logged."""
    # Not the request's URL: it is made with the Host header, which may be anything.
    path = scope["path"].encode(errors="replace").decode()
    match error:
        case InvalidRequest():
            return refused(400, "invalid_request", error.message, error.context)
        case HTTPException() if error.status_code < 500:
            return _http(scope["method"], path, error)
        case Unavailable():
            pass
        case _:
            log.error("unforeseen error", path=path, exc_info=error)
    return refused(
        503,
        "unavailable",
        "no answer could be computed in time and no recent one is kept; try again shortly",
        headers={"retry-after": str(RETRY_AFTER_SECONDS)},
    )


async def answered(endpoint: Endpoint, scope: HTTPScope) -> Reply:
    """What the endpoint answers; whatever it raises becomes a refusal."""
    try:
        return await endpoint(scope)
    except Exception as error:  # noqa: BLE001 - a bare 500 is no answer
        return refusal_of(scope, error)


def _http(method: str, path: str, error: HTTPException) -> Reply:
    context = {"method": method, "path": path}
    if error.status_code == NOT_FOUND:
        return refused(NOT_FOUND, "not_found", f"no such path: {path}", context)
    if error.status_code == METHOD_NOT_ALLOWED:
        message = f"{method} is not allowed here, only GET is"
        return refused(METHOD_NOT_ALLOWED, "method_not_allowed", message, context, {"allow": "GET"})
    return refused(400, "invalid_request", error.detail, context)


def _response(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """The same for the framework, which wants a response of its own kind."""
    reply = refusal_of(request.scope, error)
    headers = {name.decode(): value.decode() for name, value in reply.headers}
    return Response(reply.body, status_code=reply.status, media_type="application/json", headers=headers)


HANDLERS: ExceptionHandlersMap = {Exception: _response, HTTPException: _response}
