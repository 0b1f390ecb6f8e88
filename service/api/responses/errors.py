"""Refusals: one shape for all of them, and no error that is anything else."""

from typing import Any

import msgspec
import structlog
from litestar.exceptions import HTTPException
from msgspec import Struct

from service.api.responses.raw import RawResponse
from service.cache.unavailable import TooManyAtOnce, Unavailable
from service.tenants.tenant import Forbidden

RETRY_AFTER_SECONDS = 2
FORBIDDEN, NOT_FOUND, METHOD_NOT_ALLOWED = 403, 404, 405
# What a client gets that went away before it was answered, as nginx logs it.
GONE = 499
CODE = "parallel_ops_{}"

log = structlog.get_logger(__name__)


class ErrorDetail(Struct, frozen=True):
    """What was refused: a code to act on, a message to read, and what the request held."""

    code: str
    message: str
    context: dict[str, Any]


class ErrorAnswer(Struct, frozen=True):
    """The body of every refusal."""

    detail: ErrorDetail


class Refusal(Exception):
    """A request is refused; message, context and headers are for the caller."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        context: dict[str, Any] | None = None,
        **headers: str,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.context = context or {}
        self.headers = headers

    def response(self) -> RawResponse:
        """The response that refuses the request; nobody may keep it."""
        detail = ErrorDetail(CODE.format(self.code), self.message, self.context)
        body = msgspec.json.encode(ErrorAnswer(detail))
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
            *((name.replace("_", "-").encode(), value.encode()) for name, value in self.headers.items()),
        ]
        return RawResponse(self.status, headers, body)


class InvalidRequest(Refusal):
    """A parameter cannot be taken; `context` holds all of the endpoint's as they came."""

    def __init__(self, message: str, context: dict[str, Any]) -> None:
        super().__init__(400, "invalid_request", message, context)


class Unauthorized(Refusal):
    """Nobody knows who asks. The reason says nothing that helps to forge a token."""

    def __init__(self, reason: str) -> None:
        super().__init__(401, "unauthorized", reason, www_authenticate="Bearer")


def refusal_of(method: str, path: str, error: Exception) -> Refusal:
    """The refusal that an error stands for; one that nobody foresaw is logged."""
    # Not the request's URL: it is made with the Host header, which may be anything.
    path = path.encode(errors="replace").decode()
    match error:
        case Refusal():
            return error
        case HTTPException() if error.status_code < 500:
            return _of_framework(method, path, error)
        case Forbidden():
            return Refusal(FORBIDDEN, "forbidden", str(error))
        case TooManyAtOnce():
            message = "too many new questions of this caller at once; try again shortly"
            return Refusal(429, "rate_limited", message, retry_after=str(RETRY_AFTER_SECONDS))
        case Unavailable():
            pass
        case _:
            log.error("unforeseen error", path=path, exc_info=error)
    message = "no answer could be computed in time and no recent one is kept; try again shortly"
    return Refusal(503, "unavailable", message, retry_after=str(RETRY_AFTER_SECONDS))


def _of_framework(method: str, path: str, error: HTTPException) -> Refusal:
    context = {"method": method, "path": path}
    if error.status_code == NOT_FOUND:
        return Refusal(NOT_FOUND, "not_found", f"no such path: {path}", context)
    if error.status_code == METHOD_NOT_ALLOWED:
        message = f"{method} is not allowed here, only GET and HEAD are"
        return Refusal(METHOD_NOT_ALLOWED, "method_not_allowed", message, context, allow="GET, HEAD")
    return InvalidRequest(error.detail, context)
