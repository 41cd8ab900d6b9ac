"""What the OpenAPI document says of cards: their bodies and answers."""

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, StrictBool

from accounts.fields import Slug
from api import schemas
from cards.manage import State
from cards.profile import Profile
from cards.template import Template


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CardContent(_Body):
    """What a card says, and where its owner works. Without `brand` it is the store's, or the merchant's only one."""

    brand: Slug | None = None
    store: Slug | None = None
    profile: Profile


class NewCard(CardContent):
    """Without `staff` a new member of staff is made, with the name on the card. Without `store` it is theirs."""

    staff: Slug | None = None


class NewState(_Body):
    """A paused card says so on its page, and has no other form. To revoke one, delete it."""

    state: Literal["active", "paused"]


class NewInvite(_Body):
    send: StrictBool = Field(False, description="Whether it goes to the card's first email.")


class CardTemplate(Template):
    """What a brand says on all of its cards, and what its staff do not change on theirs."""


class _Answer(BaseModel):
    model_config = ConfigDict(json_schema_mode_override="serialization")


class CardAnswer(_Answer):
    id: str
    token: str
    state: State
    staff: str = Field(description="The slug of the member of staff.")
    store: str | None
    brand: str
    url: str = Field(description="The card's page.")
    vcf_url: str
    json_url: str
    nfc_url: str = Field(description="What an NFC tag gets, as a URI record: visits by it are counted apart.")
    qr: schemas.QrLinks
    photo_url: str | None
    pkpass_url: str | None = Field(description="The pass for Apple Wallet, where the operator has set it up.")
    profile: dict[str, JsonValue]
    created_at: AwareDatetime
    changed_at: AwareDatetime


class CardList(_Answer):
    cards: list[CardAnswer]
    next_cursor: str | None


class InviteAnswer(_Answer):
    id: str
    url: str = Field(description="Opens the card for editing. It is shown this once and stored nowhere.")
    expires_at: AwareDatetime


class ImportFault(_Answer):
    column: str | None = Field(description="The column of the file; null where none is to blame.")
    pointer: str = Field(description="A JSON pointer into the body of what the row is of.")
    detail: str


class ImportedRow(_Answer):
    row: int = Field(
        description="As a spreadsheet counts: 2 is the first row below the head. Of vCards, the first is 1."
    )
    state: Literal["created", "changed", "unchanged", "refused"]
    card: str | None = Field(description="The card's id. Of a card that a dry run would create, null.")
    errors: list[ImportFault]
    lost: list[str] = Field(description="What the file says and a card cannot.")


class MappedColumn(_Answer):
    column: str
    field: str | None = Field(description="What it was taken for; null for a column that is left out.")


class ImportAnswer(_Answer):
    dry_run: bool
    counts: dict[str, int] = Field(description="How many rows by their `state`.")
    columns: list[MappedColumn] = Field(description="Empty for vCards.")
    rows: list[ImportedRow]


BODIES: tuple[type[BaseModel], ...] = (CardContent, NewCard, NewState, NewInvite, CardTemplate)
NEW_CARD: dict[int | str, dict[str, Any]] = {
    201: {"model": CardAnswer, "description": "The new card."},
    **schemas.WRITES,
}
CHANGES: dict[int | str, dict[str, Any]] = {**schemas.WRITES, **schemas.problems(412)}
NEW_INVITE: dict[int | str, dict[str, Any]] = {
    201: {"model": InviteAnswer, "description": "The new invite."},
    **schemas.WRITES,
}
IMPORTS: dict[int | str, dict[str, Any]] = {
    200: {"model": ImportAnswer, "description": "What became of each row."},
    **schemas.WRITES,
}
TEMPLATE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The brand's template.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CardTemplate"}}},
    },
    **schemas.READS,
}


def table_body() -> dict[str, Any]:
    """The ``requestBody`` of an import. Whatever it is, it is text, so its schema says nothing."""
    text: dict[str, Any] = {"schema": {}}
    example = {"example": "staff,first name,last name,title,email\r\nsam,Sam,Moor,Barista,sam@corner-shop.example\r\n"}
    return {"requestBody": {"required": True, "content": {"text/csv": text | example, "text/vcard": text}}}
