"""Bearer tokens for tests: good ones, and what they are made of."""

import time
from typing import Any, TypeAlias

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

SECRET = "a secret of the PLM, long enough even for an algorithm that nobody asked for"
SCRAPE_TOKEN = "a scrape token for tests"

Private: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def claims(**changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """The claims of a good token; a change to None leaves one out."""
    good = {"sub": "7", "tenant_id": "acme", "exp": int(time.time()) + 3600}
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def token(
    payload: dict[str, Any] | None = None,
    key: str | Private | None = SECRET,
    algorithm: str | None = "HS256",
) -> str:
    """A signed token."""
    return jwt.encode(claims() if payload is None else payload, key or "", algorithm)


def bearer(text: str) -> dict[str, str]:
    """The header that carries a token."""
    return {"Authorization": f"Bearer {text}"}
