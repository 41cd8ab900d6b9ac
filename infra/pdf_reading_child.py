"""The process behind ``infra/pdf_reading.py``: ``python -m infra.pdf_reading_child NAME``.

It reads a PDF from its standard input, and writes a zero byte and the file that the PDF carries under that name, or
nothing where there is none. It ends with another status than 0 for what it cannot or will not read.
"""

import resource
import sys
from io import BytesIO

_LIMITS = {resource.RLIMIT_AS: 400_000_000, resource.RLIMIT_CPU: 2, resource.RLIMIT_FSIZE: 0}
_MOST_BYTES = 1_000_000


def main(name: str) -> None:
    for what, most in _LIMITS.items():
        resource.setrlimit(what, (most, most))
    # Only now: a hostile PDF may ask for as much as it likes.
    from pypdf import PdfReader

    reader = PdfReader(BytesIO(sys.stdin.buffer.read()))
    found = [] if reader.is_encrypted else [each.content for each in reader.attachment_list if each.name == name]
    if reader.is_encrypted or len(found) > 1 or any(len(each) > _MOST_BYTES for each in found):
        sys.exit(3)
    for content in found:
        sys.stdout.buffer.write(b"\0" + content)


if __name__ == "__main__":
    main(sys.argv[1])
