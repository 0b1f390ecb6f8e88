"""The cookie in which a browser keeps the token that somebody has signed in with.

It is taken for GET alone and is sent to no other site (SameSite=Strict), so no other site can use it. A host
beside ours can set one of that name, though, but none whose name begins with __Host-, which wants HTTPS.
"""

from itertools import islice
from urllib.parse import quote, unquote_to_bytes

NAME = "parallel_ops_token"
SECURE_NAME = f"__Host-{NAME}"
# Among so many that others have set one's own is found; more take longer to look at than an answer does.
MAX_TRIED = 50


def bearers_of(cookies: bytes, *, secure: bool) -> list[bytes]:
    """The Authorization headers that a Cookie header stands for: of several, any may be one's own."""
    prefix = f"{_name(secure=secure)}=".encode()
    named = (cookie.strip() for cookie in cookies.split(b";"))
    values = (cookie[len(prefix) :] for cookie in named if cookie.startswith(prefix))
    return [b"Bearer " + unquote_to_bytes(value) for value in islice(values, MAX_TRIED)]


def set_cookie(token: str, *, secure: bool) -> str:
    """The Set-Cookie header that keeps a token until the browser is closed; "" removes it."""
    ends = "" if token else "; Max-Age=0"
    name, only = _name(secure=secure), "; Secure" if secure else ""
    return f"{name}={quote(token, safe='')}; Path=/; HttpOnly; SameSite=Strict{ends}{only}"


def _name(*, secure: bool) -> str:
    return SECURE_NAME if secure else NAME
