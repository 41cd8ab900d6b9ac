"""A receipt as a pass of Apple Wallet: the style ``storeCard``, with what was paid in front."""

from collections.abc import Iterator
from typing import Any

from accounts.find import BrandLook
from infra import pass_pictures
from infra.i18n import Voice, voice
from infra.pass_parts import Fields, PassField, PassOffice, PassParts, Told, head, localised
from infra.storage import Storage, at_hand
from infra.theme import theme
from kernel.locale import LANGUAGES, choose
from receipts.records import ReceiptRecord
from receipts.shapes import ReceiptView
from receipts.view import view


def receipt_pass(record: ReceiptRecord, look: BrandLook, office: PassOffice, storage: Storage) -> PassParts:
    """In the sale's language where the brand has it, with the words of the brand's others beside it. A gift receipt
    shows no price. Call it in a thread."""
    link = f"{office.base_url}/r/{record.token}"
    spoken = tuple(each for each in look.languages if each in LANGUAGES) or ("en",)
    own = choose([record.content.language], spoken, spoken[0])
    views = {language: view(record, language=language) for language in spoken}
    style, strings = localised(own, {each: _fields(told, voice(each), link) for each, told in views.items()})
    told = Told(
        serial=record.id,
        organisation=look.name,
        description=views[own].title,
        colour=look.colour,
        link=link,
        beside_logo="" if look.logo_key else look.name,
        is_void=any(state.kind == "voided" for state in views[own].states),
    )
    palette = theme(look.colour).light
    logo = at_hand(storage, look.logo_key) if look.logo_key else None
    images = pass_pictures.of_brand(logo, look.name, palette.brand, palette.on_brand)
    content: dict[str, Any] = head(office, told) | {"storeCard": style}
    return PassParts(content, images, strings)


def _fields(told: ReceiptView, words: Voice, link: str) -> Fields:
    _ = words.gettext
    # Wallet says by itself when it changes, as where the goods went back.
    state = PassField("state", _("State"), " · ".join(each.title for each in told.states), change="%@")
    total = PassField("total", told.sums.total.label, told.sums.total.value) if told.sums else None
    return {
        "primaryFields": [total] if total else [PassField("title", "", told.title)],
        "secondaryFields": [
            PassField("store", _("Store"), told.store.name),
            PassField("issued", _("Date"), told.issued.text),
        ],
        "auxiliaryFields": [PassField("number", _("Number"), told.number), *([state] if state.value else [])],
        "backFields": [field for field in _back(told, words, link) if field.value],
    }


def _back(told: ReceiptView, words: Voice, link: str) -> Iterator[PassField]:
    _ = words.gettext
    yield PassField("returned", _("Refund"), told.sums.returned if told.sums else "")
    yield PassField("items", told.item_count, "\n".join(item.name for item in told.items))
    yield PassField("address", _("Address"), "\n".join((*told.store.lines, told.store.phone)).strip())
    yield PassField("receipt", _("Receipt"), link)
