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
    details = (_tax_id(voice, issuer.address, issuer.tax_id),) if issuer.tax_id else ()
    return Party(issuer.store, lines, issuer.phone or "", details)


def place(issuer: Issuer) -> Row:
    """Two lines that say where: a store that bears the brand's name needs no other above it."""
    if issuer.brand in issuer.store:
        return Row(issuer.store, ", ".join(address_lines(issuer.address)))
    return Row(issuer.brand, issuer.store)


def buyer(voice: Voice, buyer: Buyer | None) -> Party | None:
    if buyer is None:
        return None
    address = buyer.address.model_dump(exclude_none=True) if buyer.address else {}
    details = []
    if buyer.tax_id:
        details.append(_tax_id(voice, address, buyer.tax_id))
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


def _tax_id(voice: Voice, address: Mapping[str, Any], number: str) -> Row:
    """Under the name that officials of the country look for, once: some merchants write it into the number."""
    label = {"IN": "GSTIN", "AE": "TRN"}.get(address.get("country") or "") or voice.gettext("Tax ID")
    return Row(label, number.removeprefix(label).lstrip(" :"))
