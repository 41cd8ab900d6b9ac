"""What pages of surveys, reviews, offers and scratch cards are given."""

from dataclasses import dataclass
from typing import Final, Literal

from markupsafe import Markup

from api.contexts import BrandView, Moment, Page, Stub

_NO_PICTURE: Final = Markup("")


@dataclass(frozen=True, slots=True)
class OfferView:
    """``url`` is empty where it leads nowhere, ``picture`` and ``price`` where there is none; ``was`` is the price
    before a mark-down."""

    mark: str
    url: str
    name: str
    initial: str
    picture: str
    price: str
    was: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReviewForm:
    """One product in the form of reviews, by its ``number`` there. ``state`` is empty where nothing was written yet,
    ``errors`` are by field: stars, title, text."""

    number: int
    sku: str
    name: str
    stars: int
    title: str
    text: str
    state: str
    reason: str
    reply: str
    can_change: bool
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class ReviewsPage(Page):
    """A shopper reviews what they bought. ``name`` is what they want to be called, ``back`` leads to the receipt."""

    brand: BrandView
    heading: str
    action: str
    back: str
    products: tuple[ReviewForm, ...]
    name: str
    name_error: str
    is_saved: bool
    is_open: bool
    has_errors: bool


@dataclass(frozen=True, slots=True)
class StarBar:
    """How often so many stars were given, out of ``most``; ``said`` is all of it, to be spoken."""

    stars: str
    said: str
    count: int
    most: int
    count_text: str


@dataclass(frozen=True, slots=True)
class ReviewShown:
    """As everybody reads it. ``said`` are the stars, to be spoken; ``name`` is empty where its shopper gave none."""

    stars: int
    said: str
    title: str
    text: str
    name: str
    language: str
    written: "Moment"
    reply: str


@dataclass(frozen=True, slots=True)
class ProductPage(Page):
    """What is said of a product. ``json_ld`` is ready for its script element, ``more`` leads to older reviews."""

    brand: BrandView
    product: str
    average: str
    summary: str
    bars: tuple[StarBar, ...]
    reviews: tuple[ReviewShown, ...]
    more: str
    json_url: str
    json_ld: Markup


@dataclass(frozen=True, slots=True)
class ReviewsRow:
    """A row on the receipt that leads to where what was bought is reviewed, as long as it ``is_open``."""

    url: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class ReferralCode:
    """A code to hand on. ``text`` is what a friend gets for it, ``share`` what is sent with it."""

    code: str
    text: str
    share: str


@dataclass(frozen=True, slots=True)
class Won:
    """What a scratch card gave. ``value`` is what it is worth, in words; ``place`` who takes it where that is another
    shop; ``until`` when it ends. ``code`` is in groups as people read it, ``qr`` a picture of it; both are empty where
    it cannot be used any more, and ``note`` says why. ``take`` is told when the code is taken along, which ``google``
    notes by itself: it takes a form."""

    name: str
    value: str
    terms: str
    place: str
    until: Moment | None = None
    code: str = ""
    qr: Markup = _NO_PICTURE
    pkpass: str = ""
    google: str = ""
    take: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class ScratchCard:
    """A scratch card. As long as it is "hidden", nothing here tells what it gives: ``won`` is None, as it is where it
    gave nothing or is "gone". ``action`` takes the form that reveals it; ``note`` is what else is to be said of it.
    ``minimum_age`` is 0 where anybody may."""

    state: Literal["hidden", "won", "lost", "gone"]
    campaign: str
    action: str
    minimum_age: int
    until: Moment | None
    note: str
    rules: str
    proof: str
    won: Won | None = None


@dataclass(frozen=True, slots=True)
class ScratchPage(Page):
    """A scratch card that came without a purchase, on a page of its own."""

    brand: BrandView
    card: ScratchCard


@dataclass(frozen=True, slots=True)
class ScratchCards:
    """Those of one receipt, oldest first."""

    cards: tuple[ScratchCard, ...]


@dataclass(frozen=True, slots=True)
class PrizeRow:
    """A prize on the page of the rules. ``count`` is how many there are, ``chance`` how likely one card gives it, and
    ``time`` until when it can be used, as name and value."""

    name: str
    worth: str
    terms: str
    place: str
    count: str
    chance: str
    time: tuple[str, str]


@dataclass(frozen=True, slots=True)
class RulesPage(Page):
    """The rules of a campaign. ``rules`` are its merchant's own words, ``limits`` what applies, as name and value;
    ``entry`` is where one plays without a purchase, empty where one cannot."""

    brand: BrandView
    name: str
    state: str
    prizes: tuple[PrizeRow, ...]
    share: str
    is_gone: bool
    limits: tuple[tuple[str, str], ...]
    rules: str
    rules_language: str
    entry: str
    fair: str


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that can be checked. ``value`` is for machines and set in their face."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class CardProof:
    """How one card was drawn. ``outcome`` and ``is_right`` are known once the campaign has ended, the second unless its
    seed is lost. That it is right holds only if the prizes ``gone`` were gone, which one card cannot tell. ``sums`` are
    the numbers that were drawn, for a browser to draw again: a JSON text."""

    facts: tuple[Fact, ...]
    outcome: str
    gone: str
    is_right: bool | None
    sums: str


@dataclass(frozen=True, slots=True)
class FairPage(Page):
    """What was promised before a campaign began, and, once it has ended, how to check it. ``card`` is the one that was
    asked about."""

    brand: BrandView
    name: str
    has_ended: bool
    is_seed_lost: bool
    promises: tuple[Fact, ...]
    card: CardProof | None
    ask: str
    asked: str
    is_unknown: bool
    proof: str
    command: str
    rules: str


@dataclass(frozen=True, slots=True)
class EntryPage(Page):
    """The form by which one plays without a purchase. ``countries`` are codes and names, of which one is to be chosen
    where there are any. ``errors`` are by field: email, phone, country, agreed, form."""

    brand: BrandView
    name: str
    action: str
    rules: str
    agreement: str
    countries: tuple[tuple[str, str], ...]
    values: dict[str, str]
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class SurveyPage(Page):
    """A survey on a page of its own; ``receipt_url`` is what it is about. ``trap`` leads programs astray."""

    brand: BrandView
    stub: Stub
    place: str
    receipt_url: str
    receipt: str
    trap: str
