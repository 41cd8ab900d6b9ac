"""A card as a pass of Apple Wallet: the style ``generic``, with the photo as its thumbnail."""

from collections.abc import Iterator

from cards.face import Face, Way
from cards.find import CardRecord, face_of
from cards.links import page_url
from cards.names import country_name
from cards.profile import Address
from infra import pass_pictures
from infra.i18n import Voice, voice
from infra.pass_parts import Fields, PassField, PassOffice, PassParts, Told, head, localised
from infra.pass_pictures import Images
from infra.storage import Storage, at_hand
from infra.theme import theme
from kernel.locale import LANGUAGES


def card_pass(record: CardRecord, office: PassOffice, storage: Storage) -> PassParts:
    """In the card's own language, with the words of the others beside it. Takes some hundredths of a second: call it in
    a thread. A card that is not active gives a pass that is crossed out and says whose it was, no more."""
    own, spoken = _languages(record)
    faces = {language: face_of(record, base_url=office.base_url, language=language) for language in spoken}
    fields = _fields if record.is_active else _put_away
    style, strings = localised(own, {language: fields(face, voice(language)) for language, face in faces.items()})
    told = Told(
        serial=record.id,
        organisation=record.look.name,
        description=", ".join(each for each in (faces[own].name, faces[own].organisation) if each),
        colour=record.look.colour,
        link=page_url(office.base_url, record.token, "wallet"),
        beside_logo="" if record.look.logo_key else record.look.name,
        is_void=not record.is_active,
    )
    return PassParts(head(office, told) | {"generic": style}, _images(record, storage), strings)


def _languages(record: CardRecord) -> tuple[str, tuple[str, ...]]:
    """The card's own, and all in which there are words of ours for it."""
    spoken = tuple(each for each in record.languages if each in LANGUAGES)
    own = record.own_language if record.own_language in spoken else spoken[0] if spoken else "en"
    return own, spoken or (own,)


def _images(record: CardRecord, storage: Storage) -> Images:
    """Where a picture is not at hand just now, the pass is shown without it."""
    palette, look = theme(record.look.colour).light, record.look
    logo = at_hand(storage, look.logo_key) if look.logo_key else None
    photo = at_hand(storage, record.photo_key) if record.photo_key and record.is_active else None
    images = pass_pictures.of_brand(logo, look.name, palette.brand, palette.on_brand)
    return images | (pass_pictures.of_person(photo) if photo else {})


def _fields(face: Face, words: Voice) -> Fields:
    _ = words.gettext
    role = [PassField("title", _("Title"), face.title), _organisation(face, words)]
    ways = [
        PassField("phone", _("Phone"), face.phones[0].number if face.phones else ""),
        PassField("email", _("Email"), face.emails[0].address if face.emails else ""),
    ]
    return {
        "primaryFields": [PassField("name", "", face.name)],
        "secondaryFields": _said(role),
        "auxiliaryFields": _said(ways),
        "backFields": _said([*_about(face, words), *_reached(face, words)]),
    }


def _put_away(face: Face, words: Voice) -> Fields:
    """Phones fetch it in place of the pass that they have, so what is not in it is gone from them."""
    return {
        "primaryFields": [PassField("name", "", face.name)],
        "secondaryFields": _said([_organisation(face, words)]),
    }


def _organisation(face: Face, words: Voice) -> PassField:
    return PassField("organisation", words.gettext("Organisation"), face.organisation)


def _said(fields: list[PassField]) -> list[PassField]:
    return [field for field in fields if field.value]


def _about(face: Face, words: Voice) -> Iterator[PassField]:
    _ = words.gettext
    yield PassField("pronouns", _("Pronouns"), face.pronouns)
    yield PassField("department", _("Department"), face.department)
    yield PassField("about", _("About"), face.description)
    yield PassField("hobbies", _("Hobbies"), ", ".join(face.hobbies))


def _reached(face: Face, words: Voice) -> Iterator[PassField]:
    """Wallet makes links of numbers and addresses by itself."""
    _ = words.gettext
    yield PassField("phones", _("Phone"), "\n".join(each.number for each in face.phones))
    yield PassField("emails", _("Email"), "\n".join(each.address for each in face.emails))
    yield PassField("addresses", _("Address"), "\n\n".join(_written(each, face.language) for each in face.addresses))
    yield PassField("booking", _("Book an appointment"), face.booking_url)
    yield PassField("links", _("Links"), _listed(face.links))
    yield PassField("socials", _("Social media"), _listed(face.socials))
    yield PassField("messengers", _("Messages"), _listed(face.messengers))
    yield PassField("store", _("Store"), _store(face))
    yield PassField("card", _("This card"), face.url)


def _listed(ways: tuple[Way, ...]) -> str:
    return "\n".join(f"{way.name}: {way.url}" for way in ways)


def _store(face: Face) -> str:
    if face.shop is None:
        return ""
    where = _written(face.shop.address, face.language) if face.shop.address else ""
    return "\n".join(each for each in (face.shop.name, where, face.shop.phone) if each)


def _written(address: Address, language: str) -> str:
    city = " ".join(each for each in (address.postal_code, address.city) if each)
    country = country_name(address.country, language) if address.country else ""
    return "\n".join(each for each in (*address.lines, city, address.region or "", country) if each)
