"""Who plays without a purchase: told apart by the mark of an address, which itself is not kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import AfterValidator, TypeAdapter, ValidationError
from sqlalchemy import Connection
from starlette.requests import Request

from accounts.fields import DeliverableAddress, PhoneNumber
from api.fairness_view import Told
from api.house import House
from api.visitors import address_of, is_person
from engagement import shoppers
from engagement.rewards import entrants, granting, links
from engagement.rewards.records import CampaignRecord
from infra.i18n import Voice, later
from kernel.errors import Conflict, NotFound, TooMany
from receipts.sale import Shopper

_FIELDS: Final[dict[str, TypeAdapter[Any]]] = {
    "email": TypeAdapter(Annotated[DeliverableAddress, AfterValidator(str.lower)]),
    "phone": TypeAdapter(PhoneNumber),
}
_WRONG: Final = {"email": later("Please check this address."), "phone": later("Please check this number.")}
_NO_WAY: Final = later("An email address or a telephone number is needed.")
_NOT_THERE: Final = later("Only who lives in one of these countries can take part.")
_NOT_AGREED: Final = later("Please tick this, if it is so.")
_TOO_MANY: Final = later("Many free entries came from here today. Please try again tomorrow.")
# One answer for both: who tries addresses learns of none whether it had a card here.
_NO_CARD: Final = later("There is no free card for you. You have had yours, or none is left today.")


@dataclass(frozen=True, slots=True)
class Entered:
    """``card`` is what stands in the address of the card that was given; empty where ``errors`` say why not."""

    values: dict[str, str]
    errors: dict[str, str]
    card: str = ""
    status: int = 422


async def enter(house: House, request: Request, told: Told, sent: Mapping[str, str]) -> Entered:
    values = {name: sent[name] for name in _FIELDS if sent.get(name)}
    shopper, errors = _read(values, told.words)
    countries, country = told.campaign.definition.countries, sent.get("country", "")
    if countries and country not in countries:
        errors["country"] = told.words.gettext(_NOT_THERE)
    # It is not kept, but shown again where something is to be put right.
    values |= {"country": country} if country in countries else {}
    if sent.get("agreed") != "1":
        errors["agreed"] = told.words.gettext(_NOT_AGREED)
    if errors:
        return Entered(values, errors)
    if not is_person(request):
        return Entered(values, {"form": told.words.gettext(_TOO_MANY)}, status=429)
    try:
        await _count(house, request, told.campaign)
        card = await house.write(lambda conn: _given(conn, house, told.campaign, shopper))
    except entrants.TooManyHere:
        return Entered(values, {"form": told.words.gettext(_TOO_MANY)}, status=429)
    except (Conflict, NotFound, TooMany):
        return Entered(values, {"form": told.words.gettext(_NO_CARD)}, status=409)
    return Entered(values, {}, card)


def _read(values: Mapping[str, str], words: Voice) -> tuple[Shopper, dict[str, str]]:
    checked, errors = {}, {}
    for name, value in values.items():
        try:
            checked[name] = _FIELDS[name].validate_python(value)
        except ValidationError:
            errors[name] = words.gettext(_WRONG[name])
    if not values:
        errors["email"] = words.gettext(_NO_WAY)
    return Shopper(**checked), errors


async def _count(house: House, request: Request, campaign: CampaignRecord) -> None:
    """In a transaction of its own: a try counts whatever comes of it. Raises :class:`entrants.TooManyHere`, for which
    nothing is written any more."""
    address = address_of(request, trusted=house.settings.server.trusted_proxies)
    visit = entrants.visit(house.scratch_key, campaign, address, now=house.clock())
    await house.read(lambda conn: entrants.require_room(conn, visit))
    await house.write(lambda conn: entrants.count(conn, visit))


def _given(conn: Connection, house: House, campaign: CampaignRecord, shopper: Shopper) -> str:
    """What stands in the address of the card."""
    now = house.clock()
    mark = shoppers.pseudonym(house.reward_keys.shopper, campaign.merchant_id, shopper) or ""
    given = granting.grant_free_entry(conn, house.reward_keys, campaign.merchant_id, campaign.id, shopper=mark, now=now)
    return links.told(house.scratch_key, given.id)
