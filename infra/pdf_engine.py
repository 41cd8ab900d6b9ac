"""WeasyPrint, bound to our needs. It reaches into the pinned version at three places, each marked with "private".

What is costly and the same for many slips is kept: fonts by their scripts, stylesheets by their text.
"""

import mimetypes
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import cssselect2  # type: ignore[import-untyped]
import pydyf  # type: ignore[import-untyped]
import weasyprint.draw
from weasyprint import CSS, HTML, Document
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcherResponse

from infra import pdf_archive
from infra.fonts import FontFace, faces_for, is_seen, name_of, scripts_of
from infra.pdf_child import Job

_BASE: Final = "https://counterfoil.invalid/"
_PAGES: Final = {
    # 5080 mm are the 14,400 points that a PDF page may have; 72 of the 80 mm are what a receipt printer reaches.
    "roll": "@page { size: 80mm 5080mm; margin: 4mm }",
    "a4": "@page { size: A4; margin: 18mm 20mm }",
    # Marks stand in what is left of the 8 mm beyond the art.
    "card": "@page { size: 85mm 55mm; margin: 0; bleed: 8mm; marks: crop cross }",
    "sheet": "@page { size: A4; margin: 0 }",
}
_BLEED: Final = 3 * 72 / 25.4  # points over the edge that a printer wants of what is to reach it
_REORDERED: Final = re.compile("[\u0900-\u1cff\ua800-\uabff]")
_OWN_STYLE: Final = CSS(filename=Path(__file__).with_name("pdf_base.css"))


@dataclass(frozen=True, slots=True)
class Rendered:
    """A PDF, the names of the scripts that no font has a letter of it in, and how many URLs were not served."""

    pdf: bytes
    missing: tuple[str, ...]
    refused: int


class Engine:
    """Renders jobs one after the other, with fonts kept in one folder and static files taken from another."""

    def __init__(self, fonts: Path, static: Path) -> None:
        self._fonts = fonts
        self._static = static

    def render(self, job: Job) -> Rendered:
        """Raises ValueError where the document has no language or title, which PDF/UA asks for."""
        served = _Served(job.files, self._static)
        configuration, families = _fonts(faces_for(scripts_of(job.html), self._fonts))
        # PDF/UA and PDF/A go together: what the first asks for beside its name is what every document has.
        variant = "pdf/a-3b" if job.xmp else "pdf/ua-1"
        styles = [families, _sheet(_PAGES[job.page]), _sheet(job.css)]
        document = _Slip(job.html, served).render(
            font_config=configuration, stylesheets=styles, pdf_variant=variant, pdf_tags=True
        )
        if not (document.metadata.title and document.metadata.lang):
            raise ValueError("A PDF needs <html lang> and <title>.")
        if job.page == "roll":
            _cut_to_content(document)
        if job.xmp:
            pdf_archive.describe(document, job.xmp)
        pdf = document.write_pdf(
            pdf_variant=variant,
            pdf_tags=True,
            attachments=pdf_archive.attached(job.attachments),
            finisher=lambda _, written: _finish(job, written),
        )
        return Rendered(pdf, tuple(sorted({name_of(letter) for letter in _squares(document)})), served.refused)


def _finish(job: Job, pdf: Any) -> None:
    pdf_archive.relate(job.attachments, pdf)
    if job.page != "card":
        return
    for page in (each for each in pdf.objects if isinstance(each, dict) and each.get("Type") == "/Page"):
        left, top, right, bottom = page["TrimBox"]
        # WeasyPrint says 10 points whatever the art does.
        page["BleedBox"] = pydyf.Array([left - _BLEED, top - _BLEED, right + _BLEED, bottom + _BLEED])


class _Slip(HTML):  # type: ignore[misc]  # the library carries no types
    """A document under our own small base stylesheet; well-formed XML is parsed ten times as fast as HTML."""

    def __init__(self, html: str, served: "_Served") -> None:
        try:
            root = ET.fromstring(html)  # noqa: S314 - our own template, and expat as of 2.4.1 stops expanding entities
        except ET.ParseError:
            super().__init__(string=html, base_url=_BASE, url_fetcher=served)
            return
        self.base_url = _BASE
        self.url_fetcher = served
        self.media_type = "print"
        self.wrapper_element = cssselect2.ElementWrapper.from_html_root(root, content_language=None)
        self.etree_element = self.wrapper_element.etree_element

    def _ua_stylesheets(self, forms: bool = False) -> list[Any]:  # private
        return [_OWN_STYLE]


class _Served:
    """A ``url_fetcher`` without a network: files that came with the job, then our own static files, then a refusal."""

    _fail_on_errors = False

    def __init__(self, files: Mapping[str, bytes], static: Path) -> None:
        self._files = files
        self._static = static
        self.refused = 0

    def __call__(self, url: str) -> URLFetcherResponse:
        data = self._find(unquote(urlsplit(url).path).lstrip("/")) if url.startswith(_BASE) else None
        if data is None:
            self.refused += 1
            raise ValueError("not served")
        kind = mimetypes.guess_type(url)[0] or "application/octet-stream"
        return URLFetcherResponse(url, data, {"Content-Type": kind})

    def _find(self, name: str) -> bytes | None:
        if name in self._files:
            return self._files[name]
        path = (self._static / name.removeprefix("static/")).resolve()
        if name.startswith("static/") and path.is_relative_to(self._static.resolve()) and path.is_file():
            return path.read_bytes()
        return None


@lru_cache(maxsize=16)
def _fonts(faces: tuple[FontFace, ...]) -> tuple[Any, Any]:
    """WeasyPrint's font configuration with these faces, and the style that asks for them in their order."""
    rules = [
        f'@font-face {{ font-family: "{face.family}"; font-weight: {face.weight}; src: url("{face.path.name}") }}'
        for face in faces
    ]
    families = ", ".join(f'"{family}"' for family in dict.fromkeys(face.family for face in faces))
    rules.append(f"html {{ font-family: {families + ', ' if families else ''}sans-serif }}")
    configuration = FontConfiguration()
    served = _Served({face.path.name: face.path.read_bytes() for face in faces}, Path())
    style = CSS(string="\n".join(rules), font_config=configuration, base_url=_BASE, url_fetcher=served)
    return configuration, style


@lru_cache(maxsize=64)
def _sheet(css: str) -> Any:
    return CSS(string=css, base_url=_BASE, url_fetcher=_Served({}, Path()))


def _squares(document: Document) -> set[str]:
    """What was drawn as a square: letters that no font has, and such as Pango gave to a font without them (glyph 0)."""
    unknown = {chr(point) for font in document.fonts.values() for point in font.missing}  # private
    unshown = {letter for font in document.fonts.values() for letter in font.to_unicode.get(0, "")}
    return {letter for letter in unknown if is_seen(letter)} | unshown


def _cut_to_content(document: Document) -> None:
    """Make each page as high as what stands on it."""
    for page in document.pages:
        box = page._page_box  # private
        content = box.children[0]
        bottom = content.position_y + content.margin_height() + box.margin_bottom
        box.height -= page.height - bottom
        page.height = box.margin_height()


_draw_text = weasyprint.draw.draw_text  # private


def _draw_readable_text(stream: Any, textbox: Any, *rest: Any) -> None:
    """Say beside letters that are drawn in another order than they are read what they are (ISO 32000-1, 14.9.4)."""
    if not _REORDERED.search(textbox.text):
        _draw_text(stream, textbox, *rest)
        return
    stream.begin_marked_content("Span", pydyf.Dictionary({"ActualText": pydyf.String(textbox.text)}))
    _draw_text(stream, textbox, *rest)
    stream.end_marked_content()


weasyprint.draw.draw_text = _draw_readable_text
