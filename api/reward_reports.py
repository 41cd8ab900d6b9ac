"""What scratch cards cost and do: liability, settlement between allies, redemption, uplift."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Response
from sqlalchemy import Connection

from accounts.keys import Caller
from api import reward_report_shapes as shapes
from api import schemas
from api.answers import csv_answer, json_answer
from api.card_numbers import Day
from api.house import House, TheHouse
from api.key_ring import TheCaller
from engagement.rewards import find, liability, redeemed_numbers, settlement, uplift
from engagement.rewards.amounts import plain
from engagement.rewards.liability import STATUSES, Liabilities, Liability, PrizeKey
from engagement.rewards.redeemed_numbers import AtStore, Becoming, By
from engagement.rewards.settlement import Settled, SettlementKey, owed
from engagement.rewards.uplift import Difference, Group, Uplift
from infra.csv_text import csv_text
from kernel.clock import iso
from kernel.errors import FieldError, Invalid

router = APIRouter(prefix="/v1/reward-reports", tags=["Reward reports"])
_DAYS: Final = 30
_MOST_DAYS: Final = 366
_EACH_STATUS: Final = ("unscratched", *STATUSES)
Campaign = Annotated[
    str | None,
    Query(pattern=schemas.ID_PATTERN, description="Only this campaign's; else all of which something may be due."),
]


@dataclass(frozen=True, slots=True)
class Period:
    """Days of UTC, both counted."""

    first: date
    last: date

    @property
    def bounds(self) -> dict[str, datetime]:
        begin = datetime.combine(self.first, clock_time(), UTC)
        return {"since": begin, "until": datetime.combine(self.last, clock_time(), UTC) + timedelta(days=1)}

    @property
    def told(self) -> dict[str, str]:
        return {"from": self.first.isoformat(), "to": self.last.isoformat()}


def _period(
    house: TheHouse,
    first: Annotated[Day | None, Query(alias="from", description="Default: 29 days before `to`.")] = None,
    to: Annotated[Day | None, Query(description="Counted too. Default: today, by UTC.")] = None,
) -> Period:
    """Raises :class:`Invalid` for a time that ends before it begins, or is longer than a year."""
    last = to or house.clock().date()
    first = first or max(last, date.min + timedelta(days=_DAYS)) - timedelta(days=_DAYS - 1)
    if last == date.max or not 0 <= (last - first).days < _MOST_DAYS:
        detail = f"must not be after `to`, nor more than {_MOST_DAYS - 1} days before it"
        raise Invalid(errors=[FieldError("query:from", detail)])
    return Period(first, last)


Asked = Annotated[Period, Depends(_period)]
OneCampaign = Annotated[str, Query(pattern=schemas.ID_PATTERN)]
UpliftDays = Annotated[int, Query(ge=1, le=365, description="So long after the first card.")]
_DIFFERENCES: Final = ("spend", "came_back")
_UPLIFT_HEAD: Final = (
    *("group", "shoppers", "came_back", "spent", "mean"),
    *(f"{what}_difference{end}" for what in _DIFFERENCES for end in ("", "_low", "_high")),
)


@router.get("/liability", response_model=shapes.LiabilityAnswer, responses=schemas.READS)
async def reward_liability(house: TheHouse, caller: TheCaller, campaign: Campaign = None) -> Response:
    """What cards may still cost, and who bears it: of your own prizes, and of those that you hand out for allies.

    As of now, of campaigns that run, or have cards that may still be used. Of allies' campaigns you see only the prizes
    that you supply. What is under a foil is told of no card: `unscratched` is what is to be expected by the odds.
    """
    look = _liabilities(house, caller, campaign)

    def answer(conn: Connection) -> Response:
        found = look(conn)
        rows = [asdict(key) | _liable(each, key.currency) for key, each in found.prizes.items()]
        head = {"as_of": iso(house.clock()), "unscratched": found.unscratched}
        return json_answer(head | {"prizes": rows, "total": _totals(found.prizes)})

    return await house.read_long(answer)


@router.get("/liability.csv", response_class=Response, responses=schemas.CSV)
async def reward_liability_csv(house: TheHouse, caller: TheCaller, campaign: Campaign = None) -> Response:
    """The same as a table, with a row for each prize."""
    look = _liabilities(house, caller, campaign)
    counts = [f"{status}_{what}" for status in _EACH_STATUS for what in ("cards", "face_value")]
    head = [*PrizeKey.__slots__, *counts, "taken_off", "due"]

    def table(conn: Connection) -> bytes:
        return csv_text(head, [_liable_row(key, each) for key, each in look(conn).prizes.items()])

    return csv_answer(await house.read_long(table), "reward-liability.csv")


@router.get("/settlement", response_model=shapes.SettlementAnswer, responses=schemas.READS)
async def reward_settlement(house: TheHouse, caller: TheCaller, asked: Asked) -> Response:
    """What you and your allies owe each other for prizes of one that the other handed out in a period.

    Each of the two sees the same figures from its side. What was rolled back counts in the period in which it was, so
    that a period that was settled stays as it was.
    """
    look = _settled(caller, asked)

    def answer(conn: Connection) -> Response:
        found = look(conn)
        rows = [asdict(key) | _settled_row(key, each) for key, each in found.items()]
        return json_answer(asked.told | {"rows": rows, "allies": _balances(found)})

    return await house.read_long(answer)


@router.get("/settlement.csv", response_class=Response, responses=schemas.CSV)
async def reward_settlement_csv(house: TheHouse, caller: TheCaller, asked: Asked) -> Response:
    """The same as a table, with a row for each prize."""
    look = _settled(caller, asked)
    head = [*SettlementKey.__slots__, *Settled.__slots__, "owed_to_us", "owed_by_us"]

    def table(conn: Connection) -> bytes:
        rows = [tuple((asdict(key) | _settled_row(key, each)).values()) for key, each in look(conn).items()]
        return csv_text(head, rows)

    return csv_answer(await house.read_long(table), "reward-settlement.csv")


@router.get("/redemption", response_model=shapes.RedemptionReport, responses=schemas.READS)
async def reward_redemption(house: TheHouse, caller: TheCaller, asked: Asked, by: By = "campaign") -> Response:
    """Of your own cards that were issued in a period: how many were scratched and used, and how soon. And at which of
    your stores codes were used in it, your own and allies'."""
    look = _redeemed(caller, asked, by)

    def answer(conn: Connection) -> Response:
        rows = [_named(by, key) | _becoming(each) for key, each in look(conn).items()]
        stores = redeemed_numbers.by_store(conn, caller.merchant_id, **asked.bounds)
        told = asked.told | {"by": by, "rows": rows}
        return json_answer(told | {"stores": [_at_store(each) for each in stores]})

    return await house.read_long(answer)


@router.get("/redemption.csv", response_class=Response, responses=schemas.CSV)
async def reward_redemption_csv(house: TheHouse, caller: TheCaller, asked: Asked, by: By = "campaign") -> Response:
    """The same as a table, without the stores."""
    look = _redeemed(caller, asked, by)
    head = [*_named(by, ("", "")), *_becoming(Becoming())]

    def table(conn: Connection) -> bytes:
        return csv_text(head, [tuple((_named(by, key) | _becoming(each)).values()) for key, each in look(conn).items()])

    return csv_answer(await house.read_long(table), "reward-redemption.csv")


@router.get("/uplift", response_model=shapes.UpliftAnswer, responses=schemas.READS)
async def reward_uplift(house: TheHouse, caller: TheCaller, campaign: OneCampaign, days: UpliftDays = 30) -> Response:
    """Whether a card brings shoppers back: those who got one against those whom the campaign's `holdout` kept without.

    Each difference comes with the interval in which it lies in 95 of 100 cases; with fewer than 30 shoppers in a group
    there is none. Without a holdout both are null: who earns a card buys more anyway, and that says nothing of cards.
    """
    caller.require_whole("rewards:read")

    def answer(conn: Connection) -> Response:
        record = find.campaign(conn, caller.merchant_id, campaign)
        found = uplift.uplift(conn, record, days=days, now=house.clock())
        currency = record.definition.currency
        head: dict[str, Any] = {"campaign": campaign, "days": days, "currency": currency}
        head |= {"holdout": record.definition.holdout}
        groups = {"with_cards": _group(found.with_cards, currency), "held_out": _group(found.without, currency)}
        apart = {"spend": _spend(found.spend, currency), "came_back": _percent_points(found.back)}
        return json_answer(head | groups | apart)

    return await house.read_long(answer)


@router.get("/uplift.csv", response_class=Response, responses=schemas.CSV)
async def reward_uplift_csv(
    house: TheHouse, caller: TheCaller, campaign: OneCampaign, days: UpliftDays = 30
) -> Response:
    """The same as a table: a row for each group, and one for the difference, with its interval."""
    caller.require_whole("rewards:read")

    def table(conn: Connection) -> bytes:
        record = find.campaign(conn, caller.merchant_id, campaign)
        found = uplift.uplift(conn, record, days=days, now=house.clock())
        return csv_text(_UPLIFT_HEAD, _uplift_rows(found, record.definition.currency))

    return csv_answer(await house.read_long(table), "reward-uplift.csv")


def _liabilities(house: House, caller: Caller, campaign: str | None) -> Callable[[Connection], Liabilities]:
    caller.require_whole("rewards:read")
    return lambda conn: liability.liabilities(conn, caller.merchant_id, now=house.clock(), campaign_id=campaign)


def _settled(caller: Caller, asked: Period) -> Callable[[Connection], dict[SettlementKey, Settled]]:
    caller.require_whole("rewards:read")
    return lambda conn: settlement.settlement(conn, caller.merchant_id, **asked.bounds)


def _redeemed(caller: Caller, asked: Period, by: By) -> Callable[[Connection], dict[tuple[str, str], Becoming]]:
    caller.require_whole("rewards:read")
    return lambda conn: redeemed_numbers.becoming(conn, caller.merchant_id, by, **asked.bounds)


def _liable(found: Liability, currency: str) -> dict[str, Any]:
    states: dict[str, Any] = {
        "unscratched": {"cards": _tenths(found.expected), "face_value": plain(found.expected_value, currency)}
    }
    states |= {
        each: {"cards": found.cards[each], "face_value": plain(found.face_value[each], currency)} for each in STATUSES
    }
    return states | {"taken_off": plain(found.taken_off, currency), "due": plain(found.due, currency)}


def _liable_row(key: PrizeKey, found: Liability) -> tuple[object, ...]:
    told = _liable(found, key.currency)
    counts = [each for status in _EACH_STATUS for each in told[status].values()]
    return (*asdict(key).values(), *counts, told["taken_off"], told["due"])


def _tenths(count: Fraction) -> str:
    return str(round(Decimal(count.numerator) / count.denominator, 1))


def _totals(found: dict[PrizeKey, Liability]) -> list[dict[str, Any]]:
    """By who bears it, and currency."""
    totals: dict[tuple[str, str], Liability] = {}
    for key, each in found.items():
        payer = key.issuer if key.bearer == "issuer" else key.supplier
        totals.setdefault((payer, key.currency), Liability()).add(each)
    return [
        {"borne_by": payer, "currency": code} | _liable(each, code) for (payer, code), each in sorted(totals.items())
    ]


def _settled_row(key: SettlementKey, found: Settled) -> dict[str, Any]:
    to_us, by_us = owed(key, found)
    amounts = {"amount": found.amount, "amount_back": found.amount_back, "owed_to_us": to_us, "owed_by_us": by_us}
    return asdict(found) | {name: plain(amount, key.currency) for name, amount in amounts.items()}


def _balances(found: dict[SettlementKey, Settled]) -> list[dict[str, Any]]:
    sums: dict[tuple[str, str], list[int]] = {}
    for key, each in found.items():
        total = sums.setdefault((key.ally, key.currency), [0, 0])
        to_us, by_us = owed(key, each)
        total[0] += to_us
        total[1] += by_us
    return [
        {"ally": ally, "currency": code, "owed_to_us": plain(to_us, code), "owed_by_us": plain(by_us, code)}
        | {"balance": plain(to_us - by_us, code)}
        for (ally, code), (to_us, by_us) in sorted(sums.items())
    ]


def _named(by: By, key: tuple[str, str]) -> dict[str, str | None]:
    """A blank has no prize."""
    campaign, name = key
    return {"campaign": campaign} | ({} if by == "campaign" else {str(by): name or None})


def _becoming(found: Becoming) -> dict[str, Any]:
    return {
        "issued": found.issued,
        "scratched": found.scratched,
        "won": found.won,
        "used": found.used,
        "scratched_percent": _share(found.scratched, found.issued),
        "used_percent": _share(found.used, found.won),
        "seconds_to_use_median": found.within(50),
        "seconds_to_use_90_percent": found.within(90),
    }


def _at_store(found: AtStore) -> dict[str, Any]:
    return asdict(found) | {"amount": plain(found.amount, found.currency)}


def _share(part: int, whole: int) -> str | None:
    """In percent, as a decimal string."""
    return str(round(Decimal(100 * part) / whole, 1)) if whole else None


def _group(found: Group, currency: str) -> dict[str, Any]:
    return {
        "shoppers": found.shoppers,
        "came_back": found.back,
        "spent": plain(found.spent, currency),
        "mean": plain(round(found.mean), currency) if found.shoppers else None,
    }


def _spend(found: Difference | None, currency: str) -> dict[str, str] | None:
    return {name: plain(round(value), currency) for name, value in asdict(found).items()} if found else None


def _uplift_rows(found: Uplift, currency: str) -> list[tuple[object, ...]]:
    groups = (("with_cards", found.with_cards), ("held_out", found.without))
    rows: list[tuple[object, ...]] = [(name, *_group(each, currency).values(), *[None] * 6) for name, each in groups]
    spend, back = _spend(found.spend, currency) or {}, _percent_points(found.back) or {}
    apart = [told.get(name) for told in (spend, back) for name in ("value", "low", "high")]
    return [*rows, ("difference", *[None] * 4, *apart)]


def _percent_points(found: Difference | None) -> dict[str, str] | None:
    return {name: str(round(100 * value, 1)) for name, value in asdict(found).items()} if found else None
