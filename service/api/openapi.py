"""The OpenAPI 3.1 document: made from the parameters and the structs that the endpoints use."""

from functools import cache
from typing import Any

import msgspec
from litestar import MediaType, Response
from msgspec import Struct

from service.api.access.admission import OPEN_AND_UNLIMITED
from service.api.dependencies import Context
from service.api.parameters import Parameter
from service.api.reading import readable
from service.api.responses.body import Body
from service.api.responses.compression import negotiated
from service.api.responses.errors import ErrorAnswer
from service.api.table import ENDPOINTS, PREFIX, Endpoint
from service.version import VERSION

Json = dict[str, Any]

SCHEMA = "/schema/openapi.json"
_SCHEMAS = "#/components/schemas/{name}"
_REFUSALS = {
    "400": ("A parameter cannot be taken; the message says which.", ()),
    "401": ("The bearer token is missing or bad.", ("WWW-Authenticate",)),
    "404": ("There is no such path.", ()),
    "405": ("Only GET and HEAD are allowed.", ("Allow",)),
    "408": ("The request had a body, which did not come in time.", ("Connection",)),
    "413": ("The request had a body of more than 64 KiB.", ("Connection",)),
    "414": ("The URL is longer than 8 KiB; beyond 64 KiB the answer has no body.", ()),
    "421": ("The service does not go by the name in Host.", ()),
    "429": ("This caller asks too often.", ("Retry-After",)),
    "503": ("No answer could be computed in time, and no recent one is kept.", ("Retry-After",)),
}
# Refused by the server before the service sees it, so it is not in the one shape.
_HEAD_TOO_LONG = "The request's line and headers are longer than 128 KiB together; without a body."
_CACHING = {
    "ETag": "Identifies this answer for this caller; send it back as If-None-Match.",
    "Cache-Control": "private; max-age is Age and the seconds until the next refresh.",
    "Age": "Seconds since generated_at.",
    "X-Cache": "hit, stale or miss.",
    "Vary": "Accept-Encoding, Authorization, Cookie: an answer is one caller's.",
}
_EXPORT_HEADERS = {
    "Content-Disposition": "The file's name.",
    "X-Operator-Id": "The caller's id, when there is a caller.",
}


@readable(SCHEMA, media_type=MediaType.JSON, opt=OPEN_AND_UNLIMITED, sync_to_thread=False)
def openapi_document(context: Context) -> Response[bytes]:
    """The OpenAPI document of this API."""
    body, encoding = negotiated(document(), context.header(b"accept-encoding"))
    return Response(body, headers={"cache-control": "public, max-age=3600", **encoding})


@cache
def document() -> bytes:
    """The whole document as JSON, made when somebody first asks for it."""
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "parallel-ops",
                "version": VERSION,
                "description": "How a PLM's five parallel side tracks are doing.",
            },
            "paths": {PREFIX + endpoint.path: {"get": _operation(endpoint)} for endpoint in ENDPOINTS},
            "components": {
                "schemas": msgspec.json.schema_components(_structs(), ref_template=_SCHEMAS)[1],
                "responses": {status: _refusal(*about) for status, about in _REFUSALS.items()},
                "securitySchemes": {
                    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                },
            },
            # The second, empty choice: authentication may be switched off.
            "security": [{"bearer": []}, {}],
        }
    )


def _operation(endpoint: Endpoint[Any]) -> Json:
    answer = {
        "description": endpoint.summary,
        "headers": _headers(_CACHING | (_EXPORT_HEADERS if None not in endpoint.bodies else {})),
        "content": {body.media_type: {"schema": _schema(body)} for body in endpoint.bodies.values()},
    }
    not_modified = {
        "description": "The caller has this answer already.",
        "headers": _headers(_CACHING),
    }
    refusals = {status: {"$ref": f"#/components/responses/{status}"} for status in _REFUSALS}
    return {
        "operationId": endpoint.path.strip("/").replace("/", "_").replace("-", "_"),
        "summary": endpoint.summary,
        "parameters": [_parameter(parameter) for parameter in endpoint.parameters.each],
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


def _schema(body: Body) -> Json:
    return {"type": "string"} if body.struct is None else _ref(_answer(body))


def _structs() -> list[type[Struct]]:
    bodies = (body for endpoint in ENDPOINTS for body in endpoint.bodies.values())
    return [*(_answer(body) for body in bodies if body.struct is not None), ErrorAnswer]


@cache
def _answer(body: Body) -> type[Struct]:
    """A body's struct as a client sees it: with the caller's id where that is its last field."""
    assert body.struct is not None  # noqa: S101 - asked for structs alone
    name = body.struct.__name__
    if body.operator_in != "body":
        about = "The same as a file; the caller is named in a header instead."
        return msgspec.defstruct(f"{name}Export", [], bases=(body.struct,), namespace={"__doc__": about})
    about = "What one caller is answered; operator_id is null when authentication is off."
    fields = [("operator_id", int | None)]
    return msgspec.defstruct(f"{name}Answer", fields, bases=(body.struct,), namespace={"__doc__": about})
