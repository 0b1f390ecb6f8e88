"""Small pages that say one thing: notices and the sign-in form. Nobody may keep them."""

from typing import Any

from service.api.context import RequestContext
from service.api.responses.raw import RawResponse
from service.dashboard.html import HEADERS, HTML, language_of
from service.dashboard.pages import render
from service.dashboard.view import dress_of


def small_page(
    context: RequestContext,
    template: str,
    status: int,
    query: bytes | None = None,
    **values: Any,  # noqa: ANN401
) -> RawResponse:
    """A page in the language and theme of a board's query string, which is the request's own if not given.

    `values` are the template's; `headers` among them are the response's own.
    """
    dress = dress_of(context.query_string if query is None else query)
    own: dict[str, str] = values.pop("headers", {})
    body = render(template, dress.lang or language_of(context), dress, **values)
    fixed = {"content-type": f"{HTML}; charset=utf-8", "content-length": str(len(body))}
    headers = HEADERS | {"cache-control": "no-store"} | own | fixed
    return RawResponse(status, [(name.encode(), value.encode()) for name, value in headers.items()], body)
