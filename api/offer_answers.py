"""Products, rules and numbers as the API shows them."""

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api import schemas
from api.house import House
from engagement.offers import catalogue
from engagement.offers.catalogue import ProductContent
from engagement.offers.numbers import Numbers
from engagement.offers.products import ProductRecord
from engagement.offers.rules import Kind, Rule
from kernel import money
from kernel.clock import iso


class _Answer(BaseModel):
    model_config = ConfigDict(json_schema_mode_override="serialization")


class ProductAnswer(ProductContent):
    model_config = ConfigDict(json_schema_mode_override="serialization")

    sku: str
    picture_url: str | None = Field(description="The picture that was uploaded, as pages show it.")
    changed_at: AwareDatetime


class ProductList(_Answer):
    products: list[ProductAnswer]
    next_cursor: str | None


class AlliedProduct(_Answer):
    """What of an ally's product a rule needs."""

    id: str
    ally: str = Field(description="The ally's slug.")
    sku: str
    name: dict[str, str]
    price: str | None
    currency: str | None
    in_stock: bool


class AlliedProductList(_Answer):
    products: list[AlliedProduct]
    next_cursor: str | None


class ProductOutcome(_Answer):
    sku: str | None
    outcome: Literal["created", "changed", "unchanged", "refused"]
    problem: schemas.ProblemDetails | None = None


class ProductBatchAnswer(_Answer):
    results: list[ProductOutcome] = Field(description="One a product, in order.")


class RuleAnswer(_Answer):
    id: str
    kind: Kind
    product: str
    beside: str | None
    ally: str | None
    store: str | None


class RuleList(_Answer):
    rules: list[RuleAnswer]


def product(house: House, record: ProductRecord) -> dict[str, Any]:
    picture = picture_path(record)
    more = {"picture_url": f"{house.base_url}{picture}" if picture else None, "changed_at": iso(record.changed_at)}
    return {"sku": record.sku} | plain(record) | more


def plain(record: ProductRecord) -> dict[str, Any]:
    return catalogue.plain(record.content)


def allied(record: ProductRecord, ally: str) -> dict[str, Any]:
    told = plain(record)
    shown = {name: told[name] for name in ("name", "price", "currency")}
    return {"id": record.id, "ally": ally, "sku": record.sku} | shown | {"in_stock": record.content.stock != 0}


def picture_path(record: ProductRecord) -> str:
    """Empty where there is none."""
    return f"/media/{record.picture_key.removesuffix('.jpg')}.webp" if record.picture_key else ""


def rule(each: Rule) -> dict[str, Any]:
    named = {"product": each.sku, "beside": each.beside, "ally": each.ally, "store": each.store}
    return {"id": each.id, "kind": each.kind} | named


def revenue(found: Numbers) -> dict[str, str]:
    """Decimal strings by currency."""
    return {
        currency: money.plain(amount, money.exponent(currency)) for currency, amount in sorted(found.revenue.items())
    }


def show_anew(house: House) -> None:
    """After what is offered was changed: receipts show it, so nothing of any page comes from memory."""
    house.offer_desks.forget()
    house.pages.clear()
