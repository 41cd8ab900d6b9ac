"""Seller and buyer of an invoice (BG-4, BG-7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from receipts.document import Issuer
from receipts.facturx_codes import COUNTRIES, SELLERS, country_of, vat_id
from receipts.facturx_vat import NotExpressible
from receipts.facturx_xml import Element, maybe, part
from receipts.sale import Buyer


@dataclass(frozen=True, slots=True)
class Party:
    name: str
    trading_name: str
    address: Mapping[str, Any]
    country: str
    vat_id: str | None
    # Any other number by which it is known.
    other_id: str | None = None


def seller(issuer: Issuer) -> Party:
    """Raises :class:`NotExpressible` where the store's address has no European country, or it has no VAT id."""
    country = str(issuer.address.get("country") or "")
    vat = vat_id(issuer.tax_id)
    if not country:
        raise NotExpressible("the store's address has no country")
    if country not in SELLERS:
        raise NotExpressible("the store is in a country without EN 16931")
    if vat is None:
        raise NotExpressible("the store's tax_id is no VAT identification number such as DE123456789")
    name, trading = issuer.legal_name or issuer.store, issuer.store if issuer.legal_name else issuer.brand
    return Party(name, trading if trading != name else "", issuer.address, country, vat)


def buyer(buyer: Buyer) -> Party:
    """The country is that of the address, else that of the VAT id. Raises :class:`NotExpressible` without either."""
    address = buyer.address.model_dump() if buyer.address else {}
    vat = vat_id(buyer.tax_id)
    country = address.get("country") or country_of(vat)
    if country not in COUNTRIES:
        raise NotExpressible("the buyer's address has no country")
    return Party(buyer.name, "", address, str(country), vat, None if vat else buyer.tax_id)


def party(name: str, who: Party, *, is_taxed: bool) -> Element:
    """``is_taxed`` is False where nothing is subject to VAT: no VAT id may stand there then (BR-O-02)."""
    shown, known = (who.vat_id, who.other_id) if is_taxed else (None, who.vat_id or who.other_id)
    return part(
        name,
        maybe("ID", known),
        maybe("Name", who.name),
        part("SpecifiedLegalOrganization", part("TradingBusinessName", who.trading_name)) if who.trading_name else None,
        _address(who.address, who.country),
        part("SpecifiedTaxRegistration", part("ID", shown, schemeID="VA")) if shown else None,
    )


def _address(address: Mapping[str, Any], country: str) -> Element:
    lines = _three(address.get("lines") or ())
    return part(
        "PostalTradeAddress",
        maybe("PostcodeCode", address.get("postal_code")),
        *(maybe(name, line) for name, line in zip(("LineOne", "LineTwo", "LineThree"), lines, strict=False)),
        maybe("CityName", address.get("city")),
        part("CountryID", country),
        maybe("CountrySubDivisionName", address.get("region")),
    )


def _three(lines: Sequence[str]) -> Sequence[str]:
    return lines if len(lines) <= 3 else [*lines[:2], ", ".join(lines[2:])]
