"""What comes after a sale, put into the demo's shops to be looked at: scratch cards, a campaign's own pages, reviews,
surveys, and the page that stops emails."""

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, Final

from sqlalchemy import Connection, Engine, select, update

from accounts.places import directories
from cli import demo_surveys, demo_voice
from cli.demo_shops import MAIN
from engagement.rewards import granting, revealing, withdrawing
from engagement.rewards import links as scratch_links
from engagement.rewards.keys import RewardKeys
from engagement.rewards.records import RewardRecord
from engagement.rewards.tables import Reward
from engagement.surveys import links as survey_links
from engagement.surveys import manage
from engagement.surveys.links import Linked
from infra import secrets
from infra.jobs import Jobs
from infra.settings import Data, Server, Settings
from kernel.clock import utc_now
from kernel.errors import Problem
from kernel.ids import new_token
from notify import stopping
from notify.asking import Post, Wanted, ask
from notify.tables import Message
from pos.gifts import Giver
from pos.intake import arrive, take
from receipts.issue import Issued
from receipts.reading import read_sale
from tests.support.scratched import LOAF, VOUCHER, Promoter

_LINE: Final = {"id": "1", "name": "Rye loaf", "sku": "2000777", "total": "12.00", "tax_rate": "7"}
_SALE: Final = {"currency": "EUR", "lines": [_LINE], "total": "12.00", "store": "mitte"}
_AT_NOOR: Final = _SALE | {"currency": "AED", "store": "jumeirah"}
_COFFEE: Final = LOAF | {
    "slug": "cup",
    "name": {"ar": "فنجان قهوة عربية", "en": "A cup of Arabic coffee"},
    "terms": {"ar": "مرة واحدة لكل زائر.", "en": "Once for each visitor."},
}
_WINTER: Final[dict[str, Any]] = {
    "name": {"ar": "بطاقة الشتاء", "en": "The winter card"},
    "rules": {"ar": "بطاقة واحدة لكل إيصال حتى نفاد الكمية.", "en": "One card a receipt, while stocks last."},
    "currency": "AED",
    "timezone": "Asia/Dubai",
    "nothing": 1,
}
# Those of the bakery are in English, those of the coffee house in Arabic.
NAMES: Final = (
    *("scratch", "scratch-won", "scratch-used", "scratch-gone", "scratch-free", "rules", "entry", "fair"),
    *("scratch-arabic", "scratch-arabic-won", "scratch-arabic-lost", "rules-arabic", "entry-arabic", "fair-arabic"),
    *("fair-ended", "reviews", "product", "survey", "survey-arabic", "stop", "stop-arabic"),
)


def put_all(engine: Engine, data: Data, merchants: Mapping[str, str]) -> dict[str, str]:
    """The address of each page by its name, from the root; ``merchants`` are the demo's, by slug."""
    settings = Settings(data, Server())
    bakery, noor = (Promoter(engine, settings, merchants[each]) for each in (MAIN, "noor"))
    with engine.begin() as conn:
        said = demo_voice.put_all(conn, dict(merchants), now=utc_now())
        demo_surveys.put_all(conn, {each: merchants[each] for each in (MAIN, "noor")}, now=utc_now())
    pages = _of_the_bakery(bakery) | _of_noor(noor) | {"product": f"{said['reviews']}?lang=en"}
    assert set(pages) == set(NAMES)
    return pages


def _of_the_bakery(bakery: Promoter) -> dict[str, str]:
    campaign = bakery.launch([VOUCHER, LOAF], free_entry={"per_shopper": 1})
    receipt = _sold(bakery, _SALE)
    return {
        "scratch": f"/r/{receipt.token}?lang=en#scratch",
        "scratch-won": _receipt_of(bakery, _SALE),
        "scratch-used": _receipt_of(bakery, _SALE, _use),
        "scratch-gone": _receipt_of(bakery, _SALE, _withdraw),
        "scratch-free": f"{_free(bakery, campaign)}?lang=en",
        "rules": f"/campaigns/{campaign}?lang=en",
        "entry": f"/campaigns/{campaign}/entry?lang=en",
        "fair": f"/campaigns/{campaign}/fair?lang=en",
        "reviews": f"/r/{receipt.token}/reviews?lang=en",
        "survey": f"{_survey(bakery, receipt)}?lang=en",
        "stop": f"{_stop(bakery, receipt)}?lang=en",
    }


def _of_noor(noor: Promoter) -> dict[str, str]:
    ended = noor.launch([_COFFEE], **_WINTER)
    card = noor.card(_sold(noor, _AT_NOOR).id)
    noor.end(ended)
    live = noor.launch([_COFFEE], minimum_age=18, free_entry={"per_shopper": 1}, **_WINTER)
    receipt = _sold(noor, _AT_NOOR)
    return {
        "fair-ended": f"/campaigns/{ended}/fair?lang=en&card={card.id}#card",
        "scratch-arabic": f"/r/{receipt.token}?lang=ar#scratch",
        "scratch-arabic-won": _receipt_of(noor, _AT_NOOR, language="ar"),
        "scratch-arabic-lost": _receipt_of(noor, _AT_NOOR, wins=False, language="ar"),
        "rules-arabic": f"/campaigns/{live}?lang=ar",
        "entry-arabic": f"/campaigns/{live}/entry?lang=ar",
        "fair-arabic": f"/campaigns/{live}/fair?lang=ar",
        "survey-arabic": f"{_survey(noor, receipt)}?lang=ar",
        "stop-arabic": f"{_stop(noor, receipt)}?lang=ar",
    }


def _sold(shop: Promoter, body: Mapping[str, Any]) -> Issued:
    now, data = utc_now(), shop.settings.data
    giver = Giver(RewardKeys.of(data, secrets.box(data)))
    sale = read_sale(dict(body) | {"external_id": new_token(), "issued_at": now.isoformat()})
    arrival = arrive(shop.merchant_id, sale, now=now, only_flag=True)
    with shop.engine.begin() as conn:
        known = directories(conn, [shop.merchant_id])
        [answer] = take(conn, [arrival], directories=known, now=now, giver=giver)
    if isinstance(answer, Problem):
        raise answer
    return answer


def _receipt_of(
    shop: Promoter,
    body: Mapping[str, Any],
    then: Callable[[Connection, RewardRecord], None] | None = None,
    *,
    wins: bool = True,
    language: str = "en",
) -> str:
    """Of a card that was scratched and wins, or does not, and with which ``then`` was done."""
    while True:
        receipt = _sold(shop, body)
        card = shop.card(receipt.id)
        if (card.prize is not None) is wins:
            break
    with shop.engine.begin() as conn:
        revealing.reveal(conn, shop.merchant_id, card.id, now=utc_now(), of_age=True)
        if then:
            then(conn, card)
    return f"/r/{receipt.token}?lang={language}#scratch"


def _use(conn: Connection, card: RewardRecord) -> None:
    mine = (Reward.merchant_id == card.merchant_id, Reward.id == card.id)
    conn.execute(update(Reward).where(*mine).values(state="redeemed", redeemed_at=utc_now()))


def _withdraw(conn: Connection, card: RewardRecord) -> None:
    withdrawing.withdraw(conn, card.merchant_id, card.id, now=utc_now())


def _free(shop: Promoter, campaign: str) -> str:
    data = shop.settings.data
    keys, key = RewardKeys.of(data, secrets.box(data)), secrets.derived(data, scratch_links.PURPOSE)
    with shop.engine.begin() as conn:
        card = granting.grant_free_entry(conn, keys, shop.merchant_id, campaign, shopper="0" * 32, now=utc_now())
    return f"/x/{scratch_links.told(key, card.id)}"


def _survey(shop: Promoter, receipt: Issued) -> str:
    key = secrets.derived(shop.settings.data, survey_links.PURPOSE)
    with shop.engine.connect() as conn:
        survey = manage.listed(conn, shop.merchant_id)[0]
    return f"/s/{survey_links.link_token(key, Linked(survey.id, receipt.id, 'link'))}"


def _stop(shop: Promoter, receipt: Issued) -> str:
    """Of a message that nobody sends: no mail is set up."""
    data = shop.settings.data
    with closing(Jobs(data.where_database())) as jobs, shop.engine.begin() as conn:
        wanted = Wanted(shop.merchant_id, receipt.id, "anna@example.com")
        ask(conn, Post(jobs, frozenset()), [wanted], now=utc_now())
        message = conn.execute(select(Message.id).where(Message.subject_id == receipt.id)).scalar_one()
    return f"/u/{stopping.link_token(secrets.derived(data, stopping.PURPOSE), message)}"
