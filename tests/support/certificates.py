"""Certificates that are made here, each of which vouches for itself."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HERE = x509.IPAddress(IPv4Address("127.0.0.1"))
ELSEWHERE = x509.DNSName("elsewhere.example")


def certify(certificate: Path, key: Path, name: x509.GeneralName = HERE, *, days: int = 1) -> None:
    """Write a new key and a certificate for that name, which ends so many days from now."""
    private = ec.generate_private_key(ec.SECP256R1())
    # Nobody else's, or one that is trusted would be taken for the issuer of another.
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, uuid4().hex)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=3))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    written = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key.write_bytes(written)
