"""Who sold and who bought, as a reader sees them."""

from collections.abc import Mapping
from typing import Any

from infra.i18n import Voice
from receipts.document import Issuer
from receipts.sale import Buyer
from receipts.shapes import Party, Row

# Where the postal code stands behind the city and the region.
_CODE_LAST = frozenset({"AU", "CA", "GB", "IE", "IN", "NZ", "US", "ZA"})


def store(voice: Voice, issuer: Issuer) -> Party:
    """The legal name heads the address where it is not the store's."""
    lines = address_lines(issuer.address)
    if issuer.legal_name and issuer.legal_name != issuer.store:
        lines = (issuer.legal_name, *lines)
    details = (Row(tax_id_label(voice, issuer.address), issuer.tax_id),) if issuer.tax_id else ()
    return Party(issuer.store, lines, issuer.phone or "", details)


def buyer(voice: Voice, buyer: Buyer | None) -> Party | None:
    if buyer is None:
        return None
    address = buyer.address.model_dump(exclude_none=True) if buyer.address else {}
    details = []
    if buyer.tax_id:
        details.append(Row(tax_id_label(voice, address), buyer.tax_id))
    if buyer.reference:
        details.append(Row(voice.gettext("Reference"), buyer.reference))
    names = tuple(address[key] for key in ("company", "name") if address.get(key) not in (None, buyer.name))
    return Party(buyer.name, (*names, *address_lines(address)), address.get("phone", ""), tuple(details))


def address_lines(address: Mapping[str, Any]) -> tuple[str, ...]:
    """Street lines, then city and postal code in the order of the country."""
    code, city, region = (address.get(key) or "" for key in ("postal_code", "city", "region"))
    if address.get("country") in _CODE_LAST:
        place = " ".join(filter(None, (", ".join(filter(None, (city, region))), code)))
    else:
        place = ", ".join(filter(None, (" ".join(filter(None, (code, city))), region)))
    return (*address.get("lines", ()), *([place] if place else []))


def tax_id_label(voice: Voice, address: Mapping[str, Any]) -> str:
    """As the country calls it, since officials look for that word."""
    country = address.get("country")
    return "GSTIN" if country == "IN" else "TRN" if country == "AE" else voice.gettext("Tax ID")
