"""The canonical sale: what a till says happened, before it is accepted.

A superset of what the published receipt formats carry. Every amount is a decimal string at the currency's exponent; the
till's totals are checked (:mod:`receipts.totals`) and never replaced.
"""

import re
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StrictBool, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from accounts.fields import (
    LINE,
    Channel,
    Code,
    Country,
    EmailAddress,
    LanguageTag,
    Name,
    PhoneNumber,
    Slug,
    Text,
    WebAddress,
)
from kernel import money
from receipts.fields import (
    Amount,
    ApplicationId,
    Currency,
    Gtin,
    LastDigits,
    Metadata,
    Moment,
    Part,
    Percent,
    Quantity,
    Token,
    UnitPrice,
)

Kind = Literal["sale", "refund", "void", "exchange"]
Flag = Literal["training", "gift", "copy"]
TaxRounding = Literal["line", "order", "rate"]
_EAN: Final = re.compile(r"[0-9]{12,13}")


class Discount(Part):
    """A reduction. ``amount`` is positive and lowers the price."""

    name: Name
    amount: Amount
    percent: Percent | None = None
    code: Code | None = Field(None, description="The coupon or promotion code.")


class Allocation(Part):
    """The share of an order discount that falls on one line."""

    line: Code = Field(description="The `id` of the line.")
    amount: Amount


class OrderDiscount(Discount):
    allocations: list[Allocation] = Field(
        [], description="How the discount falls on the lines; the shares sum to `amount`."
    )


class AppliedTax(Part):
    """One tax of a line or a charge. Where several apply, each is a percentage of the same net amount."""

    name: Name | None = None
    rate: Percent
    code: Code | None = Field(None, description="The letter or code that the till prints, such as `A`.")
    amount: Amount | None = Field(None, description="The tax in this line, where the till rounds per line.")


class Seller(Part):
    """Who sells a line on a marketplace."""

    name: Name
    tax_id: Code | None = None


class Line(Part):
    """One position of the sale. ``total`` is after the line's own discounts and before those of the order."""

    id: Code
    name: Name
    total: Amount
    quantity: Quantity = Decimal(1)
    unit: Code = Field("ea", description="`ea` for pieces, else the unit as printed: kg, l, m, h …")
    tare: Quantity | None = Field(None, description="Weight of the packaging, already taken off `quantity`.")
    unit_price: UnitPrice | None = Field(None, description="May be finer than the currency: 1.789 a litre.")
    list_price: UnitPrice | None = Field(None, description="The price before a mark-down, shown struck through.")
    discounts: list[Discount] = []
    tax_rate: Percent | None = Field(None, description="Short for one entry in `taxes`.")
    taxes: list[AppliedTax] = Field([], max_length=10)
    type: Literal["product", "service", "deposit", "gift_card", "fee", "donation"] = "product"
    parent: Code | None = Field(
        None, description="The `id` of the bundle, or of the line this modifies or is a deposit for."
    )
    sku: Code | None = None
    gtin: Gtin | None = None
    commodity_code: Code | None = Field(None, description="HSN, HS or CN code.")
    description: Text | None = None
    options: list[Name] = Field([], max_length=50)
    serial: Code | None = None
    serials: list[Code] = Field([], max_length=200)
    image: WebAddress | None = None
    url: WebAddress | None = None
    category: Name | None = None
    tags: list[Name] = Field([], max_length=50)
    brand: Name | None = None
    colour: Name | None = None
    size: Name | None = None
    staff: Slug | None = Field(None, description="Who sold this line, where that is not the sale's `staff`.")
    seller: Seller | None = None
    returnable: StrictBool | None = None
    return_days: int | None = Field(None, strict=True, ge=0, le=3650)
    warranty_months: int | None = Field(None, strict=True, ge=0, le=1200)
    original_line: Code | None = Field(
        None, description="In a refund or exchange, the `id` of the line that comes back."
    )
    reason: Name | None = Field(None, description="Why it comes back.")
    notes: list[Text] = Field([], max_length=20)
    attributes: dict[Code, Text] = Field({}, max_length=50)

    @field_validator("taxes")
    @classmethod
    def _one_way_to_say_it(cls, taxes: list[AppliedTax], info: Any) -> list[AppliedTax]:
        if taxes and info.data.get("tax_rate") is not None:
            raise PydanticCustomError("taxes", "stands beside tax_rate; one of the two is expected")
        return taxes


class Charge(Part):
    """What is added to the goods: a service charge, shipping, a bag. A tip is none."""

    name: Name
    amount: Amount
    type: Literal["service", "shipping", "packaging", "surcharge", "other"] = "other"
    tax_rate: Percent | None = None
    taxes: list[AppliedTax] = Field([], max_length=10)
    code: Code | None = None


class Tax(Part):
    """One row of the tax table: the net amount it is taken on, the tax, and both together."""

    tax: Amount
    name: Name | None = None
    rate: Percent | None = None
    net: Amount | None = None
    gross: Amount | None = None
    code: Code | None = None
    category: Name | None = None
    exemption: Name | None = Field(None, description="Why no tax is due, as the law wants it said.")


class Foreign(Part):
    """A tender in another currency."""

    currency: Currency
    amount: UnitPrice
    rate: UnitPrice | None = None


class Payment(Part):
    """One tender. A card number is never accepted: only the scheme and the last four digits are kept."""

    method: Slug = Field(
        description="card, cash, gift_card, voucher, store_credit, points, wallet, bank_transfer, invoice, other …"
    )
    amount: Amount = Field(description="What this tender paid. For cash, what was handed over less the change.")
    name: Name | None = Field(None, description="What to print, where the method does not say it.")
    tendered: Amount | None = None
    change: Amount | None = None
    tip: Amount | None = Field(None, description="The part of `amount` that is a tip.")
    scheme: Code | None = None
    last4: LastDigits | None = None
    entry: Code | None = Field(None, description="contactless, chip, swipe, manual, online …")
    verification: Code | None = Field(None, description="pin, signature, device, none …")
    application: Code | None = Field(None, description="The EMV application label.")
    aid: ApplicationId | None = None
    authorization: Code | None = None
    terminal: Code | None = None
    merchant_number: Code | None = None
    reference: Code | None = None
    wallet: Name | None = None
    balance: Amount | None = Field(None, description="What is left on the gift card or account afterwards.")
    foreign: Foreign | None = None
    text: list[Text] = Field([], max_length=60, description="The terminal's own slip, printed as it came.")


class Address(Part):
    name: Name | None = None
    company: Name | None = None
    lines: list[Name] = Field([], max_length=6)
    postal_code: Code | None = None
    city: Name | None = None
    region: Name | None = None
    country: Country | None = None
    phone: PhoneNumber | None = None


class Shopper(Part):
    """Who bought. All of it optional; kept apart from the receipt and never shown behind its link."""

    email: EmailAddress | None = None
    phone: PhoneNumber | None = None
    name: Name | None = None
    language: LanguageTag | None = None
    customer_id: Code | None = None
    loyalty_id: Code | None = None
    billing_address: Address | None = None
    shipping_address: Address | None = None


class Buyer(Part):
    """The business that an invoice names. Unlike the shopper it is part of the receipt, and printed."""

    name: Name
    tax_id: Code | None = None
    address: Address | None = None
    reference: Code | None = Field(None, description="The buyer's order or cost-centre reference.")


class Loyalty(Part):
    """Points; whole or with decimals, as the programme counts."""

    programme: Name | None = None
    card: Annotated[Code, Field(max_length=8)] | None = Field(None, description="The last characters of the card.")
    earned: Quantity | None = None
    redeemed: Quantity | None = None
    balance: Quantity | None = None


class Fiscal(Part):
    """What the fiscal device returned. Printed verbatim: Counterfoil neither makes nor checks signatures of tills."""

    lines: list[Text] = Field([], max_length=60)
    qr: Annotated[str, StringConstraints(min_length=1, max_length=2000)] | None = None
    values: dict[Name, Text] = Field({}, max_length=40)


class Barcode(Part):
    """A further code to print. ``qr`` takes any text, ``code128`` ASCII, ``ean13`` twelve or thirteen digits.

    The thirteenth digit is the check digit; twelve get theirs.
    """

    type: Literal["qr", "code128", "ean13"] = "code128"
    value: Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=LINE)]
    label: Name | None = None

    @field_validator("value")
    @classmethod
    def _whole_ean(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("type") != "ean13":
            return value
        if not _EAN.fullmatch(value):
            raise PydanticCustomError(
                "ean13", "is no EAN-13; twelve digits are expected, or thirteen with the check digit"
            )
        whole = value[:12] + _check_digit(value[:12])
        if not whole.startswith(value):
            raise PydanticCustomError(
                "ean13", "has a wrong check digit; its last digit should be {digit}", {"digit": whole[12]}
            )
        return whole


def _check_digit(digits: str) -> str:
    """Of an EAN-13 (GS1 General Specifications, section 7.9.1)."""
    return str(-sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(digits)) % 10)


class Original(Part):
    """The receipt that a refund, void or exchange is about, by any one of its names."""

    id: Code | None = None
    external_id: Code | None = None
    token: Code | None = None
    number: Code | None = Field(None, description="Its printed number; it must be the only one of the merchant.")


class Content(Part):
    """What a receipt shows of a sale. This part is immutable: it is stored byte for byte as it was first written."""

    issued_at: Moment = Field(description="When the till closed the sale, with its offset from UTC.")
    currency: Currency
    total: Amount = Field(description="What the shopper owes, rounding and tip included.")
    kind: Kind = "sale"
    flags: list[Flag] = Field([], max_length=3)
    started_at: Moment | None = None
    language: LanguageTag | None = None
    service: Literal["dine_in", "takeaway", "delivery", "pickup", "online"] | None = None
    order_number: Code | None = None
    place_of_supply: Name | None = None
    prices_include_tax: StrictBool = True
    tax_rounding: TaxRounding = "rate"
    lines: list[Line] = Field([], max_length=2000)
    discounts: list[OrderDiscount] = Field([], max_length=100)
    charges: list[Charge] = Field([], max_length=100)
    tip: Amount = 0
    rounding: Amount = Field(0, description="Cash rounding, signed.")
    taxes: list[Tax] = Field([], max_length=50)
    payments: list[Payment] = Field([], max_length=50)
    balance_due: Amount = Field(0, description="What stays unpaid.")
    savings: Amount | None = Field(None, description="The sum that the till prints as saved.")
    reason: Text | None = Field(None, description="Why a refund or void was made.")
    buyer: Buyer | None = None
    loyalty: Loyalty | None = None
    fiscal: Fiscal | None = None
    barcodes: list[Barcode] = Field([], max_length=10)
    header: list[Text] = Field([], max_length=20)
    footer: list[Text] = Field([], max_length=20)
    notes: list[Text] = Field([], max_length=20)

    @field_validator("currency")
    @classmethod
    def _known_currency(cls, code: str) -> str:
        if code not in money.EXPONENTS:
            raise PydanticCustomError("currency", "is not a currency of ISO 4217; EUR, INR or JPY would be one")
        return code


class Sale(Content):
    """The body of ``POST /v1/receipts``."""

    external_id: Code | None = Field(
        None, description="The till's own id of this sale: the same id twice is one receipt."
    )
    number: Code | None = Field(
        None, description="The number that is printed. Made from the id where the till has none."
    )
    token: Token | None = Field(
        None, description="A link token that the till minted: at least 128 random bits, URL-safe."
    )
    store: Slug | None = Field(
        None, description="May be left out where the key is bound to a store or there is only one."
    )
    till: Slug | None = None
    staff: Slug | None = None
    original: Original | None = None
    shopper: Shopper | None = None
    deliver: list[Channel] = Field(
        [], max_length=2, description="Send the receipt to the shopper's `email` or `phone`, once it is accepted."
    )
    deliver_pdf: StrictBool = Field(False, description="Whether the email carries the receipt as a PDF too.")
    metadata: Metadata = Field({}, description="Kept for the merchant, never shown to a shopper.")

    @field_validator("original", mode="before")
    @classmethod
    def _original_by_id(cls, value: object) -> object:
        return {"id": value} if isinstance(value, str) else value
