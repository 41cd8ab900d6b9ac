"""Which responses are asked for: by what they join, and when they came."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, Query
from sqlalchemy import Connection

from accounts import find as accounts_find
from accounts import manage as accounts
from accounts.fields import SLUG
from accounts.keys import Caller
from accounts.tables import Brand
from api import card_answers, schemas
from api.card_numbers import Day
from engagement.surveys.find import Wanted
from engagement.surveys.records import Channel, Event, Segment
from kernel.days import begin, end
from kernel.errors import FieldError, Invalid

_SKU = r"^[^\x00-\x1f\x7f]{1,128}$"
Slug = Annotated[str | None, Query(pattern=SLUG)]
Id = Annotated[str | None, Query(pattern=schemas.ID_PATTERN)]


class Asked:
    """As the query names it, in slugs."""

    def __init__(
        self,
        survey: Id = None,
        event: Event | None = None,
        brand: Slug = None,
        store: Slug = None,
        till: Annotated[str | None, Query(pattern=SLUG, description="A till of `store`.")] = None,
        staff: Slug = None,
        receipt: Annotated[str | None, Query(pattern=schemas.ID_PATTERN, description="A receipt's `id`.")] = None,
        sku: Annotated[str | None, Query(pattern=_SKU, description="Was on the receipt.")] = None,
        segment: Segment | None = None,
        channel: Channel | None = None,
    ) -> None:
        self.survey, self.event, self.brand = survey, event, brand
        self.store, self.till, self.staff = store, till, staff
        self.receipt, self.sku, self.segment, self.channel = receipt, sku, segment, channel

    def wanted(self, conn: Connection, caller: Caller) -> Wanted:
        """In ids. A key that is bound to a store or till sees what was said of it.

        Raises :class:`NotFound` for a name that is none of this merchant's, and :class:`Invalid`.
        """
        store_id = card_answers.within(conn, caller, self.store)
        return Wanted(
            survey_id=self.survey,
            event=self.event,
            brand_id=accounts.id_of(conn, Brand, caller.merchant_id, self.brand) if self.brand else None,
            store_id=store_id,
            till_id=self._till(conn, caller, store_id),
            staff_id=accounts_find.staff_id(conn, caller.merchant_id, self.staff) if self.staff else None,
            receipt_id=self.receipt,
            sku=self.sku,
            segment=self.segment,
            channel=self.channel,
        )

    def is_part(self, caller: Caller) -> bool:
        """Whether it is narrowed to something that is not known of those who were only asked."""
        parts = (self.store, self.till, self.staff, self.receipt, self.sku, self.segment, self.channel)
        return any(each is not None for each in (*parts, caller.store_id))

    def _till(self, conn: Connection, caller: Caller, store_id: str | None) -> str | None:
        if self.till is None:
            return caller.till_id
        if store_id is None:
            raise Invalid(errors=[FieldError("query:till", "needs a store beside it")])
        till_id = accounts_find.till_id(conn, caller.merchant_id, store_id, self.till)
        if caller.till_id not in (None, till_id):
            raise Invalid(errors=[FieldError("query:till", "is not the till that this key is bound to")])
        return till_id


class Narrowed:
    """What a list is narrowed to besides. Days are UTC's, and both counted."""

    def __init__(
        self,
        held: Annotated[bool, Query(description="Those that are held back, in place of those that count.")] = False,
        has_text: bool | None = None,
        wants_call: bool | None = None,
        first: Annotated[Day | None, Query(alias="from")] = None,
        to: Day | None = None,
    ) -> None:
        self.held, self.has_text, self.wants_call = held, has_text, wants_call
        self.since, self.until = begin(first) if first else None, end(to) if to else None

    def of(self, wanted: Wanted) -> Wanted:
        more: dict[str, Any] = {"is_held": self.held, "has_text": self.has_text, "wants_call": self.wants_call}
        return replace(wanted, **more, since=self.since, until=self.until)


TheList = Annotated[Narrowed, Depends(Narrowed)]
TheWish = Annotated[Asked, Depends(Asked)]
