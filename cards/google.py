"""A card as an object of Google Wallet: the type ``generic``, of a class that all cards of a brand share.

https://developers.google.com/wallet/reference/rest/v1/genericobject
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from cards.face import Face, Way
from cards.find import CardRecord, face_of
from cards.links import page_url
from cards.wallets import GOOGLE
from infra import google_wallet
from infra.google_wallet import GoogleWallet, image, said
from infra.i18n import voice
from infra.jobs import Jobs
from infra.theme import theme
from kernel.ids import new_id
from kernel.locale import LANGUAGES

# In seconds.
_SOON: Final = 5
_STATES: Final = {"active": "ACTIVE", "paused": "INACTIVE", "revoked": "EXPIRED"}


def object_id(wallet: GoogleWallet, record: CardRecord) -> str:
    return wallet.named(record.id)


def class_id(wallet: GoogleWallet, record: CardRecord) -> str:
    return wallet.named(record.look.id)


def write(wallet: GoogleWallet, record: CardRecord, *, base_url: str) -> None:
    """The object as the card is now, and its class. Raises :class:`infra.google_wallet.GoogleWalletDown`."""
    wallet.make_class(class_id(wallet, record))
    wallet.put(content(wallet, record, base_url=base_url))


def write_newest(
    wallet: GoogleWallet, read: Callable[[], CardRecord], missed: Callable[[], None], *, base_url: str
) -> None:
    """As :func:`infra.google_wallet.write_newest`."""
    google_wallet.write_newest(read, lambda record: write(wallet, record, base_url=base_url), missed)


def ask(conn: Connection, jobs: Jobs, record: CardRecord, *, now: datetime) -> None:
    """A job that writes the object anew, soon."""
    told = {"merchant": record.merchant_id, "serial": record.id}
    jobs.enqueue(conn, GOOGLE, told, job_id=new_id(GOOGLE, now), delay=_SOON)


def content(wallet: GoogleWallet, record: CardRecord, *, base_url: str) -> dict[str, Any]:
    """Of a card that is not active: whose it was, no more."""
    own = record.own_language
    faces = {each: face_of(record, base_url=base_url, language=each) for each in (own, *record.languages)}
    link = page_url(base_url, record.token, "wallet")
    made = {
        "id": object_id(wallet, record),
        "classId": class_id(wallet, record),
        "state": _STATES[record.state],
        "cardTitle": _said(faces, own, lambda each: each.organisation),
        "header": _said(faces, own, lambda each: each.name),
        "hexBackgroundColor": theme(record.look.colour).light.brand,
        "barcode": {"type": "QR_CODE", "value": link},
    }
    told = _told(faces, own, link) if record.is_active else {}
    return made | told | _pictures(record, base_url)


def _told(faces: Mapping[str, Face], own: str, link: str) -> dict[str, Any]:
    face = faces[own]
    title = {"subheader": _said(faces, own, lambda each: each.title)} if face.title else {}
    uris = [_uri(*each) for each in enumerate(_ways(face, link))]
    return title | {"textModulesData": list(_texts(face)), "linksModuleData": {"uris": uris}}


def _said(faces: Mapping[str, Face], own: str, tell: Callable[[Face], str]) -> dict[str, Any]:
    """A text in the card's own language first."""
    return said({own: tell(faces[own])} | {each: tell(face) for each, face in faces.items()})


def _texts(face: Face) -> Iterator[dict[str, str]]:
    _ = voice(face.language if face.language in LANGUAGES else "en").gettext
    told = {
        "department": (_("Department"), face.department),
        "about": (_("About"), face.description),
        "phone": (_("Phone"), "\n".join(each.number for each in face.phones)),
        "email": (_("Email"), "\n".join(each.address for each in face.emails)),
    }
    for name, (label, text) in told.items():
        if text:
            yield {"id": name, "header": label, "body": text}


def _ways(face: Face, link: str) -> Iterator[Way]:
    yield Way("card", face.name, link)
    for way in (*face.links, *face.socials, *face.messengers):
        # Others would be refused, and the whole object with them.
        if way.url.startswith("https://"):
            yield way


def _uri(number: int, way: Way) -> dict[str, str]:
    return {"id": f"{way.key}{number}", "uri": way.url, "description": way.name}


def _pictures(record: CardRecord, base_url: str) -> dict[str, Any]:
    """Google fetches them, so they must be where it can."""
    if not base_url.startswith("https://"):
        return {}
    logo, photo = record.look.logo_key, record.photo_key
    made = {"logo": image(f"{base_url}/media/{logo}")} if logo else {}
    return made | ({"heroImage": image(f"{base_url}/c/{record.token}/photo.jpg")} if photo and record.is_active else {})
