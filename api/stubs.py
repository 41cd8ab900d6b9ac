"""The stubs of a receipt's page: each part of the house adds its own, in the order in which they hang."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from api import (
    catalogue_said,
    offer_stub,
    referral_view,
    review_stub,
    scratch_behind,
    scratch_stub,
    served_by,
    survey_stub,
)
from api.contexts import Stub
from api.house import House
from api.scratch_view import Held
from api.served_by import Server
from engagement.offers.about import Said
from engagement.offers.find import Offer
from engagement.surveys.hanging import Hung
from engagement.voice.referrals import Offered
from receipts.records import ReceiptRecord


@dataclass(frozen=True, slots=True)
class Hanging:
    """What was found for a receipt's page beside the receipt, before its language is known."""

    server: Server | None
    survey: Hung | None
    cards: Sequence[Held] = ()
    offers: Sequence[Offer] = ()
    reviews: review_stub.Row = None
    # A promoter's code to hand on.
    referral: Offered | None = None
    # What the catalogue says of its lines.
    said: Mapping[str, Said] = field(default_factory=dict)


def find(conn: Connection, house: House, record: ReceiptRecord) -> Hanging:
    survey = survey_stub.find(conn, house, record)
    return Hanging(
        server=served_by.server_of(conn, house, record),
        survey=survey,
        cards=scratch_behind.cards_of(conn, house, record),
        offers=offer_stub.offers_of(conn, house, record),
        reviews=review_stub.found(conn, record),
        referral=referral_view.offered(conn, house, survey.answer) if survey and survey.answer else None,
        said=catalogue_said.find(conn, house, record),
    )


def stubs(house: House, record: ReceiptRecord, hanging: Hanging, language: str) -> Sequence[Stub]:
    return [
        *([scratch_stub.stub(house, record, hanging.cards, language)] if hanging.cards else []),
        *([survey_stub.stub(house, record, hanging.survey, hanging.referral, language)] if hanging.survey else []),
        *([offer_stub.stub(house, record, hanging.offers, language)] if hanging.offers else []),
        *([served_by.stub(house, record, hanging.server, language)] if hanging.server else []),
        *([review_stub.stub(record, hanging.reviews, language)] if hanging.reviews else []),
    ]
