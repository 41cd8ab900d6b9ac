"""What decides over the bytes of a picture or a PDF beside what is on it: so kept ones end with the release."""

from functools import cache
from hashlib import sha256
from importlib.metadata import version
from typing import Final

from infra import fonts
from infra.settings import ROOT

_DECIDING: Final = ("kernel", "infra", "accounts", "locales", "templates/pdf")
_MAKERS: Final = ("weasyprint", "pillow", "babel", "factur-x")


@cache
def made_by(product: str) -> bytes:
    """Changes with our code, words and templates, the engines, and the fonts installed.

    ``product`` is the folder whose code makes it, such as ``receipts``.
    """
    digest = sha256(repr((*map(version, _MAKERS), fonts.absent())).encode())
    for folder in (*_DECIDING, product):
        for path in sorted((ROOT / folder).rglob("*.*")):
            if path.suffix in (".py", ".po", ".html", ".css"):
                digest.update(path.read_bytes())
    return digest.digest()
