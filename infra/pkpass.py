"""Apple's ``.pkpass``: a zip with ``pass.json``, pictures and strings, a manifest of their hashes, and its signature.

https://developer.apple.com/documentation/walletpasses/building-a-pass
"""

from collections.abc import Mapping
from hashlib import sha1
from io import BytesIO
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import orjson
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder

from infra.pass_signer import PassSigner

MEDIA_TYPE: Final = "application/vnd.apple.pkpass"
# Binary: else a line break in the manifest would be signed as CR LF, which is not what is in the file.
_OPTIONS: Final = (PKCS7Options.DetachedSignature, PKCS7Options.Binary)
# The earliest that a zip can tell: the same pass gives the same bytes, but for the time of the signature.
_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)
_READABLE: Final = 0o644 << 16

# By language, such as "de": what stands in pass.json, and what is shown in its place.
Strings = Mapping[str, Mapping[str, str]]


def build(
    signer: PassSigner, content: Mapping[str, Any], images: Mapping[str, bytes], strings: Strings | None = None
) -> bytes:
    """``images`` are PNG files by their names, such as ``icon@2x.png``. Takes about a millisecond."""
    files = {"pass.json": orjson.dumps(content), **images}
    files |= {f"{language}.lproj/pass.strings": _strings(words) for language, words in (strings or {}).items()}
    # SHA-1 is the format's own; what is trusted is the signature over it.
    manifest = orjson.dumps({name: sha1(data, usedforsecurity=False).hexdigest() for name, data in files.items()})
    return _zipped(files | {"manifest.json": manifest, "signature": _signature(signer, manifest)})


def _signature(signer: PassSigner, manifest: bytes) -> bytes:
    """PKCS #7 in DER, with the certificates of the pass and of who issued it, and the time of signing."""
    builder = PKCS7SignatureBuilder().set_data(manifest)
    builder = builder.add_signer(signer.certificate, signer.key, SHA256()).add_certificate(signer.wwdr)
    return builder.sign(Encoding.DER, _OPTIONS)


def _strings(words: Mapping[str, str]) -> bytes:
    """In UTF-16 with its mark, which every version of Wallet reads."""
    lines = (f'"{_escaped(key)}" = "{_escaped(text)}";\n' for key, text in words.items())
    return "".join(lines).encode("utf-16")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")


def _zipped(files: Mapping[str, bytes]) -> bytes:
    out = BytesIO()
    with ZipFile(out, "w") as made:
        for name, data in files.items():
            entry = ZipInfo(name, _NO_TIME)
            entry.external_attr = _READABLE
            # Pictures and the signature are as small as they get.
            packed = name.endswith((".json", ".strings"))
            made.writestr(entry, data, ZIP_DEFLATED if packed else ZIP_STORED)
    return out.getvalue()
