"""Clean text for accounts and sales alike: names, slugs, contacts; and what is said where it is not clean."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, StringConstraints

from infra.mail_address import LONGEST, is_deliverable
from kernel.ids import TOKEN_PATTERN

# Controls are refused everywhere: PostgreSQL keeps no NUL, and terminals and printers obey the others.
LINE: Final = r"^[^\x00-\x1f\x7f]*$"
_PARAGRAPH: Final = r"^[^\x00-\x09\x0b\x0c\x0e-\x1f\x7f]*$"
SLUG: Final = r"^[a-z0-9][a-z0-9_-]{0,63}$"
_WEB_ADDRESS: Final = r"^https?://[^\s\x00-\x1f\x7f<>\"]+$"
_LANGUAGE_TAG: Final = r"^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$"
_COUNTRY: Final = r"^[A-Z]{2}$"
_EMAIL: Final = r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+\.[^@\s\x00-\x1f\x7f]+$"
_COLOUR: Final = r"^#[0-9a-fA-F]{6}$"
_PHONE: Final = r"^\+?[0-9() \u00a0./-]{3,40}$"
HOURS: Final = r"^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"


def _short_in_lower_case(address: str) -> str:
    """Shoppers are looked for in lower case, and some letters become two in it."""
    if len(address.lower()) > LONGEST:
        raise ValueError(f"has more than {LONGEST} characters in lower case")
    return address


def _deliverable(address: str) -> str:
    if not is_deliverable(address):
        raise ValueError(UNDELIVERABLE)
    return address


# An address that a till tells may be anything that looks like one; one that letters go to may not.
UNDELIVERABLE: Final = "cannot be written to; hello@shop.example could be"

Short = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=LINE)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=LINE)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=LINE)]
Text = Annotated[str, StringConstraints(max_length=2000, pattern=_PARAGRAPH)]
Slug = Annotated[str, StringConstraints(pattern=SLUG)]
WebAddress = Annotated[str, StringConstraints(max_length=2000, pattern=_WEB_ADDRESS)]
LanguageTag = Annotated[str, StringConstraints(max_length=35, pattern=_LANGUAGE_TAG)]
Country = Annotated[str, StringConstraints(pattern=_COUNTRY)]
EmailAddress = Annotated[
    str, StringConstraints(max_length=LONGEST, pattern=_EMAIL), AfterValidator(_short_in_lower_case)
]
DeliverableAddress = Annotated[EmailAddress, AfterValidator(_deliverable)]
Colour = Annotated[str, StringConstraints(pattern=_COLOUR)]
PhoneNumber = Annotated[str, StringConstraints(max_length=40, pattern=_PHONE)]

# Those of kernel.locale.LANGUAGES.
Language = Literal["en", "de", "fr", "es", "hi", "ar"]
# How a message reaches a person.
Channel = Literal["email", "sms"]

# What a pattern means, for those who do not read them.
MEANINGS: Final = {
    LINE: "holds line breaks or other control characters",
    _PARAGRAPH: "holds control characters",
    SLUG: "must be lower-case letters, digits, - and _, such as till-3",
    _WEB_ADDRESS: "is not a web address; https://shop.example/bread would be one",
    _LANGUAGE_TAG: "is not a language tag; de or de-AT would be one",
    _COUNTRY: "is not a country of ISO 3166; DE or IN would be one",
    _EMAIL: "is not an email address; hello@shop.example would be one",
    _COLOUR: "is not a colour; #1f5c47 would be one",
    TOKEN_PATTERN: "is not a link token; 22 to 64 random letters, digits, - and _ are expected",
    HOURS: "are no hours; 09:00-18:30 would be some",
    _PHONE: "is not a telephone number; +49 30 5550 1234 would be one",
}
