"""What kinds of body an endpoint answers with."""

from collections.abc import Callable
from typing import Any, Literal

from msgspec import Struct

from service.api.responses.raw import Header

JSON = "application/json"


class Body(Struct, frozen=True):
    """A kind of body: its media type, the struct it encodes (None for text), where it names the caller.

    The name of a file may depend on what was found for it.
    """

    media_type: str
    struct: type[Struct] | None = None
    operator_in: Literal["body", "header"] | None = None
    file_name: str | Callable[[Any], str] | None = None
    disposition: Literal["attachment", "inline"] = "attachment"

    def headers(self, found: Any) -> list[Header]:  # noqa: ANN401
        """The headers that come with the body that is made of what was found."""
        kind = [(b"content-type", self.media_type.encode())]
        if self.file_name is None:
            return kind
        name = self.file_name if isinstance(self.file_name, str) else self.file_name(found)
        return [*kind, (b"content-disposition", f'{self.disposition}; filename="{name}"'.encode())]
