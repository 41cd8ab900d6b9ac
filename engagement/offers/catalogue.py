"""A product as a merchant writes it, and how it is read."""

import re
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, Field, StrictBool, StringConstraints, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from accounts.fields import Code, Language, Name, Text, WebAddress
from kernel import money
from kernel.errors import FieldError, Invalid
from receipts.fields import Amount, Currency, Gtin, Part, context_for
from receipts.reading import field_errors

# The host stands in a page's policy, so nothing else may be in its place.
_LINK: Final = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?#][^\s\x00-\x1f\x7f<>\"]*)?")
# /v1/products/batch and /import, and what stands below a product.
_TAKEN: Final = re.compile("batch|import|.*/reviews", re.DOTALL)
_MOST_STOCK: Final = 2**31 - 1
_MOST_COMPLEMENTS: Final = 20


def _https(link: str) -> str:
    if not _LINK.fullmatch(link):
        raise PydanticCustomError("link", "is not an https address; https://shop.example/bread would be one")
    return link


Link = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_https)]


class ProductContent(Part):
    """A product under its SKU."""

    name: dict[Language, Name] = Field(min_length=1, description="By language; the first is the fallback.")
    gtin: Gtin | None = None
    price: Amount | None = Field(None, description="What one costs now, with its taxes. Needs `currency`.")
    list_price: Amount | None = Field(None, description="The price before a mark-down, shown struck through.")
    currency: Currency | None = None
    image: WebAddress | None = Field(
        None, description="Where its picture is elsewhere. It is kept and not shown: pages load nothing from others. "
        "Upload one that is to be shown."
    )  # fmt: skip
    category: Name | None = None
    brand: Name | None = None
    stock: int | None = Field(
        None, strict=True, ge=0, le=_MOST_STOCK, description="0 is not offered; null where nobody counts it."
    )
    link: Link | None = Field(
        None, description="Where it can be had; `{offer}` in it becomes the mark that a sale may carry back."
    )
    warranty_months: int | None = Field(None, strict=True, ge=0, le=1200)
    warranty: dict[Language, Text] = Field({}, description="What is warranted, by language.")
    care: dict[Language, Text] = Field({}, description="How to care for it, by language.")
    complements: list[Code] = Field(
        [], max_length=_MOST_COMPLEMENTS, description="SKUs of what goes with it, best first."
    )
    again: StrictBool = Field(False, description="Offered to who has it already, as bread is.")
    shared: StrictBool = Field(False, description="Allies may show it on their receipts.")
    active: StrictBool = True

    @model_validator(mode="after")
    def _priced_in_something(self) -> "ProductContent":
        if self.currency is None and (self.price is not None or self.list_price is not None):
            raise PydanticCustomError("currency", "has a price without its currency; EUR or INR would be one")
        return self


def _addressable(sku: str) -> str:
    if _TAKEN.fullmatch(sku):
        raise PydanticCustomError("sku", "is part of an address of this service; another one is expected")
    return sku


class Product(ProductContent):
    sku: Annotated[Code, AfterValidator(_addressable)]


Read = TypeVar("Read", bound=ProductContent)


def read_content(body: Any) -> ProductContent:
    """Raises :class:`Invalid`."""
    return _read(ProductContent, body, "")


def read_product(body: Any, at: str) -> Product:
    """With its SKU. Raises :class:`Invalid` with pointers below ``at``."""
    return _read(Product, body, at)


def content_of(product: Product) -> ProductContent:
    """Without its SKU."""
    return ProductContent.model_construct(**{name: getattr(product, name) for name in ProductContent.model_fields})


def plain(product: ProductContent) -> dict[str, Any]:
    """As JSON; amounts are decimal strings."""
    return product.model_dump(mode="json", context=context_for(product.currency))


def _read(model: type[Read], body: Any, at: str) -> Read:
    if not isinstance(body, dict):
        raise Invalid(errors=[FieldError(at, "must be a JSON object")])
    try:
        read = model.model_validate(body, context=context_for(body.get("currency")))
    except ValidationError as error:
        raise Invalid(errors=field_errors(error, at)) from None
    wrong = [FieldError(f"{at}/{name}", "must not be negative") for name in _negative(read)]
    if read.currency is not None and read.currency not in money.EXPONENTS:
        wrong.append(FieldError(f"{at}/currency", "is not a currency of ISO 4217; EUR, INR or JPY would be one"))
    if wrong:
        raise Invalid(errors=wrong)
    return read


def _negative(read: ProductContent) -> list[str]:
    return [name for name in ("price", "list_price") if (getattr(read, name) or 0) < 0]
