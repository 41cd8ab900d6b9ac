"""PDF from HTML, in child processes that may be killed: a slip that hangs costs one process, not the service.

What makes a page quick (measured on the slip of ``bench/pdf.py``; the naive way takes about 85 ms):

- Leave fonts to this module, which takes small ones for just the scripts that occur: no ``font-family``.
- Put the style into ``css``, not into the page: it is parsed once for all slips that share it. Set what is the brand's
  own (a colour) there too, so that a brand has one stylesheet, not one a receipt.
- Write well-formed XML: ``<!DOCTYPE html>``, closed tags, quoted attributes, ``&#160;`` and no named entities.
- Fewer boxes: a table row a line, no wrappers. A second line in a cell is quicker as ``<p>`` than as ``<br/><i>``.
- ``table-layout: fixed`` (the default here), widths on the cells of the first row, ``border-spacing`` and no collapsed
  borders; no flex, no grid; floats and positioned boxes cost as much as a table row.
- Pictures in ``files``. The QR code as PNG with ``scale=1`` and ``image-rendering: pixelated``: 41 pixels a side, sharp
  at any size. A logo as small as it is shown, better grey or RGB than with transparency.

Nothing but ``infra/pdf_base.css`` stands under the page's own style: headings have no margins, links no underline.
``<bdi>`` and ``unicode-bidi`` are not known here: isolate what runs the other way with U+2068 and U+2069.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from queue import Empty, LifoQueue
from time import monotonic
from typing import Self

import structlog

from infra import static as static_files
from infra.metrics import rendering_pdf
from infra.pdf_attachment import Attachment
from infra.pdf_child import Job, Page
from infra.pdf_process import Child, PdfTimeout, PdfTooLarge, PdfUnavailable, tidy
from infra.settings import Settings
from kernel.errors import Problem

__all__ = ["Attachment", "Page", "PdfFailed", "PdfPool", "PdfTimeout", "PdfTooLarge", "PdfUnavailable"]

_log = structlog.get_logger(__name__)
_PAUSE = 300  # seconds


class PdfFailed(Problem):
    status, slug, title = 500, "pdf-failed", "The PDF could not be made"


class PdfPool:
    """Child processes that render, started when first needed. Threads share the pool; a child serves one at a time.

    ``fonts`` is the folder for the fonts cut to scripts (``infra/fonts.py``), ``static`` what ``/static/…`` names in a
    page. A render that takes longer than ``seconds``, or more than ``memory_mb``, is stopped and its child replaced.
    """

    def __init__(
        self, *, fonts: Path, static: Path, processes: int = 1, seconds: float = 20, memory_mb: int = 512
    ) -> None:
        tidy()
        self._folders = (str(fonts.resolve()), str(static.resolve()))
        self._seconds = seconds
        self._memory = memory_mb * 1024 * 1024
        self._lacking: str | None = None
        self._closed = False
        # Until when a page that was stopped is not tried again, and what its problem was.
        self._stopped: dict[bytes, tuple[float, type[PdfTimeout | PdfTooLarge]]] = {}
        self._busy: set[Child] = set()
        self._idle: LifoQueue[Child | None] = LifoQueue()
        for _ in range(processes):
            self._idle.put(None)

    def render(
        self,
        html: str,
        *,
        page: Page,
        css: str = "",
        files: Mapping[str, bytes] | None = None,
        attachments: Sequence[Attachment] = (),
        xmp: bytes = b"",
    ) -> bytes:
        """A tagged PDF (PDF/UA-1), in the language of ``<html lang>``, titled by ``<title>``; both are needed.

        ``page`` is ``roll`` (80 mm wide, as high as its content; more than 5 m become several pages), ``a4``, ``card``
        (85 by 55 mm with crop marks; art goes 3 mm over the edge) or ``sheet`` (A4 to its edges). ``css`` stands beside
        the page's own style. ``files`` are what relative URLs name; every other URL but ``/static/…`` is left out. With
        ``xmp``, an RDF document that explains its own properties, the PDF is PDF/A-3b too. The same
        input gives the same bytes. Blocks for up to ``seconds`` of waiting and as many of rendering. Raises
        :class:`PdfUnavailable`, :class:`PdfTimeout`, :class:`PdfTooLarge` or :class:`PdfFailed`.
        """
        with rendering_pdf():
            return self._render(Job(html, css, page, dict(files or {}), self._seconds, tuple(attachments), xmp))

    def _render(self, job: Job) -> bytes:
        asked = blake2b(f"{job.page}\0{job.css}\0{job.html}".encode(), digest_size=16).digest()
        self._refuse_what_was_stopped(asked)
        try:
            with self._borrowed() as child:
                header, pdf = child.ask(job)
        except (PdfTimeout, PdfTooLarge) as problem:
            self._stopped[asked] = (monotonic() + _PAUSE, type(problem))
            _log.warning("pdf stopped", reason=problem.slug)
            raise
        if "error" in header:
            _log.error("pdf failed", error=header["error"])
            raise PdfFailed
        if header["missing"] or header["refused"]:
            _log.warning("pdf incomplete", scripts_without_font=header["missing"], urls_refused=header["refused"])
        return pdf

    def available(self) -> str | None:
        """``None`` where PDF works, else the reason in one line. Starts a child where none runs."""
        try:
            with self._borrowed():
                return None
        except (PdfUnavailable, PdfTimeout) as problem:
            return problem.detail

    def warm(self) -> None:
        """Start a child and cut the fonts that every page needs, so that the first to ask need not wait for them."""
        with suppress(Problem):
            self.render('<html lang="en"><head><title>-</title></head><body>0</body></html>', page="roll")

    def close(self) -> None:
        """End every child; a render under way fails. The pool cannot be used again."""
        self._closed = True
        for busy in list(self._busy):
            busy.kill()
        idle = [self._idle.get() for _ in range(self._idle.qsize())]
        for child in idle:
            if child is not None:
                child.end()
            self._idle.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _refuse_what_was_stopped(self, asked: bytes) -> None:
        """One page that takes too much must not be tried again for everybody who asks, while others wait behind it."""
        now = monotonic()
        self._stopped = {each: why for each, why in self._stopped.items() if why[0] > now}
        if asked in self._stopped:
            until, problem = self._stopped[asked]
            raise problem("It was stopped a moment ago.", retry_after=int(until - now) + 1)

    @contextmanager
    def _borrowed(self) -> Iterator[Child]:
        """A running child for this thread alone. What goes wrong inside ends it; the next to ask gets a new one."""
        child = self._waited_for()
        try:
            if child is None or not child.is_alive():
                child = self._started(child)
            self._busy.add(child)
            yield child
        except BaseException:
            if child is not None:
                child.end()
            raise
        finally:
            if child is not None:
                self._busy.discard(child)
            self._idle.put(child)

    def _waited_for(self) -> Child | None:
        if self._closed or self._lacking:
            raise PdfUnavailable(self._lacking or "The service is stopping.")
        try:
            return self._idle.get(timeout=self._seconds)
        except Empty:
            raise PdfUnavailable("Every PDF process is busy. Please try again.", retry_after=5) from None

    def _started(self, dead: Child | None) -> Child:
        if dead is not None:
            dead.end()
        child = Child(*self._folders, memory=self._memory)
        try:
            self._lacking = child.greeting()
            if self._lacking:
                raise PdfUnavailable(self._lacking)
        except BaseException:
            child.end()
            raise
        return child


def open_pool(settings: Settings) -> PdfPool:
    """As the settings want it; close it, or use it as a context."""
    wanted = settings.pdf
    return PdfPool(
        fonts=settings.data.data_dir / "fonts",
        static=static_files.FOLDER,
        processes=wanted.pdf_processes,
        seconds=wanted.pdf_seconds,
        memory_mb=wanted.pdf_memory_mb,
    )
