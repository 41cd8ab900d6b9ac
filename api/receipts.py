"""Receipts for integrators: post, put, batch, list, get."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Path, Query, Request, Response
from sqlalchemy import Connection

from accounts import find as accounts_find
from accounts.fields import SLUG
from accounts.keys import Caller
from api import named, schemas
from api.answers import json_answer, no_content
from api.body import json_body
from api.house import House, TheHouse
from api.key_ring import TheCaller
from engagement import forgetting
from infra import metrics
from kernel import money
from kernel.clock import iso
from kernel.errors import FieldError, Invalid, Problem
from kernel.ids import TOKEN_PATTERN
from pos.intake import Arrival, arrive
from receipts import find, listing, retention
from receipts.fields import Moment
from receipts.issue import Issued
from receipts.reading import read_sale
from receipts.records import ReceiptRecord, RelatedReceipt, canonical
from receipts.sale import Kind

MOST_IN_A_BATCH = 500
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


named.register()
router = APIRouter(prefix="/v1/receipts", tags=["Receipts"])
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="The same key and body twice make one receipt.",
    ),
]
Token = Annotated[str, Path(pattern=TOKEN_PATTERN, description="A link token that the till minted.")]
# Of the same name as the token: OpenAPI knows no two templates for one address.
IdOrToken = Annotated[str, Path(pattern=schemas.ID_PATTERN, description="The receipt's `id`, or its token.")]


@router.post("", status_code=201, responses=schemas.ACCEPTS, openapi_extra=schemas.body("Sale"))
async def post_receipt(
    request: Request, house: TheHouse, caller: TheCaller, idempotency_key: IdempotencyKey = None
) -> Response:
    """Accept a sale, refund, void or exchange. 201 for a new receipt, 200 with the same body for a repetition."""
    caller.require("receipts:write")
    return _answer(house, await _accept(house, await _arrival(house, caller, request, idempotency_key)))


@router.put("/{token:receipt}", status_code=201, responses=schemas.ACCEPTS, openapi_extra=schemas.body("Sale"))
async def put_receipt(
    token: Token, request: Request, house: TheHouse, caller: TheCaller, idempotency_key: IdempotencyKey = None
) -> Response:
    """Accept a sale behind a token that the till minted: its QR code may have been printed hours ago."""
    caller.require("receipts:write")
    return _answer(house, await _accept(house, await _arrival(house, caller, request, idempotency_key, token)))


@router.post("/batch", responses=schemas.BATCH, openapi_extra=schemas.body("Batch"))
async def post_batch(
    request: Request, house: TheHouse, caller: TheCaller, idempotency_key: IdempotencyKey = None
) -> Response:
    """Accept up to 500 sales, each by itself. A sale may carry its own `token`.

    With an `Idempotency-Key`, each place of the batch has a key of its own, so a batch can be sent again as it was.
    """
    caller.require("receipts:write")
    sales = _batch(await json_body(request))
    results = await _accept_all(house, caller, sales, idempotency_key)
    return json_answer({"results": [_result(house, result) for result in results]})


@router.get("", response_model=schemas.ReceiptList, responses=schemas.READS)
async def list_receipts(
    house: TheHouse,
    caller: TheCaller,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    store: Annotated[str | None, Query(pattern=SLUG)] = None,
    till: Annotated[str | None, Query(pattern=SLUG, description="Needs `store` beside it.")] = None,
    staff: Annotated[str | None, Query(pattern=SLUG)] = None,
    kind: Kind | None = None,
    number: Annotated[str | None, Query(max_length=128)] = None,
    external_id: Annotated[str | None, Query(max_length=128)] = None,
    email: Annotated[str | None, Query(max_length=254)] = None,
    issued_from: Moment | None = None,
    issued_before: Moment | None = None,
) -> Response:
    """Newest first. Follow `next_cursor` until it is null."""
    caller.require("receipts:read")
    wanted = listing.Wanted(
        kind=kind,
        number=_clean(number, "number"),
        external_id=_clean(external_id, "external_id"),
        email=_clean(email, "email"),
        issued_from=issued_from,
        issued_before=issued_before,
    )

    def look(conn: Connection) -> listing.Page:
        here = _within(conn, caller, wanted, store, till)
        if staff is not None:
            here = replace(here, staff_id=accounts_find.staff_id(conn, caller.merchant_id, staff))
        return listing.list_receipts(conn, caller.merchant_id, here, limit=limit, cursor=cursor)

    page = await house.read(look)
    receipts = [_summary(house, each) for each in page.receipts]
    return json_answer({"receipts": receipts, "next_cursor": page.next_cursor})


@router.get("/{token:receipt}", response_model=schemas.ReceiptDetail, responses=schemas.READS)
async def get_receipt(token: IdOrToken, house: TheHouse, caller: TheCaller) -> Response:
    """The canonical document, with the shopper, what came back, and the links."""
    caller.require("receipts:read")

    def look(conn: Connection) -> tuple[ReceiptRecord, dict[str, Any]]:
        where = {"store_id": caller.store_id, "till_id": caller.till_id}
        record = find.one(conn, caller.merchant_id, token, **where)
        return record, find.private_part(conn, caller.merchant_id, record.id)

    return json_answer(_detail(house, *await house.read(look)))


@router.delete("/{token:receipt}/shopper", status_code=204, responses=schemas.READS)
async def delete_shopper(token: IdOrToken, house: TheHouse, caller: TheCaller) -> Response:
    """Erase who bought: the `shopper`, `metadata`, wished deliveries, and all messages with their addresses; what they
    did with the seller's card by this receipt, and the contact that they left there.

    The receipt stays as it is. Twice is the same as once.
    """
    caller.require("receipts:write")

    def erase(conn: Connection) -> None:
        record = find.one(conn, caller.merchant_id, token, store_id=caller.store_id, till_id=caller.till_id)
        retention.erase_shopper(conn, caller.merchant_id, record.id)
        forgetting.forget_shopper(conn, caller.merchant_id, record.id)

    await house.write(erase)
    return no_content()


def links(base_url: str, token: str) -> dict[str, Any]:
    url = f"{base_url}/r/{token}"
    forms = {"url": url, "pdf_url": f"{url}.pdf", "text_url": f"{url}.txt", "json_url": f"{url}.json"}
    return forms | {"qr": {"svg_url": f"{url}/qr.svg", "png_url": f"{url}/qr.png"}}


async def _arrival(
    house: House, caller: Caller, request: Request, key: str | None, token: str | None = None
) -> Arrival:
    body = await json_body(request)
    if token is not None and isinstance(body, dict):
        if body.get("token") not in (None, token):
            raise Invalid(errors=[FieldError("/token", "differs from the token in the address; leave it out")])
        body = body | {"token": token}
    return _read(house, caller, body, key)


def _read(house: House, caller: Caller, body: Any, key: str | None) -> Arrival:
    try:
        sale = read_sale(body)
    except Problem:
        metrics.receipts_answered(refused=1)
        raise
    return arrive(
        caller.merchant_id,
        sale,
        now=house.clock(),
        idempotency_key=key,
        store_id=caller.store_id,
        till_id=caller.till_id,
    )


async def _accept(house: House, arrival: Arrival) -> Issued:
    answer = await house.writer.submit(arrival)
    if isinstance(answer, Problem):
        raise answer
    _show_at_once(house, [answer])
    return answer


def _show_at_once(house: House, issued: Sequence[Issued | Problem]) -> None:
    """The page of a receipt on which something came back must not come from memory."""
    for each in issued:
        if isinstance(each, Issued) and each.is_new and each.original_token:
            house.pages.forget(each.original_token)


def _batch(body: Any) -> list[Any]:
    sales = body.get("receipts") if isinstance(body, dict) else None
    if not isinstance(sales, list) or not 1 <= len(sales) <= MOST_IN_A_BATCH:
        raise Invalid(errors=[FieldError("/receipts", f"must be a list of 1 to {MOST_IN_A_BATCH} sales")])
    return sales


async def _accept_all(house: House, caller: Caller, sales: Sequence[Any], key: str | None) -> list[Issued | Problem]:
    results: list[Issued | Problem | None] = []
    arrivals: list[Arrival] = []
    for position, body in enumerate(sales):
        # Reading 500 sales takes a while; others are let in between.
        await asyncio.sleep(0)
        try:
            arrivals.append(_read(house, caller, body, f"{key} {position}" if key else None))
            results.append(None)
        except Problem as problem:
            results.append(problem)
    answers = iter(await house.writer.submit_all(arrivals))
    settled = [next(answers) if result is None else result for result in results]
    _show_at_once(house, settled)
    return settled


def _result(house: House, result: Issued | Problem) -> dict[str, Any]:
    if isinstance(result, Problem):
        return {"status": result.status, "problem": result.as_json()}
    return {"status": 201 if result.is_new else 200, "receipt": _accepted(house, result)}


def _accepted(house: House, issued: Issued) -> dict[str, Any]:
    head = {"id": issued.id, "token": issued.token, "number": issued.number}
    return head | links(house.base_url, issued.token) | {"warnings": orjson.loads(issued.warnings)}


def _answer(house: House, issued: Issued) -> Response:
    location = {"Location": f"/v1/receipts/{issued.id}"}
    return json_answer(_accepted(house, issued), 201 if issued.is_new else 200, location)


def _clean(text: str | None, name: str) -> str | None:
    if text is not None and _CONTROLS.search(text):
        raise Invalid(errors=[FieldError(f"query:{name}", "holds control characters")])
    return text


def _within(
    conn: Connection, caller: Caller, wanted: listing.Wanted, store: str | None, till: str | None
) -> listing.Wanted:
    """The wish, narrowed to ``store`` and ``till`` and to where the caller's key belongs."""
    store_id, till_id = caller.store_id, caller.till_id
    if store is not None:
        store_id = accounts_find.store_id(conn, caller.merchant_id, store)
        if caller.store_id not in (None, store_id):
            raise Invalid(errors=[FieldError("query:store", "is not the store that this key is bound to")])
    if till is not None:
        if store_id is None:
            raise Invalid(errors=[FieldError("query:store", "is missing; a till is found in its store")])
        till_id = accounts_find.till_id(conn, caller.merchant_id, store_id, till)
        if caller.till_id not in (None, till_id):
            raise Invalid(errors=[FieldError("query:till", "is not the till that this key is bound to")])
    return listing.narrowed(wanted, store_id=store_id, till_id=till_id)


def _summary(house: House, receipt: listing.Summary) -> dict[str, Any]:
    head = {"id": receipt.id, "number": receipt.number, "external_id": receipt.external_id, "kind": receipt.kind}
    sums = {"currency": receipt.currency, "total": money.plain(receipt.total, money.exponent(receipt.currency))}
    when = {"issued_at": iso(receipt.issued_at), "warnings": orjson.loads(receipt.warnings)}
    return head | sums | when | links(house.base_url, receipt.token)


def _detail(house: House, record: ReceiptRecord, private: dict[str, Any]) -> dict[str, Any]:
    beside = {"amendments": [_related(house, each) for each in record.amendments], "warnings": list(record.warnings)}
    return {"receipt": canonical(record)} | private | beside | links(house.base_url, record.token)


def _related(house: House, related: RelatedReceipt) -> dict[str, Any]:
    total = money.plain(related.total, money.exponent(related.currency))
    head = {"id": related.id, "kind": related.kind, "number": related.number, "total": total}
    return head | {"issued_at": iso(related.issued_at), "url": f"{house.base_url}/r/{related.token}"}
