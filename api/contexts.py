"""What each page's template is given: every field is a variable of the template, and there are no others."""

from dataclasses import dataclass, field
from typing import Any, Literal

from markupsafe import Markup

from infra.theme import Theme
from receipts.shapes import ReceiptView

Tone = Literal["good", "doubt", "bad"]


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
