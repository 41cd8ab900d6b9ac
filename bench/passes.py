"""Passes of Apple Wallet: how many of one card are built and signed in a second, beside passkit-generator (npm)."""

import base64
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from bench.table import Ratio, Row
from infra import pass_pictures, pkpass
from infra.pass_parts import PassField, PassOffice, Told, head, localised
from infra.pass_signer import open_signer
from tests.support.authority import PASS_TYPE, TEAM, Authority, Files, authority, files
from tests.support.pass_checker import faults

_PEER: Final = "passkit-generator@3.6.1"
_SCRIPT: Final = Path(__file__).with_name("passes.mjs")
_OFFICE: Final = PassOffice("https://receipts.example.com", PASS_TYPE, TEAM, b"k" * 32)
_LINK: Final = "https://receipts.example.com/c/Zq3N0v8wT1yLr5uBk2mXeA?s=wallet"
_WORDS: Final = {
    "en": ("Title", "Head baker", "Phone", "Email", "About", "Sourdough by day, croissants by night."),
    "de": ("Position", "Bäckermeisterin", "Telefon", "E-Mail", "Über mich", "Tags Sauerteig, nachts Croissants."),
}


def rows(seconds: float) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        made = authority()
        kept = files(made, Path(folder, "apple"))
        theirs, built = _peer(made, Path(folder), seconds)
        mine, ours = _ours(kept, seconds)
        # A pass that phones refuse would be quickly built. In which form strings are written is each one's own affair.
        for name, each in (("ours", ours), ("the other's", built)):
            if wrong := [fault for fault in faults(each, root=kept.root) if not fault.startswith("the strings")]:
                raise SystemExit(f"{name} does not pass: {wrong}")
    yield Ratio("passes built and signed : passkit-generator", mine, theirs, at_least=2)


def _ours(kept: Files, seconds: float) -> tuple[float, bytes]:
    content, images, strings = _card()
    signer = open_signer(kept.settings())
    began, count, data = time.perf_counter(), 0, b""
    while time.perf_counter() - began < seconds:
        data = pkpass.build(signer, content, images, strings)
        count += 1
    return count / (time.perf_counter() - began), data


def _peer(made: Authority, folder: Path, seconds: float) -> tuple[float, bytes]:
    """From files and certificates in memory, as ours; its packages are fetched into ``folder``."""
    install = ["npm", "install", "--no-save", "--no-audit", "--no-fund", "--prefix", str(folder), _PEER]
    subprocess.run(install, check=True, capture_output=True)
    content, images, strings = _card()
    job = folder / "job.json"
    job.write_bytes(
        orjson.dumps(_job(made, content, images, strings) | {"seconds": seconds, "packages": f"{folder}/node_modules"})
    )
    done = subprocess.run(["node", str(_SCRIPT), str(job)], check=True, capture_output=True, text=True)
    told = json.loads(done.stdout)
    return float(told["rate"]), base64.b64decode(told["pass"])


def _job(
    made: Authority, content: Mapping[str, Any], images: Mapping[str, bytes], strings: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    signer = made.pass_certificate()
    held = {"pass.json": orjson.dumps(content), **images}
    certificates = {"wwdr": made.wwdr.pem(), "signerCert": signer.pem(), "signerKey": signer.key_pem()}
    return {
        "files": {name: base64.b64encode(data).decode() for name, data in held.items()},
        "certificates": {name: pem.decode() for name, pem in certificates.items()},
        "strings": strings,
    }


def _card() -> tuple[dict[str, Any], dict[str, bytes], dict[str, dict[str, str]]]:
    spoken = {language: {"secondaryFields": _fields(*words)} for language, words in _WORDS.items()}
    style, strings = localised("en", spoken)
    told = Told("crd_01k0zzzzzzzzzzzzzzzzzzzzzz", "Linden & Rye", "Emma Lind, Linden & Rye", "#1f5c47", _LINK)
    images = pass_pictures.of_brand(None, "Linden & Rye", "#1f5c47", "#ffffff")
    return head(_OFFICE, told) | {"generic": style}, images, strings


def _fields(title: str, role: str, phone: str, email: str, about: str, text: str) -> list[PassField]:
    return [
        PassField("title", title, role),
        PassField("phone", phone, "+49 30 5550 1234"),
        PassField("email", email, "emma@linden-rye.example"),
        PassField("about", about, text),
    ]
