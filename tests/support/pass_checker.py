"""Judges a ``.pkpass`` by Apple's rules, with openssl for its signature: what it finds wrong, in words.

https://developer.apple.com/documentation/walletpasses/pass and /building-a-pass. It shares no code with their maker.
"""

import hashlib
import io
import json
import re
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from PIL import Image

REQUIRED: Final = (
    "formatVersion",
    "passTypeIdentifier",
    "serialNumber",
    "teamIdentifier",
    "organizationName",
    "description",
)
STYLES: Final = ("boardingPass", "coupon", "eventTicket", "generic", "storeCard")
SECTIONS: Final = ("headerFields", "primaryFields", "secondaryFields", "auxiliaryFields", "backFields")
# The largest in points, and those whose sides are just so long.
PICTURES: Final = {"icon": (29, 29), "logo": (160, 50), "thumbnail": (90, 90)}
LEAST_TOKEN: Final = 16
_COLOUR: Final = re.compile(r"rgb\((\d{1,3}), ?(\d{1,3}), ?(\d{1,3})\)")
_STRING: Final = re.compile(r'"((?:[^"\\\n]|\\.)*)" = "((?:[^"\\\n]|\\.)*)";\n')
# What openssl's dumps call the attribute of signing time.
_SIGNED_AT: Final = re.compile(r"signingTime.*?UTCTIME:([A-Z][a-z]{2} +\d+ [\d:]{8} \d{4}) GMT", re.DOTALL)
_PEM: Final = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_RECENT: Final = timedelta(hours=1)


class Opened:
    def __init__(self, data: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(data)) as made:
            self.names = made.namelist()
            self.files = {name: made.read(name) for name in self.names}
        self.content: dict[str, Any] = json.loads(self.files["pass.json"])

    @property
    def style(self) -> str:
        return next(each for each in STYLES if each in self.content)

    def fields(self) -> dict[str, dict[str, Any]]:
        """All of them, by key."""
        style = self.content[self.style]
        return {field["key"]: field for section in SECTIONS for field in style.get(section, [])}

    def strings(self) -> dict[str, dict[str, str]]:
        """By language: what stands in the pass, and what is shown in its place."""
        found = {name: data for name, data in self.files.items() if name.endswith(".lproj/pass.strings")}
        return {name.partition(".lproj")[0]: dict(_strings(data)) for name, data in found.items()}


def faults(data: bytes, *, root: Path, now: datetime | None = None) -> list[str]:
    """``root`` is the certificate, in PEM, that the chain must end at."""
    try:
        opened = Opened(data)
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        return [f"cannot be opened: {error}"]
    return [
        *_files(opened),
        *_manifest(opened),
        *_signature(opened, root, now or datetime.now(UTC)),
        *_keys(opened),
        *_service(opened),
        *_code(opened),
        *_pictures(opened),
        *_languages(opened),
    ]


def _files(opened: Opened) -> Iterator[str]:
    if len(opened.names) != len(set(opened.names)):
        yield "holds a file twice"
    for needed in ("manifest.json", "signature", "icon.png", "icon@2x.png"):
        if needed not in opened.files:
            yield f"lacks {needed}"


def _manifest(opened: Opened) -> Iterator[str]:
    told = json.loads(opened.files.get("manifest.json", b"{}"))
    there = set(opened.files) - {"manifest.json", "signature"}
    if set(told) != there:
        yield f"the manifest tells of {sorted(set(told) ^ there)} and the zip does not, or the other way round"
    for name in there & set(told):
        if hashlib.sha1(opened.files[name], usedforsecurity=False).hexdigest() != told[name]:
            yield f"the hash of {name} is another"


def _signature(opened: Opened, root: Path, now: datetime) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        manifest, signature = Path(folder, "manifest"), Path(folder, "signature")
        manifest.write_bytes(opened.files.get("manifest.json", b""))
        signature.write_bytes(opened.files.get("signature", b""))
        given = ["-inform", "DER", "-in", str(signature)]
        for tool in ("smime", "cms"):
            # Without the certificate of who issued it beside it: it must be in the signature.
            verify = [tool, "-verify", *given, "-content", str(manifest), "-binary", "-purpose", "any"]
            done = _openssl(*verify, "-CAfile", str(root), "-out", str(Path(folder, "out")))
            if done.returncode:
                yield f"openssl {tool} does not accept the signature: {done.stderr.decode().splitlines()[:1]}"
        yield from _signed_at(
            _openssl("asn1parse", *given).stdout, _openssl("cms", "-cmsout", "-print", *given).stdout, now
        )
        held = _openssl("pkcs7", *given, "-print_certs").stdout.decode()
    yield from _signer(opened, [x509.load_pem_x509_certificate(each.encode()) for each in _PEM.findall(held)])


def _signed_at(parsed: bytes, printed: bytes, now: datetime) -> Iterator[str]:
    if b":signingTime" not in parsed:
        yield "does not say when it was signed"
        return
    found = _SIGNED_AT.search(printed.decode(errors="replace"))
    if found is None:
        yield "says no time as when it was signed"
    elif abs(now - datetime.strptime(found[1], "%b %d %H:%M:%S %Y").replace(tzinfo=UTC)) > _RECENT:
        yield "was signed at another time"


def _signer(opened: Opened, held: list[x509.Certificate]) -> Iterator[str]:
    oids = x509.NameOID
    signers = [each for each in held if each.subject.get_attributes_for_oid(oids.USER_ID)]
    if len(held) < 2 or len(signers) != 1:
        yield "the signature does not hold the certificate of the pass and that of who issued it"
        return
    for key, oid in (("passTypeIdentifier", oids.USER_ID), ("teamIdentifier", oids.ORGANIZATIONAL_UNIT_NAME)):
        if [each.value for each in signers[0].subject.get_attributes_for_oid(oid)] != [opened.content.get(key)]:
            yield f"{key} is not the certificate's"


def _keys(opened: Opened) -> Iterator[str]:
    content = opened.content
    for key in REQUIRED:
        if not content.get(key):
            yield f"lacks {key}"
    if content.get("formatVersion") != 1:
        yield "formatVersion is not 1"
    styles = [each for each in STYLES if each in content]
    if len(styles) != 1:
        yield "must have one style"
        return
    fields = [field for section in SECTIONS for field in content[styles[0]].get(section, [])]
    keys = [field.get("key") for field in fields]
    if len(keys) != len(set(keys)) or not all(keys):
        yield "two fields have one key, or one has none"
    if not all(field.get("value") for field in fields):
        yield "a field has no value"
    for name in ("backgroundColor", "foregroundColor", "labelColor"):
        told = _COLOUR.fullmatch(content.get(name, ""))
        if not told or max(map(int, told.groups())) > 255:
            yield f"{name} is no colour"


def _service(opened: Opened) -> Iterator[str]:
    address, token = opened.content.get("webServiceURL"), opened.content.get("authenticationToken")
    if (address is None) != (token is None):
        yield "webServiceURL and authenticationToken go together"
    if address is not None and not address.startswith("https://"):
        yield "webServiceURL is not https"
    if token is not None and len(token) < LEAST_TOKEN:
        yield f"authenticationToken has less than {LEAST_TOKEN} characters"


def _code(opened: Opened) -> Iterator[str]:
    for code in opened.content.get("barcodes", []):
        if code.get("format") != "PKBarcodeFormatQR" or code.get("messageEncoding") != "iso-8859-1":
            yield "a code is no QR code in iso-8859-1"
        if not code.get("message", "").isascii():
            yield "a code holds more than ASCII"


def _pictures(opened: Opened) -> Iterator[str]:
    for name, data in opened.files.items():
        if not name.endswith(".png"):
            continue
        kind, _, scale = name.removesuffix(".png").partition("@")
        factor = int(scale.removesuffix("x") or 1)
        most = PICTURES.get(kind)
        if most is None:
            yield f"{name} is no picture of a pass"
            continue
        with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
            picture.load()
            if picture.width > most[0] * factor or picture.height > most[1] * factor:
                yield f"{name} is larger than {most} points"
            if kind != "logo" and picture.size != (most[0] * factor, most[1] * factor):
                yield f"{name} is not just {most} points"
        if {f"{kind}.png", f"{kind}@2x.png", f"{kind}@3x.png"} - set(opened.files):
            yield f"{kind} is not there in all three sizes"


def _languages(opened: Opened) -> Iterator[str]:
    told = opened.strings()
    keys = {frozenset(words) for words in told.values()}
    if len(keys) > 1:
        yield "the languages do not tell the same"
    shown = {field[part] for field in opened.fields().values() for part in ("label", "value") if part in field}
    for language, words in told.items():
        if not words:
            yield f"the strings of {language} cannot be read"
        if set(words) - shown:
            yield f"the strings of {language} are for words that are not on the pass"


def _strings(data: bytes) -> Iterator[tuple[str, str]]:
    """The property list of old that Apple calls strings. Nothing at all where any of it is not in its form."""
    text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8")
    pairs = _STRING.findall(text)
    if _STRING.sub("", text):
        return
    for key, value in pairs:
        yield _unescaped(key), _unescaped(value)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: {"n": "\n", "r": "\r"}.get(found[1], found[1]), text)


def _openssl(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["openssl", *arguments], capture_output=True, timeout=30)
