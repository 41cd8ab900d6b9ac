"""Messages to who sees to cases, as letters."""

from sqlalchemy import Connection, select

from accounts.find import brand_look
from accounts.tables import Store
from engagement.surveys import find as surveys_find
from engagement.voice import cases, letters
from engagement.voice.letters import About
from kernel.errors import NotFound
from kernel.locale import LANGUAGES, choose
from notify.sending import Due
from receipts import find as receipts_find
from worker.told import Told
from worker.workshop import Workshop


def of_case(shop: Workshop, message: Due) -> Told:
    """What the shopper said. Raises :class:`NotFound` where the case is closed by now, or its shopper was erased."""
    about = shop.read(lambda conn: _about(conn, message))
    composed = letters.case_letter(
        about,
        is_late=message.subject_id.startswith(letters.LATE),
        base_url=shop.settings.server.address(),
        language=choose([message.language, *about.look.languages], LANGUAGES, "en"),
    )
    return Told(composed, about.look.name)


def _about(conn: Connection, message: Due) -> About:
    case = cases.one(conn, message.merchant_id, letters.case_of(message.subject_id))
    if case.resolved_at is not None or case.brand_id is None:
        raise NotFound("the case is closed")
    answer = surveys_find.one(conn, message.merchant_id, case.answer_id)
    mine = (Store.merchant_id == message.merchant_id, Store.id == answer.store_id)
    store = conn.execute(select(Store.name, Store.timezone).where(*mine)).one()
    return About(
        case=case,
        answer=answer,
        look=brand_look(conn, message.merchant_id, case.brand_id),
        store=store.name,
        timezone=store.timezone,
        receipt_number=_number(conn, message, answer.receipt_id),
    )


def _number(conn: Connection, message: Due, receipt_id: str | None) -> str:
    try:
        return receipts_find.one(conn, message.merchant_id, receipt_id).number if receipt_id else ""
    except NotFound:
        return ""
