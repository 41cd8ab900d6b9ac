"""Pictures and PDFs of a card that were made: kept together, so that they can be forgotten with it."""

from collections.abc import Callable
from typing import Final

from accounts.find import BrandLook
from cards.face import Face
from infra.making import made_by
from infra.storage import Storage, at_hand, content_key
from kernel.ids import digest

_FOLDER: Final = "cards"


def key(token: str, form: str, face: Face, look: BrandLook, photo_key: str | None) -> str:
    """Made of all that decides over the bytes. ``form`` says which they are and how it ends: ``preview.jpg``."""
    seen = repr((face, look.colour, look.website, look.logo_key, photo_key, form)).encode()
    return content_key(folder(token), seen, made_by("cards"), suffix=f".{form.rpartition('.')[2]}")


def folder(token: str) -> str:
    """Where all of them are, without telling the token."""
    return f"{_FOLDER}/{digest(token)}"


def once(storage: Storage, key: str, make: Callable[[], bytes], *, is_still_so: Callable[[], bool]) -> bytes:
    """What ``make`` gives, kept for as long as ``is_still_so``: who changed the card while it was made may have
    forgotten the rest already, and would leave just this. Blocks."""
    found = at_hand(storage, key)
    if found is not None:
        return found
    made = storage.once(key, make)
    if not is_still_so():
        storage.delete(key)
    return made


def forget(storage: Storage, token: str) -> None:
    """After a card was revoked or changed: what is asked for again is made again. Blocks."""
    for each in list(storage.keys(f"{folder(token)}/")):
        storage.delete(each)
