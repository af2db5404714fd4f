"""The certificates by which the API server knows the witness: a CA made once, when it is installed, and short leaves.

The CA may sign for one name alone (a name constraint, RFC 5280 4.2.1.10), so whoever steals its key can be nobody else.
Its certificate stands in the webhook's configuration; leaves are signed anew by whoever holds its key, which needs no
right at the API server.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_LASTS: Final = timedelta(days=3650)
LEAF_LASTS: Final = timedelta(days=7)
CLOCKS_APART: Final = timedelta(hours=1)
"""A certificate is good from so long before it was made: the API server's clock may be behind."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes


def make_ca(host: str, now: datetime) -> Certificate:
    """A CA that can sign for one host name alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "KubeDrill witness CA")])
    usage = _usage(key_cert_sign=True)
    certificate = (
        _builder(name, name, key, now, CA_LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.NameConstraints([x509.DNSName(host)], None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return _pem(certificate, key)


def sign_leaf(ca: Certificate, host: str, now: datetime) -> Certificate:
    """A server's certificate for a host name, for `LEAF_LASTS`.

    Raises:
        ValueError: the CA's certificate or key can't be read.
    """
    issuer = x509.load_pem_x509_certificate(ca.certificate)
    signer = serialization.load_pem_private_key(ca.key, password=None)
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise ValueError("the CA's key is not one of an elliptic curve")  # noqa: TRY004  what is read, not what is passed
    key = ec.generate_private_key(ec.SECP256R1())
    # the host's name may be longer than a common name can be
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "KubeDrill witness")])
    certificate = (
        _builder(subject, issuer.subject, key, now, LEAF_LASTS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(signer, hashes.SHA256())
    )
    return _pem(certificate, key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, lasts: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCKS_APART)
        .not_valid_after(now + lasts)
    )


def _usage(*, key_cert_sign: bool = False, digital_signature: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Certificate:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Certificate(certificate.public_bytes(serialization.Encoding.PEM), private)
