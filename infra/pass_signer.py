"""The certificate that signs passes of Apple Wallet, with its key and the certificate of who issued it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from infra.settings import Wallet
from kernel.errors import Unavailable

_PEM: Final = b"-----BEGIN"
_SOON: Final = timedelta(days=30)


class PassesUnsigned(Unavailable):
    """``why`` is for who runs the service; who asked learns only that it does not work."""

    slug: ClassVar[str] = "passes-unsigned"
    title: ClassVar[str] = "Passes cannot be signed just now"

    def __init__(self, why: str) -> None:
        super().__init__("Please try again.", retry_after=60)
        self.why = why

    def __str__(self) -> str:
        return self.why


@dataclass(frozen=True, slots=True)
class PassSigner:
    certificate: x509.Certificate
    key: RSAPrivateKey
    # Of Apple's Worldwide Developer Relations, which issued the certificate.
    wwdr: x509.Certificate


def open_signer(wallet: Wallet) -> PassSigner:
    """What the settings name. Raises :class:`PassesUnsigned` where a file cannot be read."""
    assert wallet.apple_pass_certificate
    assert wallet.apple_wwdr_certificate
    return PassSigner(
        # In PEM only: the connection to Apple's push service takes it from the same file.
        _certificate("COUNTERFOIL_APPLE_PASS_CERTIFICATE", wallet.apple_pass_certificate, is_der_taken=False),
        _key(wallet),
        _certificate("COUNTERFOIL_APPLE_WWDR_CERTIFICATE", wallet.apple_wwdr_certificate),
    )


def faults(signer: PassSigner, wallet: Wallet, *, now: datetime) -> list[str]:
    """Why phones would refuse what it signs; empty where they would not."""
    certificate = signer.certificate
    checks = {
        "the key is not that of the certificate": _public(certificate) == _public(signer.key),
        "the certificate was not issued by the WWDR certificate that is set": _is_issued(signer),
        f"the certificate is not of team {wallet.apple_team_id}": wallet.apple_team_id in teams(certificate),
        f"the certificate is not for {wallet.apple_pass_type}": wallet.apple_pass_type in pass_types(certificate),
        "the certificate has expired": now < certificate.not_valid_after_utc,
        "the certificate is not valid yet": now >= certificate.not_valid_before_utc,
        "the WWDR certificate has expired": now < signer.wwdr.not_valid_after_utc,
    }
    return [fault for fault, is_right in checks.items() if not is_right]


def expires_soon(signer: PassSigner, *, now: datetime) -> bool:
    return now > min(signer.certificate.not_valid_after_utc, signer.wwdr.not_valid_after_utc) - _SOON


def teams(certificate: x509.Certificate) -> list[str]:
    return _named(certificate, NameOID.ORGANIZATIONAL_UNIT_NAME)


def pass_types(certificate: x509.Certificate) -> list[str]:
    return _named(certificate, NameOID.USER_ID)


def _named(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> list[str]:
    return [str(each.value) for each in certificate.subject.get_attributes_for_oid(oid)]


def _is_issued(signer: PassSigner) -> bool:
    try:
        signer.certificate.verify_directly_issued_by(signer.wwdr)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _public(owner: x509.Certificate | RSAPrivateKey) -> bytes:
    return owner.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _certificate(setting: str, path: Path, *, is_der_taken: bool = True) -> x509.Certificate:
    """In PEM, or in DER as Apple gives it away."""
    data = _read(setting, path)
    load = x509.load_der_x509_certificate if is_der_taken and _PEM not in data else x509.load_pem_x509_certificate
    try:
        return load(data)
    except ValueError:
        raise PassesUnsigned(f"{setting}: {path} holds no certificate{'' if is_der_taken else ' in PEM'}") from None


def _key(wallet: Wallet) -> RSAPrivateKey:
    path, password = wallet.apple_pass_key, wallet.apple_pass_key_password
    assert path
    data = _read("COUNTERFOIL_APPLE_PASS_KEY", path)
    try:
        key = load_pem_private_key(data, password.get_secret_value().encode() if password else None)
    except (ValueError, TypeError):
        # A password where none is needed is a TypeError, and so is none where one is.
        raise PassesUnsigned(f"COUNTERFOIL_APPLE_PASS_KEY: {path} holds no PEM key that this password opens") from None
    if not isinstance(key, RSAPrivateKey):
        raise PassesUnsigned(f"COUNTERFOIL_APPLE_PASS_KEY: {path} holds no RSA key, which Apple's certificates need")
    return key


def _read(setting: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PassesUnsigned(f"{setting}: {path} cannot be read ({error.strerror})") from None
