"""The API document as clients are made of it: examples hold, instants and codes are known as such."""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from service.api import openapi
from service.api.table import TAGS
from service.overview.slo import HINT_CODES

DOCUMENT: dict[str, Any] = msgspec.json.decode(openapi.document())
OPERATIONS = {path: methods["get"] for path, methods in DOCUMENT["paths"].items()}
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT")


def contents() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every body that the document shows, with where it does."""
    for path, operation in OPERATIONS.items():
        for kind, content in operation["responses"]["200"]["content"].items():
            yield f"{path} {kind}", content
    for status, response in DOCUMENT["components"]["responses"].items():
        yield status, response["content"]["application/json"]


@pytest.mark.parametrize("content", [pytest.param(content, id=where) for where, content in contents()])
def test_every_example_is_what_the_schema_says(content: dict[str, Any]) -> None:
    schema = {**content["schema"], "components": DOCUMENT["components"]}
    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    assert [error.message for error in validator.iter_errors(content["example"])] == []


def test_every_instant_in_an_example_is_a_date_time() -> None:
    """By their names: wherever an example has an instant, each schema with that field says so."""
    shown = [leaf for _, content in contents() for leaf in leaves(content["example"])]
    named = {name for name, value in shown if isinstance(value, str) and INSTANT.match(value)}
    assert {"generated_at", "bucket_start", "created_at"} <= named
    for schema in SCHEMAS.values():
        for name in schema["properties"].keys() & named:
            assert '"format":"date-time"' in msgspec.json.encode(schema["properties"][name]).decode(), name


def leaves(value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    """The fields that are no objects, with their names."""
    if isinstance(value, list):
        for each in value:
            yield from leaves(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from leaves(each) if isinstance(each, dict | list) else [(name, each)]


def test_codes_are_listed() -> None:
    assert SCHEMAS["Hint"]["properties"]["code"]["enum"] == list(HINT_CODES)
    codes = SCHEMAS["ErrorDetail"]["properties"]["code"]["enum"]
    assert {"parallel_ops_invalid_request", "parallel_ops_unauthorized"} <= set(codes)
    refusals = [content["example"] for where, content in contents() if where.isdigit()]
    assert [each["detail"]["code"] for each in refusals] == codes


def test_names_are_names_in_any_language() -> None:
    assert all(re.fullmatch(r"[A-Z][A-Za-z]+", name) for name in SCHEMAS)
    assert all(re.fullmatch(r"[A-Z][A-Za-z]+", schema["title"]) for schema in SCHEMAS.values())
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(names)) == len(names)


def test_calls_have_tags_that_are_explained_and_a_server() -> None:
    assert [tag["name"] for tag in DOCUMENT["tags"]] == list(TAGS)
    assert {name for operation in OPERATIONS.values() for name in operation["tags"]} == set(TAGS)
    assert DOCUMENT["servers"][0]["url"] == "/"


def test_headers_are_of_the_answers_that_have_them() -> None:
    with_header = {
        name: {
            path.rpartition("/parallel-ops")[2]
            for path, operation in OPERATIONS.items()
            if name in operation["responses"]["200"]["headers"]
        }
        for name in ("X-Operator-Id", "Content-Disposition")
    }
    assert with_header == {
        "X-Operator-Id": {"/summary/export", "/trends/export", "/report", "/metrics"},
        "Content-Disposition": {"/summary/export", "/trends/export", "/report"},
    }
