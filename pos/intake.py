"""The one intake: whatever brought a sale, it becomes a receipt here, in one transaction."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

import orjson
from sqlalchemy import Connection

from accounts.places import Directory, Place
from engagement.rewards import prize_wallets
from kernel import money
from kernel.errors import Conflict, FieldError, Forbidden, Invalid, Problem, Unauthorized
from kernel.ids import is_token, new_id, new_token
from notify.asking import Post, Wanted, ask
from pos import asked, gifts, wallets
from pos.gifts import Giver
from receipts import amend, totals
from receipts.document import Issuer
from receipts.fields import context_for
from receipts.issue import Draft, Issued, issue, repetition, warn
from receipts.retention import purged
from receipts.sale import Content, Sale

_CONTENT = frozenset(Content.model_fields)
_PRIVATE = {"shopper", "metadata", "deliver", "deliver_pdf"}


class DoesNotAddUp(Invalid):
    slug: ClassVar[str] = "does-not-add-up"
    title: ClassVar[str] = "The sale does not add up"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A sale at the door: read and checked, not yet accepted.

    Its id and token are drawn here, before any transaction, so that a try that was lost on the way to the database and
    is made again finds what the first one wrote.
    """

    merchant_id: str
    sale: Sale
    id: str
    token: str
    content: str
    private: str
    fingerprint: str
    findings: Sequence[FieldError]
    source: str = "api"
    idempotency_key: str | None = None
    store_id: str | None = None
    till_id: str | None = None
    # An adapter never refuses what the other system already sold.
    only_flag: bool = False


def arrive(
    merchant_id: str,
    sale: Sale,
    *,
    now: datetime,
    source: str = "api",
    idempotency_key: str | None = None,
    store_id: str | None = None,
    till_id: str | None = None,
    only_flag: bool = False,
) -> Arrival:
    """``store_id`` and ``till_id`` bind the sale to where the caller's key belongs."""
    if sale.token is not None and not is_token(sale.token):
        raise Invalid(
            errors=[FieldError("/token", "does not look random; 128 random bits as 22 URL-safe characters would do")]
        )
    if undeliverable := asked.undeliverable(sale):
        raise Invalid(errors=undeliverable)
    context = context_for(sale.currency)
    content = sale.model_dump_json(include=set(_CONTENT), exclude_defaults=True, context=context)
    rest = sale.model_dump_json(exclude=set(_CONTENT | {"token"}), exclude_defaults=True, context=context)
    private = sale.model_dump_json(include=_PRIVATE, exclude_defaults=True, context=context)
    return Arrival(
        merchant_id=merchant_id,
        sale=sale,
        id=new_id("rct", now),
        token=sale.token or new_token(),
        content=content,
        private=private,
        fingerprint=hashlib.sha256(f"{content}\n{rest}".encode()).hexdigest(),
        findings=totals.check(sale),
        source=source,
        idempotency_key=idempotency_key,
        store_id=store_id,
        till_id=till_id,
        only_flag=only_flag,
    )


def take(
    conn: Connection,
    arrivals: Sequence[Arrival],
    *,
    directories: Mapping[str, Directory],
    now: datetime,
    post: Post | None = None,
    giver: Giver | None = None,
) -> list[Issued | Problem]:
    """Accept each arrival or say why not, in the caller's transaction; the answers come in the order of the arrivals.

    Plain sales are written together. What gives money back goes one by one, each in its own savepoint, after the sales
    of the same call, so that a batch may hold a sale and its refund. The messages that a new receipt asks for are
    written down with it; without ``post``, as for sales of long ago, none is. Nor are rewards given without ``giver``;
    what a refund takes back it takes back in any case.
    """
    sales, amending, answers = _drafts(conn, arrivals, directories, now)
    for index in _dead(conn, dict(enumerate(arrivals))):
        answers[index] = _purged()
        sales.pop(index, None)
        amending.pop(index, None)
    answers |= _take_sales(conn, arrivals, sales, now)
    for index, draft in amending.items():
        answers[index] = _take_amending(conn, arrivals[index], draft, now)
    issued = [(arrivals[at], each) for at, each in answers.items() if isinstance(each, Issued)]
    new = [(arrival, each) for arrival, each in issued if each.is_new]
    if giver is not None:
        giver.give(conn, new, directories, now)
    void = gifts.take_back(conn, new, now)
    if post is not None:
        ask(conn, post, [wanted for arrival, each in new for wanted in _wanted(arrival, each)], now=now)
        amended = [(arrival.merchant_id, each) for arrival, each in issued]
        wallets.tell_of_amended(conn, post.jobs, amended, now=now)
        prize_wallets.tell(conn, post.jobs, void, now=now)
    return [answers[index] for index in range(len(arrivals))]


def _drafts(
    conn: Connection, arrivals: Sequence[Arrival], directories: Mapping[str, Directory], now: datetime
) -> tuple[dict[int, Draft], dict[int, Draft], dict[int, Issued | Problem]]:
    """Sales, what amends others, and answers to what is neither, by the place of the arrival."""
    answers: dict[int, Issued | Problem] = {}
    sales: dict[int, Draft] = {}
    amending: dict[int, Draft] = {}
    for index, arrival in enumerate(arrivals):
        try:
            draft = draft_of(arrival, directories, now)
        except Problem as problem:
            answers[index] = _refused(conn, arrival, problem, now)
            continue
        (sales if arrival.sale.kind == "sale" else amending)[index] = draft
    return sales, amending, answers


def _wanted(arrival: Arrival, issued: Issued) -> list[Wanted]:
    return asked.messages(arrival.sale, arrival.merchant_id, issued.id)


def _dead(conn: Connection, arrivals: Mapping[int, Arrival]) -> list[int]:
    """Which arrivals come with the link of a receipt that was purged. Only what tills mint is asked for."""
    minted = {index: arrival.token for index, arrival in arrivals.items() if arrival.sale.token is not None}
    found = purged(conn, minted.values()) if minted else set()
    return [index for index, token in minted.items() if token in found]


def _take_sales(
    conn: Connection, arrivals: Sequence[Arrival], sales: Mapping[int, Draft], now: datetime
) -> dict[int, Issued | Problem]:
    """All in one go. Where a token is the till's, the marks are asked for once more: while its receipt is being purged,
    no mark is to be seen yet, and what is written waits for the purge to be over."""
    if not any(draft.is_minted for draft in sales.values()):
        return dict(zip(sales, issue(conn, list(sales.values()), now=now), strict=True))
    with conn.begin_nested() as trial:
        answers = dict(zip(sales, issue(conn, list(sales.values()), now=now), strict=True))
        dead = _dead(conn, {index: arrivals[index] for index, answer in answers.items() if _is_new(answer)})
        if not dead:
            return answers
        trial.rollback()
    others = {index: draft for index, draft in sales.items() if index not in dead}
    return dict.fromkeys(dead, _purged()) | _take_sales(conn, arrivals, others, now)


def _is_new(answer: Issued | Problem) -> bool:
    return isinstance(answer, Issued) and answer.is_new


def _purged() -> Conflict:
    wrong = FieldError("/token", "led to a receipt that was deleted; mint a new one")
    return Conflict("The token's receipt was deleted for good", errors=[wrong])


def _take_amending(conn: Connection, arrival: Arrival, draft: Draft, now: datetime) -> Issued | Problem:
    try:
        with conn.begin_nested():
            answer = _issue_amending(conn, arrival, draft, now)
            if _is_new(answer) and _dead(conn, {0: arrival}):
                raise _purged()
            return answer
    except Problem as problem:
        return _refused(conn, arrival, problem, now)


def _refused(conn: Connection, arrival: Arrival, problem: Problem, now: datetime) -> Issued | Problem:
    """A sale that was accepted before is answered as it was then, even if it would be refused today: since, a setting
    may have changed, or a second receipt have been given the number that names the original."""
    if not isinstance(problem, Invalid):
        return problem
    return repetition(conn, _drafted(arrival, _what_was_sold(arrival, now))) or problem


def _issue_amending(conn: Connection, arrival: Arrival, draft: Draft, now: datetime) -> Issued | Problem:
    sale, merchant_id = arrival.sale, arrival.merchant_id
    if sale.original is None:
        if sale.kind == "exchange":
            return issue(conn, [draft], now=now)[0]
        raise Invalid(errors=[FieldError("/original", f"is missing; a {sale.kind} names the receipt it is about")])
    original = amend.find_original(conn, merchant_id, arrival.source, sale.original)
    amend.check_original(sale, original)
    [issued] = issue(conn, [replace(draft, row=draft.row | {"original_id": original.id})], now=now)
    if not isinstance(issued, Issued) or not issued.is_new:
        return issued
    beyond = amend.settle(conn, merchant_id, sale, original, only_flag=arrival.only_flag)
    if beyond:
        issued = warn(conn, merchant_id, issued, _with_excess(issued.warnings, beyond, sale.currency))
    return replace(issued, original_token=original.token)


def _with_excess(warnings: str, beyond: int, currency: str) -> str:
    more = FieldError("/total", f"is {money.plain(beyond, money.exponent(currency))} more than could still go back")
    return orjson.dumps([*orjson.loads(warnings), more.as_json()]).decode()


def draft_of(arrival: Arrival, directories: Mapping[str, Directory], now: datetime) -> Draft:
    """The rows of an arrival. Raises the :class:`Problem` for which it is refused."""
    sale, directory = arrival.sale, directories.get(arrival.merchant_id)
    if directory is None:
        raise Unauthorized("The key's merchant is gone")
    if sale.kind == "sale" and sale.original is not None:
        raise Invalid(errors=[FieldError("/original", "belongs to a refund, void or exchange; a sale has none")])
    place = _place(arrival, directory)
    till = _till(arrival, directory, place)
    staff = directory.staff.get(sale.staff) if sale.staff else None
    row = _what_was_sold(arrival, now) | {
        "brand_id": place.brand_id,
        "store_id": place.id,
        "till_id": till[0] if till else None,
        "staff_id": staff[0] if staff else None,
        "warnings": _warnings(arrival, directory),
        "issuer": _issuer(place, till[1] if till else None, staff[1] if staff else None),
    }
    return _drafted(arrival, row)


def _drafted(arrival: Arrival, row: dict[str, Any]) -> Draft:
    return Draft(row, _shopper(arrival), arrival.idempotency_key, is_minted=arrival.sale.token is not None)


def _what_was_sold(arrival: Arrival, now: datetime) -> dict[str, Any]:
    sale = arrival.sale
    return {
        "id": arrival.id,
        "merchant_id": arrival.merchant_id,
        "token": arrival.token,
        "source": arrival.source,
        "external_id": sale.external_id,
        "number": sale.number or arrival.id[-10:].upper(),
        "kind": sale.kind,
        "currency": sale.currency,
        "total": sale.total,
        "issued_at": sale.issued_at,
        "accepted_at": now,
        "original_id": None,
        "fingerprint": arrival.fingerprint,
        "content": arrival.content,
    }


def _warnings(arrival: Arrival, directory: Directory) -> str:
    """What is wrong, as JSON, where the merchant wants it flagged; else it is a reason to refuse."""
    findings = list(arrival.findings)
    if arrival.sale.staff and arrival.sale.staff not in directory.staff:
        findings.append(FieldError("/staff", "is not a member of staff of this merchant"))
    if findings and directory.on_mismatch == "refuse" and not arrival.only_flag:
        raise DoesNotAddUp(errors=findings) if arrival.findings else Invalid(errors=findings)
    return orjson.dumps([finding.as_json() for finding in findings]).decode()


def _place(arrival: Arrival, directory: Directory) -> Place:
    place = directory.store_of(arrival.sale.store, arrival.store_id)
    if place is None:
        wrong = (
            "is not a store of this merchant"
            if arrival.sale.store
            else "is missing; the merchant has not exactly one store"
        )
        raise Invalid(errors=[FieldError("/store", wrong)])
    if arrival.store_id not in (None, place.id):
        raise Forbidden("This key is bound to another store")
    return place


def _till(arrival: Arrival, directory: Directory, place: Place) -> tuple[str, str] | None:
    """The till's id and name."""
    if arrival.sale.till is None:
        if arrival.till_id is None:
            return None
        known = (till for (store_id, _), till in directory.tills.items() if store_id == place.id)
        return next((till for till in known if till[0] == arrival.till_id), None)
    till = directory.tills.get((place.id, arrival.sale.till))
    if till is None:
        raise Invalid(errors=[FieldError("/till", "is not a till of this store")])
    if arrival.till_id not in (None, till[0]):
        raise Forbidden("This key is bound to another till")
    return till


def _issuer(place: Place, till: str | None, staff: str | None) -> str:
    issuer = Issuer(
        brand=place.brand_name,
        store=place.name,
        legal_name=place.legal_name,
        address=place.address,
        phone=place.phone,
        timezone=place.timezone,
        tax_id=place.tax_id,
        till=till,
        staff=staff,
    )
    return issuer.model_dump_json(exclude_defaults=True)


def _shopper(arrival: Arrival) -> dict[str, Any] | None:
    if arrival.private == "{}":
        return None
    email = arrival.sale.shopper.email if arrival.sale.shopper else None
    searchable = email.lower() if email else None
    return {
        "receipt_id": arrival.id,
        "merchant_id": arrival.merchant_id,
        "email": searchable,
        "details": arrival.private,
    }
