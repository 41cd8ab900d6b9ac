"""What the OpenAPI document says of bodies and answers that the endpoints read and write by themselves."""

from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue
from pydantic.json_schema import models_json_schema

from accounts.fields import Channel
from api.examples import EXAMPLES
from notify.find import State
from receipts.fields import Amount
from receipts.sale import Sale, Shopper

ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
Id = Annotated[str, Path(pattern=ID_PATTERN)]
PICTURES = ("image/png", "image/jpeg", "image/webp")
_REF = "#/components/schemas/"


class _Answer(BaseModel):
    model_config = ConfigDict(json_schema_mode_override="serialization")


class FieldFault(_Answer):
    pointer: str = Field(description="A JSON pointer into the body, or header:Name, query:name.")
    detail: str


class ProblemDetails(_Answer):
    """RFC 9457. `errors` names the fields at fault and what would be right; what was sent is never repeated."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: list[FieldFault] = []


class QrLinks(_Answer):
    svg_url: str
    png_url: str


class Links(_Answer):
    url: str = Field(description="The receipt's page: what the QR code holds, and what a message links to.")
    pdf_url: str
    text_url: str
    json_url: str
    qr: QrLinks


class Accepted(Links):
    id: str
    token: str
    number: str
    warnings: list[FieldFault] = Field(description="What does not add up but was accepted, by the merchant's setting.")


class BatchItem(_Answer):
    status: int = Field(description="What the sale would have been answered by itself.")
    receipt: Accepted | None = None
    problem: ProblemDetails | None = None


class BatchAnswer(_Answer):
    results: list[BatchItem]


class Batch(BaseModel):
    """Each sale stands by itself: one that is refused leaves the others alone."""

    receipts: list[Sale] = Field(min_length=1, max_length=500)


class ReceiptSummary(Links):
    id: str
    number: str
    external_id: str | None
    kind: Literal["sale", "refund", "void", "exchange"]
    currency: str
    total: Amount
    issued_at: AwareDatetime
    warnings: list[FieldFault]


class ReceiptList(_Answer):
    receipts: list[ReceiptSummary]
    next_cursor: str | None


class Amendment(_Answer):
    id: str
    kind: Literal["refund", "void", "exchange"]
    number: str
    total: Amount
    issued_at: AwareDatetime
    url: str


class ReceiptDetail(Links):
    receipt: dict[str, JsonValue] = Field(description="The canonical document, as `/r/{token}.json` serves it.")
    shopper: Shopper | None = None
    metadata: dict[str, JsonValue] = {}
    deliver: list[str] = []
    deliver_pdf: bool = False
    amendments: list[Amendment] = Field(description="Refunds, voids and exchanges of this receipt, oldest first.")
    warnings: list[FieldFault]


class Delivery(_Answer):
    id: str
    receipt_id: str | None = Field(description="Null where it is no receipt that was sent.")
    about: str = Field(
        description="The receipt; or `con_…`, a contact left on a card, `inv_…`, an invite, `cas_…`, a case, or "
        "`ask_…`, a reminder of a survey."
    )
    channel: Channel
    to: str
    language: str | None
    pdf: bool
    state: State = Field(
        description="`sent`: the next mail server took it. `refused`: it will not. `bounced`: it came back later. "
        "`failed`: given up after two days. `stopped`: the address wants none."
    )
    attempts: int
    detail: str | None = Field(description="The last word of a mail server, or why nothing was sent.")
    asked_at: AwareDatetime
    due_at: AwareDatetime | None = Field(description="When it is tried next, while it waits.")
    settled_at: AwareDatetime | None


class DeliveryList(_Answer):
    deliveries: list[Delivery]
    next_cursor: str | None


class Key(_Answer):
    id: str
    name: str
    hint: str = Field(description="How the key begins; all that is left of it to see.")
    scopes: list[str]
    store_id: str | None
    till_id: str | None
    created_at: AwareDatetime
    revoked_at: AwareDatetime | None


class KeyList(_Answer):
    keys: list[Key]


class CreatedKey(Key):
    key: str = Field(description="The key itself. It is shown this once and stored nowhere.")


class MerchantAnswer(_Answer):
    slug: str
    name: str
    on_mismatch: Literal["refuse", "flag"]
    keep_days: int | None = Field(description="Receipts older than this are deleted; null keeps them for ever.")


class BrandAnswer(_Answer):
    id: str
    slug: str
    name: str
    colour: str
    languages: list[str] = Field(description="The first is the fallback.")
    website: str | None
    support_email: str | None
    support_phone: str | None
    support_url: str | None
    return_text: dict[str, str]
    logo_key: str | None = Field(description="The logo is at `/media/{logo_key}`.")


class BrandList(_Answer):
    brands: list[BrandAnswer]


class AddressAnswer(_Answer):
    """What is not given is left out."""

    lines: list[str] = []
    postal_code: str | None = None
    city: str | None = None
    region: str | None = None
    country: str | None = None


class StoreAnswer(_Answer):
    id: str
    slug: str
    name: str
    brand: str = Field(description="The brand's slug.")
    legal_name: str | None
    address: AddressAnswer
    phone: str | None
    timezone: str
    tax_id: str | None
    opening_hours: dict[str, list[str]] | None = Field(description="By day, `mon` to `sun`, in the store's time zone.")


class StoreList(_Answer):
    stores: list[StoreAnswer]


class TillAnswer(_Answer):
    id: str
    slug: str
    name: str


class TillList(_Answer):
    tills: list[TillAnswer]


class StaffAnswer(_Answer):
    id: str
    slug: str
    name: str
    store: str | None = Field(description="The store's slug.")


class StaffList(_Answer):
    staff: list[StaffAnswer]


_PROBLEMS = {
    400: "The body is not JSON.",
    401: "No valid key.",
    403: "The key may not do this.",
    404: "Not there, or not this merchant's.",
    408: "The body took too long to arrive.",
    409: "Contradicts what is there: another body under the same key or id, or more money going back than was paid.",
    410: "The receipt was deleted after the time for which its merchant keeps receipts.",
    412: "It was changed since.",
    413: "The body is too large.",
    415: "The body is not declared as JSON.",
    422: "Fields are at fault; `errors` names them.",
    429: "Asked for too often. `Retry-After` says when to try again.",
    503: "Try again after `Retry-After` seconds.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Answers for FastAPI's ``responses``."""
    content = {"application/problem+json": {"schema": {"$ref": f"{_REF}ProblemDetails"}}}
    return {status: {"description": _PROBLEMS[status], "content": content} for status in statuses}


READS = problems(401, 403, 404, 422, 503)
WRITES = problems(400, 401, 403, 404, 409, 413, 415, 422, 503)
ACCEPTS: dict[int | str, dict[str, Any]] = {
    201: {"model": Accepted, "description": "A new receipt."},
    200: {"model": Accepted, "description": "This sale was accepted before; nothing was written."},
    **WRITES,
}
BATCH: dict[int | str, dict[str, Any]] = {
    200: {"model": BatchAnswer, "description": "One result a sale, in order."},
    **WRITES,
}
DELIVERS: dict[int | str, dict[str, Any]] = {
    202: {"model": Delivery, "description": "A new message; it is on its way."},
    200: {"model": Delivery, "description": "This was asked for before; nothing more is sent."},
    **problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 503),
}
CSV: dict[int | str, dict[str, Any]] = {
    200: {"description": "UTF-8 with CRLF.", "content": {"text/csv": {"schema": {"type": "string"}}}},
    **READS,
}
NEW_KEY: dict[int | str, dict[str, Any]] = {201: {"model": CreatedKey, "description": "The new key."}, **WRITES}


def picture_body() -> dict[str, Any]:
    """The ``requestBody`` of an upload."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    return {"requestBody": {"required": True, "content": dict.fromkeys(PICTURES, binary)}}


def body(name: str, *, required: bool = True) -> dict[str, Any]:
    """The ``requestBody`` of an endpoint that reads its body itself."""
    media: dict[str, Any] = {"schema": {"$ref": f"{_REF}{name}"}}
    if name in EXAMPLES:
        media["example"] = EXAMPLES[name]
    return {"requestBody": {"required": required, "content": {"application/json": media}}}


def components(models: tuple[type[BaseModel], ...]) -> dict[str, Any]:
    """Schemas of request bodies, with all that they refer to."""
    _, definitions = models_json_schema([(model, "validation") for model in models], ref_template=_REF + "{model}")
    schemas: dict[str, Any] = definitions["$defs"]
    return schemas
