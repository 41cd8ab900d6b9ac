"""A signed pass is what Apple takes; and the checker that says so finds each thing that could be wrong with one."""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder
from hypothesis import given
from hypothesis import strategies as st

from infra import pass_pictures, pkpass
from infra.pass_parts import PassField, PassOffice, Told, head, localised
from infra.pass_signer import PassSigner, open_signer
from tests.support.authority import PASS_TYPE, TEAM, Authority, Files, authority, files
from tests.support.pass_checker import Opened, faults

OFFICE: Final = PassOffice("https://receipts.test", PASS_TYPE, TEAM, b"k" * 32)
TOLD: Final = Told("crd_01", "Linden & Rye", "Emma", "#1f5c47", "https://receipts.test/c/abc?s=wallet")
IMAGES: Final = pass_pictures.of_brand(None, "Linden & Rye", "#1f5c47", "#ffffff")
ENGLISH: Final = {"primaryFields": [PassField("name", "Name", "Emma")]}
GERMAN: Final = {"primaryFields": [PassField("name", "Wer", "Ümma")]}


@pytest.fixture(scope="module")
def made() -> Authority:
    return authority()


@pytest.fixture(scope="module")
def kept(made: Authority, tmp_path_factory: pytest.TempPathFactory) -> Files:
    return files(made, tmp_path_factory.mktemp("apple"))


@pytest.fixture(scope="module")
def signer(kept: Files) -> PassSigner:
    return open_signer(kept.settings())


def content(**changes: Any) -> dict[str, Any]:
    style, _ = localised("en", {"en": ENGLISH, "de": GERMAN})
    told = head(OFFICE, TOLD) | {"generic": style} | changes
    return {name: value for name, value in told.items() if value is not None}


def signed(signer: PassSigner, images: dict[str, bytes] = IMAGES, **changes: Any) -> bytes:
    _, strings = localised("en", {"en": ENGLISH, "de": GERMAN})
    return pkpass.build(signer, content(**changes), images, strings)


def test_a_pass_passes(signer: PassSigner, kept: Files) -> None:
    assert faults(signed(signer), root=kept.root) == []


def test_the_same_pass_gives_the_same_bytes_but_for_its_signature(signer: PassSigner) -> None:
    ours, others = (Opened(signed(signer)) for _ in range(2))
    assert ours.names == others.names
    unlike = {name for name in ours.names if ours.files[name] != others.files[name]}
    assert unlike <= {"signature"}


def rezipped(data: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    held = Opened(data).files
    change(held)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, each in held.items():
            made.writestr(name, each)
    return out.getvalue()


def test_a_pass_that_was_changed_is_found(signer: PassSigner, kept: Files) -> None:
    def forge(held: dict[str, bytes]) -> None:
        held["pass.json"] = held["pass.json"].replace(b"Linden", b"Maples")

    assert faults(rezipped(signed(signer), forge), root=kept.root) == ["the hash of pass.json is another"]


def test_a_pass_whose_manifest_was_changed_with_it_is_found(signer: PassSigner, kept: Files) -> None:
    def forge(held: dict[str, bytes]) -> None:
        told = json.loads(held["manifest.json"])
        del held["logo.png"], held["logo@2x.png"], held["logo@3x.png"]
        names = [name for name in told if not name.startswith("logo")]
        held["manifest.json"] = json.dumps({name: told[name] for name in names}).encode()

    found = faults(rezipped(signed(signer), forge), root=kept.root)
    assert [each.partition(" does not")[0] for each in found] == ["openssl smime", "openssl cms"]


def test_a_pass_with_a_file_that_the_manifest_does_not_know_is_found(signer: PassSigner, kept: Files) -> None:
    def forge(held: dict[str, bytes]) -> None:
        held["strip.txt"] = b"more"

    assert len(faults(rezipped(signed(signer), forge), root=kept.root)) == 1


def resigned(data: bytes, signer: PassSigner, *options: PKCS7Options, wwdr: bool = True) -> bytes:
    def sign(held: dict[str, bytes]) -> None:
        builder = PKCS7SignatureBuilder().set_data(held["manifest.json"])
        builder = builder.add_signer(signer.certificate, signer.key, SHA256())
        builder = builder.add_certificate(signer.wwdr) if wwdr else builder
        held["signature"] = builder.sign(Encoding.DER, options)

    return rezipped(data, sign)


BOTH: Final = (PKCS7Options.DetachedSignature, PKCS7Options.Binary)


def test_a_signature_without_its_time_is_found(signer: PassSigner, kept: Files) -> None:
    data = resigned(signed(signer), signer, *BOTH, PKCS7Options.NoAttributes)
    assert faults(data, root=kept.root) == ["does not say when it was signed"]


def test_a_signature_of_another_time_is_found(signer: PassSigner, kept: Files) -> None:
    later = datetime.now(UTC) + timedelta(days=2)
    assert faults(signed(signer), root=kept.root, now=later) == ["was signed at another time"]


def test_a_signature_without_the_certificate_of_who_issued_it_is_found(signer: PassSigner, kept: Files) -> None:
    found = faults(resigned(signed(signer), signer, *BOTH, wwdr=False), root=kept.root)
    assert "the signature does not hold the certificate of the pass and that of who issued it" in found


def test_a_signature_by_somebody_elses_authority_is_found(signer: PassSigner, made: Authority, tmp_path: Path) -> None:
    others = files(authority(), tmp_path)
    found = faults(signed(signer), root=others.root)
    assert [each.partition(" does not")[0] for each in found] == ["openssl smime", "openssl cms"]


def test_a_pass_of_another_team_than_its_certificate_is_found(signer: PassSigner, kept: Files) -> None:
    found = faults(signed(signer, teamIdentifier="OTHER12345", passTypeIdentifier="pass.other"), root=kept.root)
    assert found == ["passTypeIdentifier is not the certificate's", "teamIdentifier is not the certificate's"]


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"organizationName": None}, "lacks organizationName"),
        ({"serialNumber": ""}, "lacks serialNumber"),
        ({"formatVersion": 2}, "formatVersion is not 1"),
        ({"coupon": {}}, "must have one style"),
        ({"webServiceURL": "http://receipts.test"}, "webServiceURL is not https"),
        ({"authenticationToken": "short"}, "authenticationToken has less than 16 characters"),
        ({"authenticationToken": None}, "webServiceURL and authenticationToken go together"),
        ({"backgroundColor": "#1f5c47"}, "backgroundColor is no colour"),
        ({"barcodes": [{"format": "PKBarcodeFormatQR", "message": "a"}]}, "a code is no QR code in iso-8859-1"),
    ],
)
def test_a_pass_that_does_not_keep_a_rule_is_found(
    signer: PassSigner, kept: Files, changes: dict[str, Any], said: str
) -> None:
    assert said in faults(signed(signer, **changes), root=kept.root)


def test_pictures_that_are_missing_or_too_large_are_found(signer: PassSigner, kept: Files) -> None:
    images = {name: data for name, data in IMAGES.items() if name != "icon@3x.png"}
    images["icon.png"] = IMAGES["icon@3x.png"]
    found = faults(signed(signer, images), root=kept.root)
    assert "icon is not there in all three sizes" in found
    assert "icon.png is larger than (29, 29) points" in found


def test_what_is_no_pass_is_found(kept: Files) -> None:
    assert faults(b"PK nothing", root=kept.root)[0].startswith("cannot be opened")


def test_signed_without_binary_a_manifest_with_line_breaks_does_not_verify(signer: PassSigner, kept: Files) -> None:
    """Why the option is there: the same pass, signed without it, fails once the manifest holds a line break."""

    def broken(held: dict[str, bytes]) -> None:
        held["manifest.json"] = held["manifest.json"].replace(b",", b",\n")

    data = rezipped(signed(signer), broken)
    assert faults(resigned(data, signer, *BOTH), root=kept.root) == []
    with_text = resigned(data, signer, PKCS7Options.DetachedSignature)
    assert len(faults(with_text, root=kept.root)) == 2


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60), st.text(st.characters(exclude_categories=["Cs"]))
)
def test_strings_are_read_back_as_they_were(key: str, text: str) -> None:
    data = pkpass._strings({key: text})
    held = Opened(_zip({"pass.json": b"{}", "de.lproj/pass.strings": data}))
    assert held.strings() == {"de": {key: text}}


def _zip(held: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, data in held.items():
            made.writestr(name, data)
    return out.getvalue()


def test_quotes_backslashes_and_line_breaks_are_escaped_in_strings() -> None:
    data = pkpass._strings({'say "hi"': "back\\slash\nline"}).decode("utf-16")
    assert data == '"say \\"hi\\"" = "back\\\\slash\\nline";\n'


def test_two_equal_words_keep_their_own_translations() -> None:
    english = {"secondaryFields": [PassField("a", "Title", "Lead"), PassField("b", "Team", "Lead")]}
    german = {"secondaryFields": [PassField("a", "Titel", "Leitung"), PassField("b", "Team", "Blei")]}
    style, strings = localised("en", {"en": english, "de": german})
    shown = [field["value"] for field in style["secondaryFields"]]
    assert [each.strip() for each in shown] == ["Lead", "Lead"]
    assert [strings["de"][each] for each in shown] == ["Leitung", "Blei"]


def test_a_service_that_is_not_https_has_no_web_service() -> None:
    told = head(replace(OFFICE, base_url="http://127.0.0.1:8000"), TOLD)
    assert not {"webServiceURL", "authenticationToken"} & set(told)


def test_tokens_are_made_of_the_key_and_the_serial_number() -> None:
    assert len(OFFICE.token("crd_01")) == 64
    assert len({OFFICE.token("crd_01"), OFFICE.token("crd_02"), replace(OFFICE, key=b"x" * 32).token("crd_01")}) == 3


def test_a_brand_whose_letter_the_font_lacks_gets_a_slip(signer: PassSigner, kept: Files) -> None:
    images = pass_pictures.of_brand(None, "مخبز", "#1f5c47", "#ffffff")
    assert faults(signed(signer, images), root=kept.root) == []
