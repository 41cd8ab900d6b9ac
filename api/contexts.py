"""What each page's template is given: every field is a variable of the template, and there are no others."""

from dataclasses import dataclass, field
from typing import Any, Final, Literal

from markupsafe import Markup

from infra.theme import Theme
from receipts.shapes import ReceiptView

Tone = Literal["good", "doubt", "bad"]
_NO_PICTURE: Final = Markup("")


@dataclass(frozen=True, slots=True)
class LanguageLink:
    """``name`` is the language's own, ``tag`` its BCP 47 tag."""

    tag: str
    name: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture of ours, with the box that it is shown in, in CSS pixels, so that nothing moves when it arrives."""

    url: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class BrandView:
    """The brand as the page shows it. ``return_language`` is that of ``return_text`` where it is not the page's."""

    name: str
    initial: str
    logo: Logo | None = None
    website: str = ""
    support_email: str = ""
    support_phone: str = ""
    support_url: str = ""
    return_text: str = ""
    return_language: str = ""

    @property
    def has_help(self) -> bool:
        return bool(self.return_text or self.support_email or self.support_phone or self.support_url or self.website)


@dataclass(frozen=True, slots=True)
class ReceiptLinks:
    """Addresses of the receipt and its other forms. ``page`` is absolute, to be shared; the others may be relative.

    ``codes`` is where the fiscal QR code and further barcodes are: ``{codes}/fiscal.svg``, ``{codes}/0.svg`` and so on.
    """

    page: str
    pdf: str
    text: str
    json: str
    xml: str
    qr: str
    codes: str
    pkpass: str = ""


@dataclass(frozen=True, slots=True)
class Stub:
    """One interactive part that hangs below the receipt, behind its own perforation.

    ``template`` renders it from ``content``; ``is_done`` tears it off. ``leads_to`` are origins elsewhere at which its
    forms may end. ``style`` is a stylesheet that stands in the page's head: one that came by itself would be a fifth
    larger, and arrive later.
    """

    kind: str
    template: str
    content: Any
    is_done: bool = False
    leads_to: tuple[str, ...] = ()
    style: str = ""


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
class Page:
    """What every page has. ``description`` is what a link preview says: never an amount."""

    language: str
    direction: str
    title: str
    description: str
    theme: Theme
    languages: tuple[LanguageLink, ...]


@dataclass(frozen=True, slots=True)
class ReceiptPage(Page):
    """``json_ld`` is ready for its script element, ``number_code`` an inline SVG or empty."""

    receipt: ReceiptView
    brand: BrandView
    links: ReceiptLinks
    json_ld: Markup
    number_code: Markup
    stubs: tuple[Stub, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class PendingPage(Page):
    """A link whose till has not told us of its sale yet. ``ready_url`` answers 200 once it has."""

    ready_url: str


@dataclass(frozen=True, slots=True)
class ErrorPage(Page):
    """``heading`` says what is the matter, ``text`` what a person can do."""

    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Notice:
    """``icon`` is one of templates/icons.html."""

    icon: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found of a presented receipt. ``receipt`` is what is proved of it, ``merchant`` who issued it."""

    tone: Tone
    heading: str
    text: str
    notices: tuple[Notice, ...]
    merchant: str
    receipt: ReceiptView | None


@dataclass(frozen=True, slots=True)
class VerifyPage(Page):
    """The form, and above it the answer to what was sent with it."""

    judgement: Judgement | None


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
    """A row on the receipt that leads to where what was bought is reviewed."""

    url: str


@dataclass(frozen=True, slots=True)
class ReferralCode:
    """A code to hand on. ``text`` is what a friend gets for it, ``share`` what is sent with it."""

    code: str
    text: str
    share: str


@dataclass(frozen=True, slots=True)
class StopPage(Page):
    """Whether to stop the brand's emails to one address, or that they are stopped. ``address`` is masked."""

    brand: BrandView
    heading: str
    text: str
    address: str
    hint: str
    is_stopped: bool


@dataclass(frozen=True, slots=True)
class Moment:
    """``iso`` is for machines."""

    iso: str
    text: str


@dataclass(frozen=True, slots=True)
class KeptLine:
    """A message that was kept instead of being sent."""

    id: str
    recipient: str
    subject: str
    at: Moment


@dataclass(frozen=True, slots=True)
class KeptFile:
    name: str
    size: str


@dataclass(frozen=True, slots=True)
class MailboxPage(Page):
    """What was kept, newest first."""

    letters: tuple[KeptLine, ...]
    is_demo: bool


@dataclass(frozen=True, slots=True)
class LetterPage(Page):
    """One message. Its HTML has an address of its own; ``head`` are its headers as they were sent."""

    letter: KeptLine
    sender: str
    has_html: bool
    text: str
    head: str
    files: tuple[KeptFile, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """Something to tap on a card. ``icon`` is one of templates/icons.html or templates/networks.html, ``target`` what a
    tap is counted as; ``text`` may run in either direction."""

    icon: str
    text: str
    url: str
    target: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """``number`` is 1 for Monday to 7; ``hours`` is empty where the store is closed."""

    number: int
    name: str
    hours: str


@dataclass(frozen=True, slots=True)
class CardView:
    """The person as the page tells them. ``texts_in`` is the language of what the person wrote, where it is not the
    page's; ``places`` lead to a map."""

    name: str
    initials: str
    pronouns: str
    role: str
    organisation: str
    description: str
    texts_in: str
    contacts: tuple[Way, ...]
    places: tuple[Way, ...]
    days: tuple[Day, ...]
    timezone: str
    socials: tuple[Way, ...]
    messengers: tuple[Way, ...]
    links: tuple[Way, ...]
    languages: str
    hobbies: tuple[str, ...]
    comma: str


@dataclass(frozen=True, slots=True)
class CardLinks:
    """``page`` is absolute. ``photo``, ``pkpass`` and ``google`` are empty where there is none of them."""

    page: str
    path: str
    vcf: str
    qr: str
    photo: str
    preview: str
    pkpass: str = ""
    google: str = ""


@dataclass(frozen=True, slots=True)
class ExchangeForm:
    """In which a visitor leaves their contact. ``values`` and ``errors`` are by field: name, email, phone,
    organisation, note, consent. ``consent`` is what they agree to; ``form_id`` makes one form sent twice one contact.
    """

    values: dict[str, str]
    errors: dict[str, str]
    form_id: str
    consent: str
    version: str
    privacy_url: str
    is_left: bool = False


@dataclass(frozen=True, slots=True)
class ServedBy:
    """Who served, on the stub of a receipt. ``tags`` are the source and receipt of its links, ``rate`` takes a score
    from 1 to 5; ``score`` is 0 where none was given."""

    name: str
    initials: str
    role: str
    photo: str
    url: str
    vcf: str
    beacon: str
    tags: str
    rate: str
    score: int


@dataclass(frozen=True, slots=True)
class Won:
    """What a scratch card gave. ``value`` is what it is worth, in words; ``place`` who takes it where that is another
    shop; ``until`` when it ends. ``code`` is in groups as people read it, ``qr`` a picture of it; both are empty where
    it cannot be used any more, and ``note`` says why. ``take`` is told when the code is taken along."""

    name: str
    value: str
    terms: str
    place: str
    until: Moment | None = None
    code: str = ""
    qr: Markup = _NO_PICTURE
    pkpass: str = ""
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
    """A prize on the page of the rules. ``count`` is how many there are, ``chance`` how likely one card gives it."""

    name: str
    worth: str
    terms: str
    place: str
    count: str
    chance: str


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
    """How one card was drawn. ``outcome`` and ``is_right`` are known once the campaign has ended; ``sums`` are the
    numbers that were drawn, for a browser to draw again: a JSON text."""

    facts: tuple[Fact, ...]
    outcome: str
    is_right: bool | None
    sums: str


@dataclass(frozen=True, slots=True)
class FairPage(Page):
    """What was promised before a campaign began, and, once it has ended, how to check it. ``card`` is the one that was
    asked about."""

    brand: BrandView
    name: str
    has_ended: bool
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
    """The form by which one plays without a purchase. ``errors`` are by field: email, phone, agreed, form."""

    brand: BrandView
    name: str
    action: str
    rules: str
    agreement: str
    values: dict[str, str]
    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class CardPage(Page):
    """``tags`` are the source and receipt of the link that was followed, to be handed on by the form."""

    card: CardView
    brand: BrandView
    links: CardLinks
    exchange: ExchangeForm
    tags: dict[str, str]


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form. ``kind`` is an input's type, or ``area`` or ``choice``."""

    name: str
    label: str
    value: str
    kind: str = "text"
    choices: tuple[Choice, ...] = ()
    hint: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class FieldGroup:
    """Fields that belong together, in rows: one for each telephone, say, and an empty one for another. ``error`` is of
    the whole group."""

    legend: str
    rows: tuple[tuple[Field, ...], ...]
    is_locked: bool = False
    is_folded: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class InvitePage(Page):
    """A member of staff edits their own card. ``fixed`` is what the brand has set, as name and value."""

    brand: BrandView
    name: str
    initials: str
    photo: str
    card_url: str
    tools: tuple[Way, ...]
    has_photo_field: bool
    photo_error: str
    groups: tuple[FieldGroup, ...]
    fixed: tuple[tuple[str, str], ...]
    until: str
    is_saved: bool
    has_errors: bool
    is_outdated: bool
    version: str


@dataclass(frozen=True, slots=True)
class SignaturePage(Page):
    """A card at the end of an email. ``html_url`` shows it by itself; ``html`` and ``text`` are what is copied."""

    html_url: str
    text_url: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class SurveyPage(Page):
    """A survey on a page of its own; ``receipt_url`` is what it is about. ``trap`` leads programs astray."""

    brand: BrandView
    stub: Stub
    place: str
    receipt_url: str
    receipt: str
    trap: str
