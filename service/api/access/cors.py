"""Which other origins' pages may read answers: none, unless the configuration names them.

Of our own, because Litestar's middleware puts `Vary: Origin` in place of the Vary that a response has, and
answers strangers' questions before anybody has looked at their token.
"""

from collections.abc import Mapping

from service.api.responses.raw import Header, RawResponse

_PREFLIGHT_SECONDS = b"600"
_ASKED = b"authorization, if-none-match, x-request-id"
_SHOWN = b"age, etag, retry-after, x-cache, x-operator-id, x-request-id"


class Cors:
    """Answers of browsers' questions on behalf of pages of these origins."""

    def __init__(self, origins: tuple[str, ...]) -> None:
        self._origins = frozenset(origin.encode() for origin in origins)

    def headers(self, asked: Mapping[bytes, bytes]) -> tuple[Header, ...]:
        """What a response gets in addition, by the request's headers."""
        vary = (b"vary", b"origin")
        origin = asked.get(b"origin")
        if origin is None or origin not in self._origins:
            return (vary,)
        return (vary, (b"access-control-allow-origin", origin), (b"access-control-expose-headers", _SHOWN))

    def preflight(self, method: str, asked: Mapping[bytes, bytes]) -> RawResponse | None:
        """The answer to a question that comes before a request, and without its token."""
        is_question = method == "OPTIONS" and b"access-control-request-method" in asked
        if not is_question or asked.get(b"origin") not in self._origins:
            return None
        return RawResponse(
            204,
            [
                (b"access-control-allow-methods", b"GET"),
                (b"access-control-allow-headers", _ASKED),
                (b"access-control-max-age", _PREFLIGHT_SECONDS),
            ],
            b"",
        )
