"""Who may ask: the PLM's bearer tokens (JWT), and a scrape token for the metrics."""

import time
from collections.abc import Callable
from hashlib import blake2b
from hmac import compare_digest
from typing import Any

from msgspec import Struct

from service.api.responses.errors import Unauthorized
from service.tenants.tenancy import Tenancy
from service.tenants.tenant import Forbidden, Tenant

MAX_TOKEN_BYTES = 8 * 1024
MIN_RSA_BITS = 2048
REMEMBERED = 4096
# Ids are 64-bit integers in the PLM's database.
MAX_OPERATOR_ID = 2**63 - 1
_MISSING = "a bearer token is required"
_BAD = "the bearer token is not valid"


class Keys(Struct, frozen=True):
    """What tokens are verified with: a secret (bytes) or a public key, for one algorithm alone."""

    key: Any
    algorithm: str
    leeway_seconds: float


def public_key(pem: str, leeway_seconds: float) -> Keys:
    """Verify with the RSA or P-256 public key in this PEM text. Raises ValueError for anything else."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    try:
        key = load_pem_public_key(pem.encode())
    except Exception:  # noqa: BLE001 - the library has no one exception for what it cannot read
        raise ValueError("is not a public key in PEM format") from None
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= MIN_RSA_BITS:
        return Keys(key, "RS256", leeway_seconds)
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return Keys(key, "ES256", leeway_seconds)
    raise ValueError(f"must be an RSA key of at least {MIN_RSA_BITS} bits (RS256) or a P-256 key (ES256)")


class Caller(Struct, frozen=True):
    """Who asks: the operator's id, None for who scrapes or while authentication is off; and whose figures
    they may have, None where they are nobody's.
    """

    operator_id: int | None
    tenant: Tenant | None


class _Verified(Struct, frozen=True):
    """What a good token says; of one that is refused all the same, why."""

    caller: Caller
    until: float
    refusal: str | None = None


class TokenVerifier:
    """Verifies tokens, and remembers those that are good until they expire.

    What is remembered is found by a digest: no token is kept. Bad tokens are not remembered.
    """

    def __init__(self, keys: Keys, tenancy: Tenancy, clock: Callable[[], float] = time.time) -> None:
        import jwt  # noqa: PLC0415 - brings cryptography along, which nobody else needs

        self._jwt = jwt
        self._keys = keys
        self._tenancy = tenancy
        self._clock = clock
        self._good: dict[bytes, _Verified] = {}

    def caller_of(self, token: bytes) -> Caller:
        """Who shows the token. Raises Unauthorized, or Forbidden for a tenant that has no place here."""
        digest = blake2b(token, digest_size=16).digest()
        verified = self._good.get(digest)
        if verified is None or self._clock() >= verified.until:
            self._good.pop(digest, None)
            verified = self._verify(token)
            if len(self._good) >= REMEMBERED:
                del self._good[next(iter(self._good))]
            self._good[digest] = verified
        if verified.refusal is not None:
            raise Forbidden(verified.refusal)
        return verified.caller

    def _verify(self, token: bytes) -> _Verified:
        try:
            claims = self._jwt.decode(
                token,
                self._keys.key,
                algorithms=[self._keys.algorithm],
                leeway=self._keys.leeway_seconds,
                # A subject that is a JSON integer is taken as well; it is looked at below.
                options={"require": ["exp", "sub", "tenant_id"], "verify_sub": False},
            )
            return self._verified(_operator_id(claims["sub"]), claims)
        except self._jwt.ExpiredSignatureError:
            raise Unauthorized("the bearer token has expired") from None
        except Exception:  # noqa: BLE001 - the input is hostile: however it fails, it is no good token
            raise Unauthorized(_BAD) from None

    def _verified(self, operator_id: int, claims: dict[str, Any]) -> _Verified:
        until = int(claims["exp"]) + self._keys.leeway_seconds
        try:
            tenant = self._tenancy.admit(claims["tenant_id"], claims.get("org_id"))
        except Forbidden as reason:
            return _Verified(Caller(operator_id, None), until, str(reason))
        return _Verified(Caller(operator_id, tenant), until)


class Authenticator:
    """Tells who asks, or raises Unauthorized. Without a `verifier` everybody may, and nobody is known."""

    def __init__(self, verifier: TokenVerifier | None, scrape_token: str | None, tenancy: Tenancy) -> None:
        self.tenancy = tenancy
        self._anybody = Caller(None, tenancy.only)
        self._verifier = verifier
        self._scrape_token = scrape_token.encode() if scrape_token else None

    @property
    def is_off(self) -> bool:
        """Whether everybody may ask."""
        return self._verifier is None

    def caller_of(self, authorization: bytes | None, *, scraping: bool) -> Caller:
        """Who asks. Raises Unauthorized and Forbidden.

        `authorization` is the header's value; `scraping` says whether the scrape token opens this path.
        """
        if self._verifier is None:
            return self._anybody
        if not authorization or authorization[:7].lower() != b"bearer ":
            raise Unauthorized(_MISSING)
        if len(authorization) > MAX_TOKEN_BYTES:
            raise Unauthorized(_BAD)
        if scraping and self.is_scraper(authorization):
            return self._anybody
        return self._verifier.caller_of(authorization[7:].strip())

    def is_scraper(self, authorization: bytes | None) -> bool:
        """Whether the header holds the scrape token."""
        token = (authorization or b"")[7:].strip()
        return self._scrape_token is not None and compare_digest(token, self._scrape_token)


def is_bearer(authorization: bytes) -> bool:
    """Whether the header's value is of the scheme that tokens come with, whatever it holds."""
    return authorization.partition(b" ")[0].lower() == b"bearer"


def _operator_id(subject: object) -> int:
    """The integer that a subject is, as a JSON integer or as a string of ASCII digits."""
    if isinstance(subject, str) and subject.isascii() and subject.isdigit() and len(subject) <= 19:
        subject = int(subject)
    if type(subject) is int and 0 <= subject <= MAX_OPERATOR_ID:  # a bool is an int, too
        return subject
    raise Unauthorized(_BAD)
