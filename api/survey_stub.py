"""The stub of a receipt on which its survey hangs."""

from sqlalchemy import Connection

from api import survey_view
from api.contexts import Stub
from api.house import House
from api.survey_view import Shown
from engagement.surveys import hanging
from engagement.surveys.hanging import Hung, Keys
from engagement.voice.referrals import Offered
from receipts.records import ReceiptRecord


def find(conn: Connection, house: House, record: ReceiptRecord) -> Hung | None:
    surveys = house.surveys.active(conn, record.merchant_id, record.brand_id)
    return hanging.on_page(conn, keys(house), surveys, record, now=house.clock()) if surveys else None


def keys(house: House) -> Keys:
    return Keys(house.survey_key, house.shopper_key)


def stub(house: House, record: ReceiptRecord, hung: Hung, offered: Offered | None, language: str) -> Stub:
    shown = Shown(hung.survey, record.id, record.issuer.brand, "page", hung.answer, offered=offered)
    return survey_view.stub(house, shown, language, now=house.clock())
