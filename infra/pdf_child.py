"""The process that turns HTML into PDF, for ``infra/pdf.py``: ``python -m infra.pdf_child SOCKET BYTES FONTS STATIC``.

It takes one :class:`Job` after the other from the socket, and answers each with a JSON header and the PDF. It ends when
its standard input does: the parent holds the other end of that, so it ends with the parent, however that dies. It also
ends where it would need more than BYTES of memory: with TOO_LARGE, or by the SIGABRT of a library that got none.
"""

import gc
import json
import os
import resource
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, Literal, NoReturn

from infra.pdf_attachment import Attachment

Page = Literal["roll", "a4", "card", "sheet"]
TOO_LARGE: Final = 3
_GRACE_SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class Job:
    """One document; what its URLs may name (``files``) beside the static files; what it carries; the time it may take.

    ``xmp`` is an RDF document about it, for a PDF that is to be PDF/A too.
    """

    html: str
    css: str
    page: Page
    files: Mapping[str, bytes]
    seconds: float
    attachments: tuple[Attachment, ...] = ()
    xmp: bytes = b""


_ending: Final = threading.Lock()


def main(socket: str, memory: str, fonts: str, static: str) -> None:
    # Not RLIMIT_AS: that counts what is mapped and shared, which says little of what a document needs.
    resource.setrlimit(resource.RLIMIT_DATA, (int(memory), int(memory)))
    sys.unraisablehook = _end_without_memory
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    line = Connection(int(socket))
    try:
        # Here, because without its system libraries it cannot be imported, and the parent wants to know why.
        from infra.pdf_engine import Engine
    except (ImportError, OSError) as error:
        _say(line, reason=str(error).partition("\n")[0])
        return
    _say(line)
    engine = Engine(Path(fonts), Path(static))
    gc.freeze()
    gc.disable()  # what a render leaves is collected after its answer, when nobody waits
    while True:
        try:
            job = line.recv()
        except EOFError:
            _end()
        _answer(line, engine, job)
        gc.collect()


def _answer(line: "Connection[Any, Any]", engine: Any, job: Job) -> None:
    # The parent kills a late child. Should there be no parent any more, the kernel does.
    signal.setitimer(signal.ITIMER_REAL, job.seconds + _GRACE_SECONDS)
    try:
        done = engine.render(job)
    except (MemoryError, SystemError):  # the second is what a failed allocation becomes where nobody looked
        os._exit(TOO_LARGE)
    except Exception:
        _say(line, error=traceback.format_exc(limit=-8))
    else:
        _say(line, missing=done.missing, refused=done.refused)
        line.send_bytes(done.pdf)
    signal.setitimer(signal.ITIMER_REAL, 0)


def _say(line: "Connection[Any, Any]", **header: Any) -> None:
    line.send_bytes(json.dumps(header).encode())


def _end_without_memory(unraisable: "sys.UnraisableHookArgs") -> None:
    """What got none where an error cannot be raised would go on without what it wanted."""
    if unraisable.exc_type is MemoryError:
        os._exit(TOO_LARGE)
    sys.__unraisablehook__(unraisable)


def _end_with_the_parent() -> None:
    os.read(sys.stdin.fileno(), 1)
    _end()


def _end() -> NoReturn:
    """Clear up and exit. Both threads see that the parent is gone; who comes second waits until the first is done."""
    with _ending:
        shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
        os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
