"""How an order was paid, and how a refund was paid out.

A webhook carries no transactions: then only the names of the gateways and the financial status tell. Of a card the
company and the last four digits are kept, whatever the payload holds.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from kernel import money
from pos.event import Json
from pos.shopify.fields import number, plain, record, records, text, texts, without_nones
from pos.shopify.purse import NotInThisCurrency, Purse

_PAID: Final = frozenset({"paid", "partially_refunded", "refunded"})
_UNPAID: Final = frozenset({"pending", "partially_paid", "expired"})
_METHODS: Final = {
    "cash": "cash",
    "gift_card": "gift_card",
    "store_credit": "store_credit",
    "shopify_store_credit": "store_credit",
    "bank_deposit": "bank_transfer",
    "paypal": "wallet",
    "apple_pay": "wallet",
    "google_pay": "wallet",
    "amazon_payments": "wallet",
}
_SCHEMES: Final = {
    "visa": "visa",
    "mastercard": "mastercard",
    "american_express": "amex",
    "discover": "discover",
    "diners_club": "diners",
    "jcb": "jcb",
    "unionpay": "unionpay",
    "maestro": "maestro",
    "interac": "interac",
}
# What a page can say in the reader's own language.
_TOLD_BY_METHOD: Final = frozenset({"cash", "gift_card", "store_credit"})
_AUTHORIZATION: Final = re.compile(r"[A-Za-z0-9]{4,12}")


def sums(order: Json, purse: Purse, transactions: Sequence[Json], total: int) -> Json:
    """``payments`` and ``balance_due`` of the canonical sale; neither where the payload does not tell."""
    settled = paid_in(purse, transactions)
    if settled:
        return {"payments": settled} | _balance(order, purse, total - _sum_of(settled, purse))
    status = text(order.get("financial_status"))
    if status in _PAID and total:
        return {"payments": [_by_names(order, purse, total)]}
    if status not in _UNPAID:
        return {}
    due = purse.amount(order, "total_outstanding") if status == "partially_paid" else None
    due = total if due is None or not 0 <= due <= total else due
    paid = [_by_names(order, purse, total - due)] if total > due else []
    return {"payments": paid, "balance_due": purse.plain(due)}


def _balance(order: Json, purse: Purse, open_: int) -> Json:
    return {"balance_due": purse.plain(open_)} if open_ > 0 and text(order.get("financial_status")) in _UNPAID else {}


def _sum_of(payments: Sequence[Json], purse: Purse) -> int:
    return sum(purse.minor(Decimal(payment["amount"])) for payment in payments)


def received(order: Json, purse: Purse, transactions: Sequence[Json]) -> int | None:
    """What the shopper paid before anything went back; None where the payload does not tell."""
    settled = paid_in(purse, transactions)
    if settled:
        return _sum_of(settled, purse)
    try:
        now, open_ = purse.amount(order, "current_total_price"), purse.amount(order, "total_outstanding")
    except NotInThisCurrency:
        return None
    if now is None or open_ is None:
        return None
    back = (each for refund in records(order.get("refunds")) for each in moved(refund))
    return now - open_ + sum(amount_of(each, purse) for each in back)


def moved(refund: Json) -> list[Json]:
    """The transactions of a refund in which money went back."""
    return [each for each in records(refund.get("transactions")) if each.get("kind") == "refund" and _is_good(each)]


def paid_in(purse: Purse, transactions: Sequence[Json]) -> list[Json]:
    """Empty unless every transaction that settled is in this currency."""
    final = [each for each in transactions if each.get("kind") in ("sale", "capture")]
    settled = [each for each in final if each.get("status") == "success"]
    return [_payment(each, transactions, purse) for each in settled] if are_in(settled, purse) else []


def paid_out(transactions: Sequence[Json], purse: Purse) -> list[Json]:
    return [_payment(each, (), purse) for each in transactions]


def exchanged(transactions: Sequence[Json], amount: int, purse: Purse) -> list[Json]:
    """``amount`` that was paid out in another currency, as one tender."""
    currencies = [text(each.get("currency")) for each in transactions]
    elsewhere = sum((number(each.get("amount")) or Decimal(0) for each in transactions), Decimal(0))
    is_one = len(set(currencies)) == 1 and currencies[0] in money.EXPONENTS
    foreign = {"currency": currencies[0], "amount": plain(elsewhere)} if is_one else {}
    return [without_nones(_payment(transactions[0], (), purse) | {"amount": purse.plain(amount), "foreign": foreign})]


def are_in(transactions: Sequence[Json], purse: Purse) -> bool:
    """A transaction states its amount in a currency of its own: the shop's, or the shopper's."""
    return all(each.get("currency") in (None, purse.currency) for each in transactions)


def _is_good(transaction: Json) -> bool:
    return transaction.get("status") in ("success", "pending", None)


def amount_of(transaction: Json, purse: Purse) -> int:
    return purse.minor(number(transaction.get("amount")) or Decimal(0))


def rounding_of(transaction: Json, purse: Purse) -> int:
    """What cash was rounded by, on top of the amount."""
    return purse.minor(number(transaction.get("amount_rounding")) or Decimal(0))


def _payment(transaction: Json, all_: Sequence[Json], purse: Purse) -> Json:
    """At a till the change is a transaction of its own that names the cash it was given on."""
    amount = amount_of(transaction, purse) + rounding_of(transaction, purse)
    back = [each for each in all_ if each.get("kind") == "change" and each.get("parent_id") == transaction.get("id")]
    change = sum(abs(amount_of(each, purse)) for each in back)
    cash = {"tendered": purse.plain(amount), "change": purse.plain(change)} if change else {}
    authorization = text(transaction.get("authorization")) or ""
    told = {"authorization": authorization} if _AUTHORIZATION.fullmatch(authorization) else {}
    how = _how([text(transaction.get("gateway")) or ""], _details(transaction, all_))
    return without_nones(how | {"amount": purse.plain(amount - change)} | cash | told)


def _details(transaction: Json, all_: Sequence[Json]) -> Json:
    """Of the card; a capture leaves them with the authorization that it belongs to."""
    parents = (each for each in all_ if each.get("id") == transaction.get("parent_id") is not None)
    found = (record(each.get("payment_details")) for each in (transaction, *parents))
    return next(filter(None, found), {})


def _by_names(order: Json, purse: Purse, amount: int) -> Json:
    names = texts(order.get("payment_gateway_names")) or [text(order.get("gateway")) or ""]
    how = _how(list(dict.fromkeys(names)), record(order.get("payment_details")))
    return without_nones(how | {"amount": purse.plain(amount)})


def _how(gateways: Sequence[str], details: Json) -> Json:
    """The method and what to print. Several gateways in one sum cannot be told apart, so all are named."""
    if len(gateways) == 1 and (card := _card(details)):
        return card
    methods = {_METHODS.get(_slug(gateway), "other") for gateway in gateways}
    method = methods.pop() if len(methods) == 1 else "other"
    if method in _TOLD_BY_METHOD:
        return {"method": method}
    name = " + ".join(_title(gateway) for gateway in gateways if gateway)[:300]
    return {"method": method, "name": name}


def _card(details: Json) -> Json:
    company, digits = text(details.get("credit_card_company"), 60), text(details.get("credit_card_number"), 60)
    if not company and not digits:
        return {}
    last4 = re.sub(r"[^0-9A-Za-z]", "", digits or "")[-4:]
    wallet = text(details.get("credit_card_wallet"), 60)
    return {
        "method": "card",
        "scheme": _SCHEMES.get(_slug(company), company) if company else None,
        "last4": last4,
        "wallet": _title(wallet) if wallet else None,
    }


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _title(name: str) -> str:
    """``shopify_payments`` is ``Shopify Payments``; a name that someone wrote stays as it is."""
    return name.replace("_", " ").title() if name == _slug(name) else name
