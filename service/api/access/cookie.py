"""The cookie in which a browser keeps the token that somebody has signed in with.

It is taken for GET alone and is sent to no other site (SameSite=Strict), so no other site can use it. A host
beside ours can set one of that name, though, but none whose name begins with __Host-, which wants HTTPS.
"""

import re
from itertools import islice
from urllib.parse import quote, unquote_to_bytes

NAME = "parallel_ops_token"
SECURE_NAME = f"__Host-{NAME}"
# Among so many that others have set one's own is found; more take longer to look at than an answer does.
MAX_TRIED = 50
# Not split: thousands of other cookies cost nothing so.
_VALUES = {name: re.compile(rf"(?:^|;)\s*{name}=([^;]*)".encode()) for name in (NAME, SECURE_NAME)}


def bearers_of(cookies: bytes, *, secure: bool) -> list[bytes]:
    """The Authorization headers that a Cookie header stands for: of several, any may be one's own."""
    found = islice(_VALUES[_name(secure=secure)].finditer(cookies), MAX_TRIED)
    return [b"Bearer " + unquote_to_bytes(each[1].strip()) for each in found]


def set_cookie(token: str, *, secure: bool) -> str:
    """The Set-Cookie header that keeps a token until the browser is closed; "" removes it."""
    ends = "" if token else "; Max-Age=0"
    name, only = _name(secure=secure), "; Secure" if secure else ""
    return f"{name}={quote(token, safe='')}; Path=/; HttpOnly; SameSite=Strict{ends}{only}"


def _name(*, secure: bool) -> str:
    return SECURE_NAME if secure else NAME
