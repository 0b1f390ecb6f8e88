"""What kinds of body an endpoint answers with."""

from typing import Literal

from msgspec import Struct

from service.api.responses.raw import Header

JSON = "application/json"


class Body(Struct, frozen=True):
    """A kind of body: its media type, the struct it encodes (None for text), where it names the caller."""

    media_type: str
    struct: type[Struct] | None = None
    operator_in: Literal["body", "header"] | None = None
    file_name: str | None = None

    @property
    def headers(self) -> list[Header]:
        """The headers that come with it."""
        kind = [(b"content-type", self.media_type.encode())]
        if self.file_name is None:
            return kind
        return [*kind, (b"content-disposition", f'attachment; filename="{self.file_name}"'.encode())]
