"""The cookie in which a browser keeps the token that somebody has signed in with.

It is taken for GET alone and is sent to no other site (SameSite=Strict), so no other site can use it.
"""

from urllib.parse import quote, unquote_to_bytes

NAME = "parallel_ops_token"
_PREFIX = f"{NAME}=".encode()


def bearer_of(cookies: bytes) -> bytes | None:
    """The Authorization header that a Cookie header stands for, if it holds a token."""
    for cookie in cookies.split(b";"):
        name_and_value = cookie.strip()
        if name_and_value.startswith(_PREFIX):
            return b"Bearer " + unquote_to_bytes(name_and_value[len(_PREFIX) :])
    return None


def set_cookie(token: str, *, secure: bool) -> str:
    """The Set-Cookie header that keeps a token until the browser is closed; "" removes it."""
    ends = "" if token else "; Max-Age=0"
    only = "; Secure" if secure else ""
    return f"{NAME}={quote(token, safe='')}; Path=/; HttpOnly; SameSite=Strict{ends}{only}"
