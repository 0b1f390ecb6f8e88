"""The one pass that every request goes through: let in, answered, measured and logged.

It is one middleware rather than a stack of them because a hot answer takes some 50 microseconds in
all, and each layer would take its share.
"""

import re
from collections.abc import Callable
from functools import partial
from os import urandom
from time import perf_counter
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.exceptions import MethodNotAllowedException
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from service.api.access.admission import Admission
from service.api.access.body import has_body, whole_body
from service.api.context import UNKNOWN, RequestContext, context_of, enter, has_entered
from service.api.reading import METHODS
from service.api.replay import Replay
from service.api.responses.errors import Refusal, refusal_of
from service.api.responses.raw import RawResponse
from service.cache.tick_cache import CALLER
from service.cache.unavailable import Unavailable
from service.tenants.tenancy import REFUSED
from service.tenants.tenant import Forbidden, Tenant
from service.tenants.workspaces import Workspaces

_SANE_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
Record = Callable[[RequestContext, float], None]
Refuse = Callable[[RequestContext, Refusal], RawResponse]


class RequestMiddleware:
    """Litestar middleware for all routes. `clock` gives Unix seconds.

    `record` is told of every request and its seconds once it is over. `refuse_unrouted` makes the response to
    what no route takes.
    """

    def __init__(  # noqa: PLR0913 - what a request goes through, and two that are told of it
        self,
        admission: Admission,
        workspaces: Workspaces,
        replay: Replay,
        *,
        record: Record,
        clock: Callable[[], float],
        refuse_unrouted: Refuse,
    ) -> None:
        self._admission = admission
        self._workspaces = workspaces
        self._replay = replay
        self._record = record
        self._clock = clock
        self._refuse_unrouted = refuse_unrouted
        self._ids = RequestIds()

    def __call__(self, app: ASGIApp) -> ASGIApp:
        """The route's application with this in front of it."""
        return partial(self._handle, app)

    async def _handle(self, app: ASGIApp, scope: HTTPScope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        context = enter(scope, send)
        try:
            response = await self._response_before(context, receive)
            await (app if response is None else response)(scope, context.receive or receive, context.send)
        finally:
            if context.line is not None:
                context.line.leave()
            self._record(context, perf_counter() - started)

    async def _response_before(self, context: RequestContext, receive: Receive) -> RawResponse | None:
        """What there is to say without the handler; an error is left for it to raise."""
        context.request_id = self._ids.of(context.headers.get(b"x-request-id"))
        try:
            if has_body(context.headers):
                context.receive = await whole_body(context.headers, receive)
            context.now = self._clock()
            if (answer := self._admission.admit(context)) is not None:
                return answer
            if (limit := self._admission.limit_of(context)) is not None:
                await limit.check(context)
            if context.error is not None:
                return None
            if context.tenant is not None and not context.is_of_nobody:
                answer = await self._replayed(context, context.tenant)
                if answer is not None:
                    return answer
            CALLER.set(context.caller)  # a handler may compute for it
            if context.method == "OPTIONS" and context.route != UNKNOWN:  # Litestar would answer it
                raise MethodNotAllowedException
        except Exception as error:  # noqa: BLE001 - it becomes a refusal where handlers' errors do
            context.error = error
        return None

    async def _replayed(self, context: RequestContext, tenant: Tenant) -> RawResponse | None:
        """What stands ready in the tenant's workspace. Raises Forbidden, and TooManyAtOnce from its line."""
        found = self._workspaces.at_hand(tenant)
        context.workspace = workspace = found or await self._workspaces.of(tenant)
        if context.method in METHODS and (answer := self._replay.find(context)) is not None:
            return answer
        if workspace.line is not None:
            await workspace.line.enter()
            context.line = workspace.line
        return None

    def refuse(self, request: Request[Any, Any, Any], error: Exception) -> Any:  # noqa: ANN401
        """Litestar's exception handler: a response that is the refusal that an error stands for.

        What no route takes has not come through here yet, and does so now.
        """
        scope = request.scope
        if has_entered(scope):
            if isinstance(error, Unavailable) and context_of(scope).is_refused:
                error = Forbidden(REFUSED)
            return refusal_of(scope["method"], scope["path"], error).response()

        async def refusal(scope: Scope, receive: Receive, send: Send) -> None:
            context = context_of(scope)
            found = refusal_of(context.method, context.path, context.error or error)
            await self._refuse_unrouted(context, found)(scope, receive, send)

        return _Unrouted(self(refusal))


class _Unrouted:
    """A response as Litestar wants it, which is an application of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def to_asgi_response(self, *_: object, **__: object) -> ASGIApp:
        """What Litestar asks a response for."""
        return self._app


async def raise_found_error(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Litestar guard: raise what was found on the way here, in reach of the route's exception handlers.

    A coroutine, for Litestar runs any other guard in a thread.
    """
    error = context_of(connection.scope).error
    if error is not None:
        raise error


class RequestIds:
    """Ids of requests: the caller's own where it is sane, else one that no other process makes."""

    def __init__(self) -> None:
        self._prefix = urandom(6).hex().encode()
        self._made = 0

    def of(self, given: bytes | None) -> bytes:
        """The id of a request that came with this X-Request-ID."""
        if given is not None and _SANE_ID.fullmatch(given):
            return given
        self._made += 1
        return b"%b-%x" % (self._prefix, self._made)
