"""The OpenAPI 3.1 document: made from the parameters and the structs that the endpoints use."""

from typing import Any

import msgspec
from msgspec import Struct

from service.api import contract, parameters
from service.api.errors import ErrorAnswer
from service.api.parameters import Parameter, Reader
from service.overview import export, prometheus
from service.version import VERSION

Json = dict[str, Any]

PREFIX = "/api/v1/parallel-ops"
SCHEMA = "/schema/openapi.json"
_SCHEMAS = "#/components/schemas/{name}"
_ANSWERS = (
    contract.SummaryAnswer,
    contract.TrendsAnswer,
    contract.AlertsAnswer,
    contract.DocSyncFailuresAnswer,
    contract.WorkflowFailuresAnswer,
    contract.SummaryExport,
    ErrorAnswer,
)
_REFUSALS = {
    "400": ("A parameter cannot be taken; the message says which.", ()),
    "401": ("The bearer token is missing or bad.", ("WWW-Authenticate",)),
    "404": ("There is no such path.", ()),
    "405": ("Only GET is allowed.", ("Allow",)),
    "414": ("The URL is longer than 8 KiB; beyond 64 KiB the answer has no body.", ()),
    "429": ("This caller asks too often.", ("Retry-After",)),
    "503": ("No answer could be computed in time, and no recent one is kept.", ("Retry-After",)),
}
# Refused by the server before the service sees it, so it is not in the one shape.
_HEAD_TOO_LONG = "The request's line and headers are longer than 128 KiB together; without a body."
_CACHING = {
    "ETag": "Identifies this answer for this caller; send it back as If-None-Match.",
    "Cache-Control": "private; max-age is the seconds until the next refresh.",
    "Age": "Seconds since generated_at.",
    "X-Cache": "hit, stale or miss.",
}
_EXPORT_HEADERS = {
    "Content-Disposition": "The file's name.",
    "X-Operator-Id": "The caller's id, when there is a caller.",
}


class Endpoint(Struct, frozen=True):
    """What the document says of one path. `content` maps media types to schemas."""

    path: str
    summary: str
    reader: Reader[Any]
    content: dict[str, Json]
    headers: dict[str, str] = {}


def document() -> bytes:
    """The whole document as JSON."""
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "parallel-ops",
                "version": VERSION,
                "description": "How a PLM's five parallel side tracks are doing.",
            },
            "paths": {PREFIX + endpoint.path: {"get": _operation(endpoint)} for endpoint in _ENDPOINTS},
            "components": {
                "schemas": msgspec.json.schema_components(_ANSWERS, ref_template=_SCHEMAS)[1],
                "responses": {status: _refusal(*about) for status, about in _REFUSALS.items()},
                "securitySchemes": {
                    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                },
            },
            # The second, empty choice: authentication may be switched off.
            "security": [{"bearer": []}, {}],
        }
    )


def _operation(endpoint: Endpoint) -> Json:
    answer = {
        "description": endpoint.summary,
        "headers": _headers(_CACHING | endpoint.headers),
        "content": {media_type: {"schema": schema} for media_type, schema in endpoint.content.items()},
    }
    not_modified = {
        "description": "The caller has this answer already.",
        "headers": _headers(_CACHING),
    }
    refusals = {status: {"$ref": f"#/components/responses/{status}"} for status in _REFUSALS}
    return {
        "operationId": endpoint.path.strip("/").replace("/", "_").replace("-", "_"),
        "summary": endpoint.summary,
        "parameters": [_parameter(parameter) for parameter in endpoint.reader.parameters],
        "responses": {
            "200": answer,
            "304": not_modified,
            **refusals,
            "431": {"description": _HEAD_TOO_LONG},
        },
    }


def _parameter(parameter: Parameter) -> Json:
    return {
        "name": parameter.name,
        "in": "query",
        "required": False,
        "description": parameter.description,
        "schema": parameter.schema,
    }


def _refusal(description: str, headers: tuple[str, ...]) -> Json:
    return {
        "description": description,
        "headers": _headers(dict.fromkeys(headers, "See the description.")),
        "content": {"application/json": {"schema": _ref(ErrorAnswer)}},
    }


def _headers(descriptions: dict[str, str]) -> Json:
    return {
        name: {"description": description, "schema": {"type": "string"}}
        for name, description in descriptions.items()
    }


def _ref(struct: type[Struct]) -> Json:
    return {"$ref": _SCHEMAS.format(name=struct.__name__)}


def _json(struct: type[Struct]) -> dict[str, Json]:
    return {"application/json": _ref(struct)}


_TEXT = {"type": "string"}
_ENDPOINTS = (
    Endpoint(
        "/summary",
        "Totals, maps, rates and SLO hints of the window",
        parameters.SNAPSHOT,
        _json(contract.SummaryAnswer),
    ),
    Endpoint(
        "/trends",
        "The window's course in buckets, with the sums over all of them",
        parameters.TRENDS,
        _json(contract.TrendsAnswer),
    ),
    Endpoint(
        "/alerts",
        "The SLO hints of the window: a status, counts by code, and one by one",
        parameters.ALERTS,
        _json(contract.AlertsAnswer),
    ),
    Endpoint(
        "/summary/export",
        "The summary as a file, to archive or to paste into the daily log",
        parameters.EXPORT,
        {
            **_json(contract.SummaryExport),
            export.MEDIA_TYPES["csv"]: _TEXT,
            export.MEDIA_TYPES["md"]: _TEXT,
        },
        _EXPORT_HEADERS,
    ),
    Endpoint(
        "/doc-sync/failures",
        "The failed document sync jobs of the window, newest first",
        parameters.DOC_SYNC_FAILURES,
        _json(contract.DocSyncFailuresAnswer),
    ),
    Endpoint(
        "/workflow/failures",
        "The failed workflow custom action runs of the window, newest first",
        parameters.WORKFLOW_FAILURES,
        _json(contract.WorkflowFailuresAnswer),
    ),
    Endpoint(
        "/metrics",
        "The summary's figures as Prometheus gauges",
        parameters.SNAPSHOT,
        {prometheus.MEDIA_TYPE: _TEXT},
    ),
)
