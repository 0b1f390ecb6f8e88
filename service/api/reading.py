"""What is only read answers GET, and HEAD as GET without its body; RequestContext leaves that out."""

from functools import partial

from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler

METHODS = ("GET", "HEAD")

readable = partial(HTTPRouteHandler, http_method=[HttpMethod(method) for method in METHODS])
