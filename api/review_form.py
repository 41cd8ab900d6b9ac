"""The form in which a shopper reviews what they bought: as it is shown, and as it is read."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Annotated, Any, Final

from pydantic import StringConstraints, TypeAdapter, ValidationError

from accounts.fields import LINE, Text
from api.contexts_after_sale import ReviewForm
from engagement.voice import reviews
from engagement.voice.bought import Product
from engagement.voice.reviews import STARS, ReviewRecord, Words
from engagement.voice.settings import ReviewSettings
from infra.i18n import Voice, later

_FIELDS: Final[dict[str, TypeAdapter[Any]]] = {
    "title": TypeAdapter(Annotated[str, StringConstraints(max_length=200, pattern=LINE)]),
    "text": TypeAdapter(Text),
}
_NAME: Final[TypeAdapter[str]] = TypeAdapter(Annotated[str, StringConstraints(max_length=100, pattern=LINE)])
_TOO_LONG: Final = later("Please shorten this.")
_NO_STARS: Final = later("Please choose how many stars.")


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to review, and what was written of it so far, by sku. Where it is not ``is_open``, that can only be
    read and deleted."""

    products: Sequence[Product]
    written: Mapping[str, ReviewRecord]
    wanted: ReviewSettings
    is_open: bool

    def may_change(self, sku: str, now: datetime) -> bool:
        before = self.written.get(sku)
        return self.is_open and (before is None or reviews.may_change(before, self.wanted, now=now))


@dataclass(frozen=True, slots=True)
class Read:
    """``words`` are by the number of the product; ``values`` and ``errors`` by the name of the field, as it was sent
    and as it is told."""

    words: dict[int, Words] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def forms(known: Known, read: Read, *, now: datetime) -> tuple[ReviewForm, ...]:
    """``read`` is empty where nothing was sent yet."""
    return tuple(_form(known, number, product, read, now) for number, product in enumerate(known.products))


def name_of(known: Known, read: Read) -> str:
    """By which the shopper was called last."""
    newest = sorted(known.written.values(), key=lambda each: each.changed_at)
    return read.values.get("name", newest[-1].display_name if newest else "")


def read(sent: Mapping[str, str], known: Known, spoken: Voice, *, now: datetime) -> Read:
    """What is left empty is not reviewed; what can be changed no more is left as it is."""
    errors: dict[str, str] = {}
    try:
        name = _NAME.validate_python(sent.get("name", ""))
    except ValidationError:
        name, errors["name"] = "", spoken.gettext(_TOO_LONG)
    words: dict[int, Words] = {}
    for number in _open(known, now):
        told = {each: sent.get(f"{each}-{number}", "") for each in ("stars", *_FIELDS)}
        if not any(told.values()):
            continue
        wrong = dict(_wrong(told, spoken))
        if wrong:
            errors |= {f"{each}-{number}": said for each, said in wrong.items()}
        else:
            words[number] = Words(int(told["stars"]), told["title"], told["text"], name)
    if not words and not errors:
        errors |= {f"stars-{number}": spoken.gettext(_NO_STARS) for number in islice(_open(known, now), 1)}
    return Read(words, sent, errors)


def _open(known: Known, now: datetime) -> Iterator[int]:
    for number, product in enumerate(known.products):
        if known.may_change(product.sku, now):
            yield number


def _wrong(told: Mapping[str, str], spoken: Voice) -> Iterator[tuple[str, str]]:
    if told["stars"] not in map(str, STARS):
        yield "stars", spoken.gettext(_NO_STARS)
    for name, adapter in _FIELDS.items():
        is_right = False
        with suppress(ValidationError):
            adapter.validate_python(told[name])
            is_right = True
        if not is_right:
            yield name, spoken.gettext(_TOO_LONG)


def _form(known: Known, number: int, product: Product, read: Read, now: datetime) -> ReviewForm:
    before = known.written.get(product.sku)
    stars = read.values.get(f"stars-{number}", str(before.stars) if before else "")
    return ReviewForm(
        number=number,
        sku=product.sku,
        name=product.name,
        stars=int(stars) if stars in map(str, STARS) else 0,
        title=read.values.get(f"title-{number}", before.title if before else ""),
        text=read.values.get(f"text-{number}", before.text if before else ""),
        state=before.state if before else "",
        reason=(before.reason or "") if before else "",
        reply=(before.reply or "") if before else "",
        can_change=known.may_change(product.sku, now),
        errors={
            name: read.errors[f"{name}-{number}"] for name in ("stars", *_FIELDS) if f"{name}-{number}" in read.errors
        },
    )
