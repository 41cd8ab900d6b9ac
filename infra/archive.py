"""A backup as one file: a ZIP of JSON lines, a part for each table, and a manifest of what must be in it.

The manifest comes last, so that the file is written in one go, to a pipe too. A file without it is not a whole one.
"""

import hashlib
import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Annotated, Any, Final, Literal
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infra.storage import MOST_BYTES
from kernel.errors import Invalid

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
_MOST_MANIFEST: Final = 64_000_000
_CHUNK: Final = 1 << 20
# Twice as much as our largest row, a delivery of 5 MB in the inbox, can become.
_MOST_LINE: Final = 32_000_000
# What is half as large at level 6 takes three times as long.
_EFFORT: Final = 1

# "json" is text too, which PostgreSQL has a type for; bytes are base64 (RFC 4648), instants microseconds.
Kind = Literal["plain", "json", "bytes", "bool"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


class _Value(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Part(_Value):
    """A member of the ZIP: how many bytes it unpacks to, and their SHA-256."""

    name: str
    bytes: int
    sha256: str


class Column(_Value):
    name: Name
    kind: Kind


class TablePart(_Value):
    """Each line is the JSON array of a row's values, in the order of ``columns``."""

    table: Name
    columns: tuple[Column, ...]
    rows: int
    part: Part


class ObjectPart(_Value):
    key: str
    part: Part


class Manifest(_Value):
    """``tables`` come in an order in which none points at a later one. ``fingerprint`` is the secret key's."""

    format: Literal[1] = FORMAT
    made_at: str
    revision: str
    fingerprint: str | None
    tables: tuple[TablePart, ...]
    objects: tuple[ObjectPart, ...]
    secret_key: Part | None

    def parts(self) -> list[Part]:
        return [*(each.part for each in self.tables), *self.read_whole()]

    def read_whole(self) -> list[Part]:
        """Those that are in memory as they are read."""
        key = [self.secret_key] if self.secret_key else []
        return [*(each.part for each in self.objects), *key]

    def rows(self, table: str) -> int:
        return sum(each.rows for each in self.tables if each.table == table)


class ArchiveWriter:
    """Writes parts one after another; memory does not grow with them."""

    def __init__(self, out: IO[bytes]) -> None:
        self._zip = ZipFile(out, "w", ZIP_DEFLATED, compresslevel=_EFFORT)

    def add(self, name: str, chunks: Iterable[bytes]) -> Part:
        digest, size = hashlib.sha256(), 0
        # A part may be larger than 4 GB, and how large it will be is not known yet.
        with self._zip.open(name, "w", force_zip64=True) as member:
            for chunk in chunks:
                member.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        return Part(name=name, bytes=size, sha256=digest.hexdigest())

    def finish(self, manifest: Manifest) -> None:
        self._zip.writestr(MANIFEST, manifest.model_dump_json(indent=1), ZIP_STORED)
        self._zip.close()


class Archive:
    """A whole archive, by its manifest. Whatever is read of it is checked against that; raises :class:`Invalid`."""

    def __init__(self, opened: ZipFile, path: Path, manifest: Manifest) -> None:
        self._zip = opened
        self._path = path
        self.manifest = manifest

    def chunks(self, part: Part) -> Iterator[bytes]:
        digest, size = hashlib.sha256(), 0
        with _damage_told(self._path), self._zip.open(part.name) as member:
            while chunk := member.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                if size > part.bytes:
                    raise BadZipFile(f"{part.name} is longer than the manifest says")
                yield chunk
            if (size, digest.hexdigest()) != (part.bytes, part.sha256):
                raise BadZipFile(f"{part.name} is not what the manifest says")

    def read(self, part: Part) -> bytes:
        return b"".join(self.chunks(part))

    def rows(self, table: TablePart) -> Iterator[list[list[Any]]]:
        """Some rows at a time, as they stand in the part."""
        count, rest = 0, b""
        for chunk in self.chunks(table.part):
            whole, _, rest = (rest + chunk).rpartition(b"\n")
            with _damage_told(self._path):
                if len(rest) > _MOST_LINE:
                    raise BadZipFile(f"{table.part.name} has a row of more than {_MOST_LINE} bytes")
                # JSON has no line break within a value.
                rows = orjson.loads(b"[" + whole.replace(b"\n", b",") + b"]")
            count += len(rows)
            if rows:
                yield rows
        with _damage_told(self._path):
            if rest or count != table.rows:
                raise BadZipFile(f"{table.part.name} has not as many rows as the manifest says")

    def check(self) -> Iterator[int]:
        """Reads everything; yields how many bytes it has come further, for who shows that."""
        for part in self.manifest.parts():
            for chunk in self.chunks(part):
                yield len(chunk)


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """Raises :class:`Invalid` for what is not a whole archive, at once or while it is read."""
    with ExitStack() as closing:
        with _damage_told(path):
            zipped = closing.enter_context(ZipFile(path))
            manifest = _manifest(zipped)
            if sorted(zipped.namelist()) != sorted([MANIFEST, *(part.name for part in manifest.parts())]):
                raise BadZipFile("it does not hold what its manifest says")
            if any(part.bytes > MOST_BYTES for part in manifest.read_whole()):
                raise BadZipFile(f"it has an object of more than {MOST_BYTES} bytes")
        yield Archive(zipped, path, manifest)


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    """What ``zipfile`` raises over bytes that were changed is of many kinds; ValueError is that of JSON too."""
    try:
        yield
    except (BadZipFile, zlib.error, struct.error, EOFError, ValueError, RuntimeError) as error:
        raise Invalid(f"{path} is not a whole backup; it is cut off, damaged or something else: {error}") from None


def _manifest(zipped: ZipFile) -> Manifest:
    if MANIFEST not in zipped.namelist() or zipped.getinfo(MANIFEST).file_size > _MOST_MANIFEST:
        raise BadZipFile("it has no manifest")
    found = orjson.loads(zipped.read(MANIFEST))
    if isinstance(found, dict) and found.get("format") != FORMAT:
        raise BadZipFile("this version does not know its format; restore it with the one that made it")
    try:
        return Manifest.model_validate(found)
    except ValidationError:
        raise BadZipFile("its manifest cannot be read") from None
