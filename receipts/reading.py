"""From a parsed JSON body to a :class:`~receipts.sale.Sale`, or to a refusal that names every field at fault."""

from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from accounts import refusals
from kernel.errors import FieldError, Invalid, pointer_part
from receipts.card_numbers import holds_card_number, pointers_to_card_numbers
from receipts.fields import MEANINGS, context_for
from receipts.sale import Content, Sale


class CardNumber(Invalid):
    slug: ClassVar[str] = "card-number"
    title: ClassVar[str] = "Card numbers are not accepted"


def read_sale(body: Any) -> Sale:
    """Raises :class:`CardNumber` or :class:`Invalid`; neither repeats a value."""
    if not isinstance(body, dict):
        raise Invalid(errors=[FieldError("", "must be a JSON object")])
    carried = list(pointers_to_card_numbers(body.get("payments"), "/payments"))
    if carried:
        wanted = "holds a card number; send the scheme and the last four digits (`scheme`, `last4`) instead"
        raise CardNumber(errors=[FieldError(pointer, wanted) for pointer in carried])
    try:
        sale = Sale.model_validate(body, context=context_for(body.get("currency")))
    except ValidationError as error:
        raise Invalid(errors=field_errors(error)) from None
    dangling = list(_dangling(sale))
    if dangling:
        raise Invalid(errors=dangling)
    return sale


def field_errors(error: ValidationError, at: str = "") -> list[FieldError]:
    """Pydantic's findings as pointers below ``at``, without the input: it may hold what must not be repeated."""
    found = error.errors(include_input=False, include_url=False)
    return [FieldError(at + "".join(f"/{_named(part)}" for part in each["loc"]), said(each)) for each in found]


def said(found: ErrorDetails) -> str:
    """As :func:`accounts.refusals.said`, with the patterns of sales too."""
    return refusals.said(found, MEANINGS)


def _named(part: int | str) -> str:
    """Cut, since a member's name may be anything that a caller makes up."""
    return "…" if holds_card_number(str(part)) else pointer_part(str(part))[:100]


def _dangling(sale: Content) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, line in enumerate(sale.lines):
        if line.id in seen:
            yield FieldError(f"/lines/{index}/id", "is the id of an earlier line too; each line needs its own")
        seen.add(line.id)
    for index, line in enumerate(sale.lines):
        if line.parent is not None and (line.parent not in seen or line.parent == line.id):
            yield FieldError(f"/lines/{index}/parent", "names no other line of this sale")
    for index, discount in enumerate(sale.discounts):
        for position, share in enumerate(discount.allocations):
            if share.line not in seen:
                yield FieldError(f"/discounts/{index}/allocations/{position}/line", "names no line of this sale")
