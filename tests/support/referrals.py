"""Promoters and their codes, to test with."""

from typing import Final

from sqlalchemy import Engine, func, select

from engagement.surveys import find as surveys_find
from engagement.tables import Event
from engagement.voice import referrals
from engagement.voice.tables import Referral, ReferralUse
from infra import secrets
from tests.support.inside import Inside, Person
from tests.support.sales import Body
from tests.support.shops import Shops
from tests.support.surveys import answer, path_of, sold, survey
from tests.support.workshop import Clock
from worker.cases import look_for_referrals
from worker.workshop import Workshop

ANNA: Final = {"email": "anna@example.com"}
BEN: Final = {"email": "ben@example.com"}


def promoted(owner: Person, till: Person, stranger: Person, inside: Inside, engine: Engine, shops: Shops) -> str:
    """The code that Anna got for her ten points, as she reads it out."""
    owner.put("/v1/referral-settings", {"is_on": True, "text": {"en": "10% off"}}).raise_for_status()
    survey(owner)
    answer(stranger, path_of(stranger, sold(till, shopper=ANNA)), 10)
    return offered(inside, engine, shops)


def offered(inside: Inside, engine: Engine, shops: Shops) -> str:
    key = secrets.derived(inside.app.state.house.settings.data, referrals.PURPOSE)
    with engine.connect() as conn:
        answer_id = conn.scalars(select(Referral.answer_id)).one()
        found = referrals.offered(conn, shops.linden, surveys_find.one(conn, shops.linden, str(answer_id)), key=key)
    assert found is not None
    return found.code


def look(shop: Workshop, clock: Clock) -> None:
    """As the clock does, once what was sold has settled."""
    clock.pass_by(minutes=6)
    look_for_referrals(shop, "job", {})


def uses(engine: Engine) -> int:
    with engine.connect() as conn:
        return conn.scalar(select(func.count()).select_from(ReferralUse)) or 0


def told(engine: Engine) -> int:
    with engine.connect() as conn:
        return conn.scalar(select(func.count()).where(Event.kind == "referral.used")) or 0


def with_code(code: str, where: str) -> Body:
    line = {"id": "1", "name": "Coffee", "unit_price": "3.20", "tax_rate": "19", "total": "2.20"}
    taxes = [{"rate": "19", "net": "1.85", "tax": "0.35", "gross": "2.20"}]
    paid = {"taxes": taxes, "total": "2.20", "payments": [{"method": "cash", "amount": "2.20"}]}
    less: Body = {"name": "Friend", "amount": "1.00", "code": code}
    match where:
        case "metadata":
            return {"metadata": {"referral_code": code}}
        case "line":
            return paid | {"lines": [line | {"discounts": [less]}]}
    return paid | {"lines": [line | {"total": "3.20"}], "discounts": [less]}
