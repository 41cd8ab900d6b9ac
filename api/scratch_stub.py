"""The stub of a receipt on which its scratch cards are."""

from collections.abc import Sequence

from api.contexts import Stub
from api.contexts_after_sale import ScratchCards
from api.house import House
from api.scratch_behind import below_receipt, links_of
from api.scratch_view import Held, card_view
from api.wallets import buttons
from infra.google_wallet import ORIGIN
from infra.i18n import voice
from receipts.records import ReceiptRecord


def stub(house: House, record: ReceiptRecord, cards: Sequence[Held], language: str) -> Stub:
    words, now = voice(language, record.issuer.address.get("country")), house.clock()
    shown = [
        card_view(each, links_of(house, each, below_receipt(record.token, each.reward.id), language), words, now=now)
        for each in cards
    ]
    leads_to = (ORIGIN,) if buttons(house).google else ()
    return Stub("scratch", "stubs/scratch.html", ScratchCards(tuple(shown)), leads_to=leads_to, style="scratch.css")
