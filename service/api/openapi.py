"""The OpenAPI 3.1 document: made from the parameters and the structs that the endpoints use."""

from functools import cache
from typing import Any

import msgspec
from litestar import MediaType, Response
from msgspec import Struct

from service.api.access.admission import OPEN_AND_UNLIMITED
from service.api.dependencies import Context
from service.api.examples import answer_of
from service.api.reading import readable
from service.api.responses.body import JSON, Body
from service.api.responses.compression import negotiated
from service.api.responses.errors import CODE, ErrorAnswer, ErrorDetail
from service.api.table import ENDPOINTS, METRICS, PREFIX, TAGS, Endpoint
from service.tenants.tenancy import REFUSED
from service.version import VERSION

Json = dict[str, Any]

SCHEMA = "/schema/openapi.json"
_ABOUT = (
    "How a PLM's five parallel side tracks are doing: document sync, workflow actions, breakages, "
    "consumption templates, and the cache of 3D overlays. HEAD is answered as GET without a body."
)
_SCHEMAS = "#/components/schemas/{name}"


class _Documented(Struct, frozen=True):
    """A refusal as the document has it: when it comes, its code, an example of its message, its headers."""

    about: str
    code: str
    message: str
    headers: tuple[str, ...] = ()


_REFUSALS = {
    "400": _Documented(
        "A parameter cannot be taken; the message says which.",
        "invalid_request",
        "window_days must be one of: 1, 7, 14, 30, 90",
    ),
    "401": _Documented(
        "The bearer token is missing or bad.",
        "unauthorized",
        "a bearer token is required",
        ("WWW-Authenticate",),
    ),
    "403": _Documented(
        "The bearer token is of a tenant whose figures this service does not hold.",
        "forbidden",
        REFUSED,
    ),
    "404": _Documented("There is no such path.", "not_found", "no such path: /api/v1/parallel-ops/sumary"),
    "405": _Documented(
        "Only GET and HEAD are allowed.",
        "method_not_allowed",
        "POST is not allowed here, only GET and HEAD are",
        ("Allow",),
    ),
    "408": _Documented(
        "The request had a body, which did not come in time.",
        "body_too_slow",
        "the body did not come within 10 s",
        ("Connection",),
    ),
    "413": _Documented(
        "The request had a body of more than 64 KiB.",
        "body_too_large",
        "the body must be at most 65536 bytes long",
        ("Connection",),
    ),
    "414": _Documented(
        "The URL is longer than 8 KiB; beyond 64 KiB the answer has no body.",
        "uri_too_long",
        "the URL must be at most 8192 bytes long",
    ),
    "421": _Documented(
        "The service does not go by the name in Host.",
        "unknown_host",
        "this service does not go by that name; PARALLEL_OPS_ALLOWED_HOSTS has those that it goes by",
    ),
    "429": _Documented(
        "This caller asks too often.",
        "rate_limited",
        "too many new questions of this caller at once; try again shortly",
        ("Retry-After",),
    ),
    "503": _Documented(
        "No answer could be computed in time, and no recent one is kept.",
        "unavailable",
        "no answer could be computed in time and no recent one is kept; try again shortly",
        ("Retry-After",),
    ),
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
_FILE_NAME = {"Content-Disposition": "The file's name."}
_OPERATOR = {"X-Operator-Id": "The caller's id, when there is a caller."}


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
            "info": {"title": "parallel-ops", "version": VERSION, "description": _ABOUT},
            "servers": [{"url": "/", "description": "Where this document is served from."}],
            "tags": [{"name": name, "description": about} for name, about in TAGS.items()],
            "paths": {PREFIX + endpoint.path: {"get": _operation(endpoint)} for endpoint in ENDPOINTS},
            "components": {
                "schemas": _schemas(),
                "responses": {status: _refusal(documented) for status, documented in _REFUSALS.items()},
                "securitySchemes": {
                    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                },
            },
            # The second, empty choice: authentication may be switched off.
            "security": [{"bearer": []}, {}],
        }
    )


def _operation(endpoint: Endpoint[Any]) -> Json:
    # Texts first: clients that are made of this read all files as the first kind, and any file is a text.
    bodies = sorted(endpoint.bodies.items(), key=lambda each: each[1].media_type == JSON)
    operator = _OPERATOR if any(body.operator_in == "header" for _, body in bodies) else {}
    file_name = _FILE_NAME if any(body.file_name for _, body in bodies) else {}
    answer = {
        "description": endpoint.summary,
        "headers": _headers(_CACHING | operator | file_name),
        "content": {
            body.media_type: {"schema": _schema(body), "example": answer_of(endpoint, name, body)}
            for name, body in bodies
        },
    }
    not_modified = {
        "description": "The caller has this answer already.",
        "headers": _headers(_CACHING),
    }
    refusals = {status: {"$ref": f"#/components/responses/{status}"} for status in _REFUSALS}
    return {
        "operationId": endpoint.path.strip("/").replace("/", "_").replace("-", "_"),
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "parameters": [
            *(_parameter(each.name, each.description, each.schema) for each in endpoint.parameters.each),
            *(_WHOSE if endpoint is METRICS else ()),
        ],
        "responses": {
            "200": answer,
            "304": not_modified,
            **refusals,
            "431": {"description": _HEAD_TOO_LONG},
        },
    }


def _parameter(name: str, description: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


# Read before the endpoint is (admission.py), for who may ask depends on it.
_WHOSE = (
    _parameter(
        "tenant_id",
        "Whose figures: where each tenant has its own, the scrape token needs it. No tenant's token opens "
        "another's, and where tenants are not told apart it says nothing.",
        {"type": "string", "examples": ["acme"]},
    ),
    _parameter(
        "org_id",
        "Of which of the tenant's organisations, where each has figures of its own.",
        {"type": "string", "examples": ["design"]},
    ),
)


def _refusal(documented: _Documented) -> Json:
    detail = ErrorDetail(CODE.format(documented.code), documented.message, {})
    return {
        "description": documented.about,
        "headers": _headers(dict.fromkeys(documented.headers, "See the description.")),
        "content": {"application/json": {"schema": _ref(ErrorAnswer), "example": ErrorAnswer(detail)}},
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


def _schemas() -> Json:
    bodies = (body for endpoint in ENDPOINTS for body in endpoint.bodies.values())
    structs = [*(_answer(body) for body in bodies if body.struct is not None), ErrorAnswer]
    schemas = msgspec.json.schema_components(structs, ref_template=_SCHEMAS)[1]
    codes = [CODE.format(documented.code) for documented in _REFUSALS.values()]
    schemas[ErrorDetail.__name__]["properties"]["code"]["enum"] = codes
    return schemas


@cache
def _answer(body: Body) -> type[Struct]:
    """A body's struct as a client sees it: with the caller's id where that is its last field."""
    assert body.struct is not None  # noqa: S101 - asked for structs alone
    name = body.struct.__name__
    if body.operator_in != "body":
        about = "The same as a file; the caller is named in a header instead."
        return msgspec.defstruct(f"{name}File", [], bases=(body.struct,), namespace={"__doc__": about})
    about = "What one caller is answered; operator_id is null when authentication is off."
    fields = [("operator_id", int | None)]
    return msgspec.defstruct(f"{name}Answer", fields, bases=(body.struct,), namespace={"__doc__": about})
