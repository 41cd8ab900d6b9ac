"""The folder: whole after a crash, tidy, plain where the key proves, and clear about what a disk refuses."""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from infra import files
from infra.folder import Folder, open_folder
from infra.pdf import PdfPool
from infra.settings import Data
from infra.storage import StorageDown, content_key, open_storage
from tests.support.inside import Person, on_sqlite
from tests.support.sales import coffee

KEY = "pdf/ab/abcdef.pdf"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return open_folder(tmp_path / "objects")


@pytest.mark.parametrize("url", ["file://host/share", "file:///", "file:relative"])
def test_another_url_than_an_absolute_folder_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="file:///"):
        open_storage(Data(storage_url=None).model_copy(update={"storage_url": url}))


def test_a_folder_with_spaces_and_umlauts_is_found_again(tmp_path: Path) -> None:
    place, logo = tmp_path / "Büro 1" / "objects", content_key("logos", b"x", suffix=".png")
    open_storage(Data(storage_url=place.as_uri())).put(logo, b"x")

    assert (place / logo).read_bytes() == b"x"


def test_behind_a_pdf_stands_a_line_with_its_digest(folder: Folder) -> None:
    folder.put(KEY, b"%PDF-")

    digest = sha256(b"%PDF-").hexdigest()
    assert (folder.root / KEY).read_text().splitlines() == ["%PDF-", f"sha256 {digest}"]


def full_disk(_handle: int) -> None:
    raise OSError(28, "No space left on device")


def test_a_put_that_fails_leaves_the_old_object_and_no_litter(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.put(KEY, b"old")
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(StorageDown, match="No space"):
        folder.put(KEY, b"new")

    assert folder.get(KEY) == b"old"
    assert not list((folder.root / ".parts").iterdir())


def test_what_a_full_disk_cannot_keep_is_given_all_the_same(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", full_disk)

    assert folder.once(KEY, lambda: b"object") == b"object"
    assert not folder.exists(KEY)


def test_what_a_folder_without_rights_cannot_keep_is_given_all_the_same(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even a lock can be had there."""

    def refused(*_: object) -> int:
        raise PermissionError(13, "Permission denied", str(folder.root))

    monkeypatch.setattr(os, "open", refused)
    monkeypatch.setattr("infra.files.NamedTemporaryFile", refused)

    assert folder.once(KEY, lambda: b"object") == b"object"
    with pytest.raises(StorageDown, match=r"Permission denied: .*let this user write there"):
        folder.check()


def test_a_folder_that_is_gone_is_told(folder: Folder) -> None:
    (folder.root / ".parts").rmdir()

    assert not folder.is_writable()
    with pytest.raises(StorageDown, match=r"No such file or directory: .*\.parts"):
        folder.put(KEY, b"x")


def test_what_others_left_lying_about_is_no_object(folder: Folder) -> None:
    (folder.root / "lost+found").mkdir()
    (folder.root / "lost+found" / "x").touch()

    assert list(folder.keys()) == []


def test_a_reader_beside_a_writer_sees_only_whole_objects(folder: Folder) -> None:
    wholes = {bytes([letter]) * 300_000 for letter in b"ab"}
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            for whole in wholes:
                folder.put(KEY, whole)

    folder.put(KEY, next(iter(wholes)))
    with ThreadPoolExecutor(2) as threads:
        for _ in range(2):
            threads.submit(write)
        seen = {folder.get(KEY) for _ in range(300)}
        done.set()

    assert seen <= wholes


def test_a_whole_object_that_took_the_place_of_a_broken_one_is_not_removed(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.put(KEY, b"object")
    (folder.root / KEY).write_bytes(b"broken")
    is_still: Callable[[Path, int], bool] = files.is_still

    def meanwhile(path: Path, handle: int) -> bool:
        folder.put(KEY, b"object")
        return is_still(path, handle)

    monkeypatch.setattr(files, "is_still", meanwhile)

    assert folder.get(KEY) is None
    assert folder.get(KEY) == b"object"


def test_opening_clears_what_a_killed_process_left_but_not_what_is_being_written(folder: Folder) -> None:
    left, fresh = folder.root / ".parts" / "left", folder.root / ".parts" / "fresh"
    for part in (left, fresh):
        part.write_bytes(b"half")
    os.utime(left, (time.time() - 7200, time.time() - 7200))
    open_folder(folder.root)

    assert not left.exists()
    assert fresh.exists()


def test_no_lock_stays_behind(folder: Folder) -> None:
    folder.once(KEY, lambda: b"object")

    assert not list((folder.root / ".locks").iterdir())


@on_sqlite
def test_with_a_full_disk_a_pdf_is_served_unkept_and_a_logo_is_a_clear_503(
    owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "write", full)
    monkeypatch.setattr(PdfPool, "render", lambda *_, **__: b"%PDF-")
    link = owner.post("/v1/receipts", coffee()).json()["url"]
    answers = [owner.get(f"{link}.pdf") for _ in range(2)]
    out = BytesIO()
    Image.new("RGB", (64, 64)).save(out, "PNG")
    refused = owner.ask("PUT", "/v1/brands/linden-rye/logo", content=out.getvalue())

    assert [(each.status_code, each.content) for each in answers] == [(200, b"%PDF-")] * 2
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert refused.json()["type"] == "urn:counterfoil:problem:storage-down"
