"""Whose figures are asked for: a tenant of the PLM, as a token names it."""

import re

from msgspec import Struct
from parallel_ops_recorder.keys import TENANT_ID

from service.cache.keys import NO_TENANT

# Between a tenant and its organisation in keys, where no id has one.
BETWEEN = "."
_ID = re.compile(TENANT_ID)


class Forbidden(Exception):
    """Who asks is known, and may not ask here; the message is for them."""


class Tenant(Struct, frozen=True):
    """A tenant; `org` is its organisation where each has rows of its own, else ""."""

    id: str
    org: str = ""

    @property
    def tag(self) -> str:
        """What all its keys in Redis carry, and nobody else's."""
        return f"{self.id}{BETWEEN}{self.org}" if self.org else self.id

    @property
    def labels(self) -> dict[str, str]:
        """What tells its figures from those of others in Prometheus."""
        return {"tenant_id": self.id} | ({"org_id": self.org} if self.org else {})


# All that there is, where a deployment tells no tenants apart.
EVERYBODY = Tenant(NO_TENANT)


def is_id(text: object) -> bool:
    """Whether it may stand in an address or a name."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None
