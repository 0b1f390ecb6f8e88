"""The seven endpoints: a request to a query, a query to an answer, an answer to a response."""

from collections.abc import Awaitable, Callable, Hashable, Mapping
from functools import cache
from typing import Any, TypeVar

from litestar import HttpMethod, MediaType, Request, Response, Router, get, route
from litestar.exceptions import MethodNotAllowedException
from litestar.handlers import HTTPRouteHandler
from litestar.types import HTTPScope
from msgspec.json import encode

from service.api import openapi, parameters
from service.api.answers import Answers
from service.api.compression import negotiated
from service.api.errors import answered
from service.api.headers import header
from service.api.openapi import PREFIX
from service.api.reply import Content, Endpoint, Replies, Reply
from service.overview import export, prometheus
from service.overview.alerts import alerts_of
from service.overview.failures import doc_sync_failures, workflow_failures
from service.overview.slo import Thresholds
from service.overview.summary import summarize
from service.overview.trends import trends_of
from service.snapshots import Held, Snapshots

T = TypeVar("T")
AnyRequest = Request[Any, Any, Any]

JSON = Content(((b"content-type", b"application/json"),), names_operator_in="body")
METRICS = Content(((b"content-type", prometheus.MEDIA_TYPE.encode()),))
EXPORTS = {
    export_format: Content(
        (
            (b"content-type", media_type.encode()),
            (b"content-disposition", f'attachment; filename="{export.FILE_NAME}.{export_format}"'.encode()),
        ),
        names_operator_in="header",
    )
    for export_format, media_type in export.MEDIA_TYPES.items()
}


def endpoints(snapshots: Snapshots, replies: Replies, thresholds: Thresholds) -> dict[str, Endpoint]:
    """The endpoints by path, answered from `snapshots`. They raise InvalidRequest and cache.Unavailable."""
    answers = Answers(snapshots)

    async def answer(
        asked: tuple[HTTPScope, Content, Hashable],
        read: Callable[[], Awaitable[Held[T]]],
        render: Callable[[Held[T]], bytes],
    ) -> Reply:
        scope, content, query = asked
        encoded, state = await answers.get((scope["path"], query), read, render)
        return replies.to(scope, content, encoded, state)

    async def summary(scope: HTTPScope) -> Reply:
        """Totals, maps, rates and SLO hints of the window."""
        query = parameters.SNAPSHOT.read(scope["query_string"])
        return await answer(
            (scope, JSON, query),
            lambda: snapshots.get(query),
            lambda held: encode(summarize(held.value, thresholds)),
        )

    async def trends(scope: HTTPScope) -> Reply:
        """The window's course in buckets, with the sums over all of them."""
        query = parameters.TRENDS.read(scope["query_string"])
        return await answer(
            (scope, JSON, query),
            lambda: snapshots.get(query.snapshot),
            lambda held: encode(trends_of(held.value, query.bucket_days)),
        )

    async def alerts(scope: HTTPScope) -> Reply:
        """The SLO hints of the window: a status, counts by code, and one by one."""
        query = parameters.ALERTS.read(scope["query_string"])
        return await answer(
            (scope, JSON, query),
            lambda: snapshots.get(query.snapshot),
            lambda held: encode(alerts_of(summarize(held.value, thresholds), query)),
        )

    async def summary_export(scope: HTTPScope) -> Reply:
        """The summary as a file, to archive or to paste into the daily log."""
        query = parameters.EXPORT.read(scope["query_string"])
        return await answer(
            (scope, EXPORTS[query.export_format], query),
            lambda: snapshots.get(query.snapshot),
            lambda held: export.export(summarize(held.value, thresholds), query.export_format),
        )

    async def failed_jobs(scope: HTTPScope) -> Reply:
        """The failed document sync jobs of the window, newest first."""
        query = parameters.DOC_SYNC_FAILURES.read(scope["query_string"])
        return await answer(
            (scope, JSON, query),
            lambda: snapshots.failed_jobs(query),
            lambda held: encode(doc_sync_failures(held.value, query, held.instant)),
        )

    async def failed_runs(scope: HTTPScope) -> Reply:
        """The failed workflow custom action runs of the window, newest first."""
        query = parameters.WORKFLOW_FAILURES.read(scope["query_string"])
        return await answer(
            (scope, JSON, query),
            lambda: snapshots.failed_runs(query),
            lambda held: encode(workflow_failures(held.value, query, held.instant)),
        )

    async def metrics(scope: HTTPScope) -> Reply:
        """The summary's figures as Prometheus gauges."""
        query = parameters.SNAPSHOT.read(scope["query_string"])
        return await answer(
            (scope, METRICS, query),
            lambda: snapshots.get(query),
            lambda held: prometheus.prometheus_text(summarize(held.value, thresholds), query),
        )

    paths = {
        "/summary": summary,
        "/trends": trends,
        "/alerts": alerts,
        "/summary/export": summary_export,
        "/doc-sync/failures": failed_jobs,
        "/workflow/failures": failed_runs,
        "/metrics": metrics,
    }
    return {PREFIX + path: endpoint for path, endpoint in paths.items()}


def router(endpoints: Mapping[str, Endpoint]) -> Router:
    """The same endpoints as the framework's routes: for paths spelled in other ways, and for its refusals."""
    handlers = [_handler(path, endpoint) for path, endpoint in endpoints.items()]
    # First, because Litestar adds an answer to OPTIONS to every path that has none yet.
    return Router("/", route_handlers=[_no_options(sorted(endpoints)), *handlers])


def _handler(path: str, endpoint: Endpoint) -> HTTPRouteHandler:
    @get(path, name=path)
    async def handler(request: AnyRequest) -> Reply:
        scope = request.scope
        scope["path"] = path
        return await answered(endpoint, scope)

    return handler


def _no_options(paths: list[str]) -> HTTPRouteHandler:
    """The route by which OPTIONS is no more allowed than any other method but GET."""

    @route(paths, http_method=HttpMethod.OPTIONS, sync_to_thread=False)
    def options() -> None:
        """Refuse, as every other method is refused."""
        raise MethodNotAllowedException

    return options


def schema_route() -> HTTPRouteHandler:
    """The route of the OpenAPI document, which is made when somebody first asks for it."""
    document = cache(openapi.document)

    @get(openapi.SCHEMA, media_type=MediaType.JSON, sync_to_thread=False)
    def openapi_document(request: AnyRequest) -> Response[bytes]:
        """The OpenAPI document of this API."""
        body, encoding = negotiated(document(), header(request.scope, b"accept-encoding"))
        return Response(body, headers={"cache-control": "public, max-age=3600", **encoding})

    return openapi_document
