"""Who bought: kept apart from the receipt, and never behind its link."""

from pydantic import TypeAdapter

from accounts.fields import Country, EmailAddress, LanguageTag, PhoneNumber
from pos.event import Json
from pos.shopify.fields import fitting, identity, record, text, without_nones

_EMAIL: TypeAdapter[str] = TypeAdapter(EmailAddress)
_PHONE: TypeAdapter[str] = TypeAdapter(PhoneNumber)
_LANGUAGE: TypeAdapter[str] = TypeAdapter(LanguageTag)
_COUNTRY: TypeAdapter[str] = TypeAdapter(Country)


def language(order: Json) -> str | None:
    return fitting(_LANGUAGE, order.get("customer_locale"))


def shopper(order: Json) -> Json | None:
    """The ``shopper`` of the canonical sale; None where the order knows nobody."""
    customer = record(order.get("customer"))
    emails = (fitting(_EMAIL, each) for each in (order.get("email"), order.get("contact_email"), customer.get("email")))
    phones = (fitting(_PHONE, each) for each in (order.get("phone"), customer.get("phone")))
    found = {
        "email": next(filter(None, emails), None),
        "phone": next(filter(None, phones), None),
        "name": _name(customer) or _name(record(order.get("billing_address"))),
        "customer_id": identity(customer.get("id")),
        "billing_address": _address(record(order.get("billing_address"))),
        "shipping_address": _address(record(order.get("shipping_address"))),
    }
    told = without_nones(found)
    return without_nones(told | {"language": language(order)}) if told else None


def _name(person: Json) -> str | None:
    both = " ".join(filter(None, (text(person.get("first_name"), 149), text(person.get("last_name"), 149))))
    return both or text(person.get("name"))


def _address(address: Json) -> Json:
    return without_nones(
        {
            "name": _name(address),
            "company": text(address.get("company")),
            "lines": [line for line in (text(address.get("address1")), text(address.get("address2"))) if line],
            "postal_code": text(address.get("zip"), 128),
            "city": text(address.get("city")),
            "region": text(address.get("province")),
            "country": fitting(_COUNTRY, address.get("country_code")),
            "phone": fitting(_PHONE, address.get("phone")),
        }
    )
