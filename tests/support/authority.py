"""A certificate authority of the tests' own, in the shape of Apple's: a root, one for WWDR, and one for a pass type."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from infra.settings import Wallet
from kernel.clock import utc_now

TEAM: Final = "TEAM123456"
PASS_TYPE: Final = "pass.test.counterfoil"


@dataclass(frozen=True)
class Issued:
    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def key_pem(self, password: str = "") -> bytes:
        sealed: KeySerializationEncryption = NoEncryption()
        if password:
            sealed = BestAvailableEncryption(password.encode())
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed)


@dataclass(frozen=True)
class Authority:
    root: Issued
    wwdr: Issued

    def pass_certificate(
        self,
        *,
        team: str = TEAM,
        pass_type: str = PASS_TYPE,
        begins: datetime | None = None,
        ends: datetime | None = None,
    ) -> Issued:
        named = {
            NameOID.USER_ID: pass_type,
            NameOID.COMMON_NAME: f"Pass Type ID: {pass_type}",
            NameOID.ORGANIZATIONAL_UNIT_NAME: team,
            NameOID.ORGANIZATION_NAME: "Linden & Rye",
            NameOID.COUNTRY_NAME: "DE",
        }
        return issued(named, self.wwdr, begins=begins, ends=ends)

    def server(self) -> Issued:
        """For localhost."""
        names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
        return issued({NameOID.COMMON_NAME: "localhost"}, self.root, names)


def authority() -> Authority:
    root = issued({NameOID.COMMON_NAME: "Tests Root CA"}, is_authority=True)
    wwdr = issued(
        {NameOID.COMMON_NAME: "Tests Developer Relations", NameOID.ORGANIZATIONAL_UNIT_NAME: "G4"},
        root,
        is_authority=True,
    )
    return Authority(root, wwdr)


def issued(
    named: dict[x509.ObjectIdentifier, str],
    by: Issued | None = None,
    names: x509.SubjectAlternativeName | None = None,
    *,
    is_authority: bool = False,
    begins: datetime | None = None,
    ends: datetime | None = None,
) -> Issued:
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in named.items()])
    begins = begins or utc_now() - timedelta(days=1)
    builder = x509.CertificateBuilder(
        issuer_name=by.certificate.subject if by else subject,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=begins,
        not_valid_after=ends or begins + timedelta(days=400),
    ).add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    builder = builder.add_extension(_usage(is_authority), critical=True)
    if names:
        builder = builder.add_extension(names, critical=False)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    signer = by.key if by else key
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
    )
    return Issued(builder.sign(signer, SHA256()), key)


def _usage(is_authority: bool) -> x509.KeyUsage:
    others = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    signs = {"digital_signature": not is_authority, "key_cert_sign": is_authority, "crl_sign": is_authority}
    return x509.KeyUsage(**signs, **others)


@dataclass(frozen=True)
class Files:
    """As an operator has them."""

    folder: Path
    root: Path

    def settings(self, **others: Any) -> Wallet:
        return Wallet(
            apple_pass_certificate=self.folder / "pass.pem",
            apple_pass_key=self.folder / "pass.key",
            apple_wwdr_certificate=self.folder / "wwdr.cer",
            apple_team_id=TEAM,
            apple_pass_type=PASS_TYPE,
            **others,
        )


def files(made: Authority, folder: Path, certificate: Issued | None = None, *, password: str = "") -> Files:
    """The WWDR certificate lies in DER, as Apple gives it away."""
    folder.mkdir(parents=True, exist_ok=True)
    certificate = certificate or made.pass_certificate()
    (folder / "pass.pem").write_bytes(certificate.pem())
    (folder / "pass.key").write_bytes(certificate.key_pem(password))
    (folder / "wwdr.cer").write_bytes(made.wwdr.certificate.public_bytes(Encoding.DER))
    (folder / "root.pem").write_bytes(made.root.pem())
    return Files(folder, folder / "root.pem")
