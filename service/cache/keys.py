"""Readable cache keys that no value can break out of."""

import re
from functools import lru_cache
from hashlib import blake2b
from urllib.parse import quote

# In a tenant's place, where there are none.
NO_TENANT = "-"
VERSION = "v1"
MAX_VALUE_LENGTH = 80
DIGEST_BYTES = 16
# Some 2 MB at most; a page of the board has eleven keys.
MOST_KEYS = 4096
_VALUE = re.compile("=[^:]*")


def tagged(name: str, tenant: str) -> str:
    """`parallel-ops:{acme}:NAME`, as all our keys in Redis are.

    What stands in braces is a key's hash tag: in a cluster, all keys of a tenant are in one slot.
    """
    return f"parallel-ops:{{{tenant}}}:{name}"


@lru_cache(MOST_KEYS, typed=True)
def cache_key(tenant: str, name: str, **values: object) -> str:
    """`parallel-ops:{acme}:v1:doc_sync:window_days=7:site_id=SH-01`; what is None is left out.

    Values are percent-encoded, so they hold no separator. A long one is cut and told from others
    by its digest behind a `#`, which percent-encoding never leaves in a value. At most some 300 bytes.
    """
    given = (f"{field}={_bounded(str(value))}" for field, value in values.items() if value is not None)
    return ":".join((tagged(VERSION, tenant), name, *given))


def pattern_of(key: str) -> str:
    """What logs say of a key, for what callers ask for is in its values: a pattern that finds it in Redis."""
    return _VALUE.sub("=*", key)


def _bounded(value: str) -> str:
    quoted = quote(value, safe="")
    if len(quoted) <= MAX_VALUE_LENGTH:
        return quoted
    digest = blake2b(value.encode(), digest_size=DIGEST_BYTES).hexdigest()
    return f"{quoted[:MAX_VALUE_LENGTH]}#{digest}"
