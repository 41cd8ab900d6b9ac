"""A receipt as an electronic invoice: Cross Industry Invoice XML in the profile EN 16931 of Factur-X 1.0 (ZUGFeRD 2).

Pure. What has no valid form stays a receipt: :func:`invoice` says why.
"""

from datetime import date, datetime
from typing import Final

from kernel import money
from receipts.facturx_codes import CARD, ON_ACCOUNT, means
from receipts.facturx_lines import extra, line
from receipts.facturx_parties import Party, buyer, party, seller
from receipts.facturx_sums import Breakdown, Sums, sums
from receipts.facturx_vat import NotExpressible, Vat
from receipts.facturx_xml import Element, day, maybe, number, part
from receipts.records import ReceiptRecord
from receipts.sale import Content, Payment
from receipts.wall_clock import zone_of

__all__ = ["NotExpressible", "invoice", "is_wanted", "unfit"]

_PROFILE: Final = "urn:cen.eu:en16931:2017"
# UNTDID 1001.
_INVOICE, _CREDIT_NOTE = "380", "381"
_UNPAID: Final = "To be paid as agreed"


def is_wanted(record: ReceiptRecord) -> bool:
    """Whether the buyer is a business that says so by its tax id."""
    return record.content.buyer is not None and bool(record.content.buyer.tax_id)


def unfit(record: ReceiptRecord) -> str:
    """Why :func:`invoice` would refuse it, for a tenth of its work; empty where it would not."""
    try:
        _told(record)
    except NotExpressible as problem:
        return str(problem)
    return ""


def invoice(record: ReceiptRecord) -> bytes:
    """The XML in UTF-8; the same bytes each time. Raises :class:`NotExpressible`, whose message says why."""
    from lxml import etree  # late, as in receipts.facturx_xml

    return bytes(etree.tostring(_document(record, *_told(record)), encoding="UTF-8", xml_declaration=True))


def _told(record: ReceiptRecord) -> tuple[Sums, Party, Party]:
    """What is owed, by whom and to whom. All that can be refused is refused here."""
    content = record.content
    if content.buyer is None:
        raise NotExpressible("it names no buyer")
    for flag in ("gift", "training"):
        if flag in content.flags:
            raise NotExpressible(f"it is a {flag} receipt")
    of, by, to = sums(content), seller(record.issuer), buyer(content.buyer)
    if any(vat.category == "AE" for vat in of.vat) and to.vat_id is None:
        raise NotExpressible("the buyer, to whom the tax is shifted, has no VAT identification number")
    return of, by, to


def _document(record: ReceiptRecord, of: Sums, by: Party, to: Party) -> Element:
    is_taxed = not any(vat.category == "O" for vat in of.vat)
    content, digits = record.content, money.exponent(record.currency)
    issued = _day(record, content.issued_at)
    return part(
        "rsm:CrossIndustryInvoice",
        part(
            "rsm:ExchangedDocumentContext",
            part("GuidelineSpecifiedDocumentContextParameter", part("ID", _PROFILE)),
        ),
        part(
            "rsm:ExchangedDocument",
            part("ID", record.number),
            part("TypeCode", _CREDIT_NOTE if of.is_credit else _INVOICE),
            day("IssueDateTime", issued),
            *(part("IncludedNote", part("Content", note)) for note in filter(None, (content.reason, *content.notes))),
        ),
        part(
            "rsm:SupplyChainTradeTransaction",
            *(line(content.lines[each.at], each, digits) for each in of.lines),
            part(
                "ApplicableHeaderTradeAgreement",
                maybe("BuyerReference", content.buyer.reference if content.buyer else None),
                party("SellerTradeParty", by, is_taxed=is_taxed),
                party("BuyerTradeParty", to, is_taxed=is_taxed),
                _named("SellerOrderReferencedDocument", content.order_number),
            ),
            part(
                "ApplicableHeaderTradeDelivery",
                part("ActualDeliverySupplyChainEvent", day("OccurrenceDateTime", issued)),
            ),
            _settlement(record, of, digits),
        ),
    )


def _settlement(record: ReceiptRecord, of: Sums, digits: int) -> Element:
    original = record.original
    return part(
        "ApplicableHeaderTradeSettlement",
        part("InvoiceCurrencyCode", record.currency),
        _paid_by(record.content, digits),
        *(_breakdown(vat, row, digits) for vat, row in of.vat.items()),
        *(extra(each, digits) for each in of.extras),
        # Without a due date something must be said (BR-CO-25).
        part("SpecifiedTradePaymentTerms", part("Description", _UNPAID)) if of.due > 0 else None,
        _summation(of, record.currency, digits),
        _named("InvoiceReferencedDocument", original.number, _day(record, original.issued_at)) if original else None,
    )


def _summation(of: Sums, currency: str, digits: int) -> Element:
    """BG-22; what the rules BR-CO-10 to BR-CO-16 hold together."""
    charges = sum(each.net for each in of.extras if each.net > 0)
    allowances = -sum(each.net for each in of.extras if each.net < 0)
    lines, tax = sum(each.net for each in of.lines), sum(row.tax for row in of.vat.values())
    paid = of.total + of.rounding - of.due
    amounts = {
        "LineTotalAmount": lines,
        "ChargeTotalAmount": charges,
        "AllowanceTotalAmount": allowances,
        "TaxBasisTotalAmount": lines + charges - allowances,
        "TaxTotalAmount": tax,
        "RoundingAmount": of.rounding,
        "GrandTotalAmount": of.total,
        "TotalPrepaidAmount": paid,
        "DuePayableAmount": of.due,
    }
    return part(
        "SpecifiedTradeSettlementHeaderMonetarySummation",
        *(
            part(name, money.plain(amount, digits), **({"currencyID": currency} if name == "TaxTotalAmount" else {}))
            for name, amount in amounts.items()
        ),
    )


def _breakdown(vat: Vat, row: Breakdown, digits: int) -> Element:
    return part(
        "ApplicableTradeTax",
        part("CalculatedAmount", money.plain(row.tax, digits)),
        part("TypeCode", "VAT"),
        maybe("ExemptionReason", row.reason),
        part("BasisAmount", money.plain(row.net, digits)),
        part("CategoryCode", vat.category),
        None if vat.category == "O" else part("RateApplicablePercent", number(vat.rate)),
    )


def _paid_by(content: Content, digits: int) -> Element | None:
    """One means is all that an invoice names: the one that paid most. Where there were more, the words tell of all."""
    tenders = [each for each in content.payments if each.method != ON_ACCOUNT]
    if not tenders:
        return None
    most = max(tenders, key=lambda each: abs(each.amount))
    told = ", ".join(f"{each.name or each.method} {money.plain(each.amount, digits)}" for each in tenders)
    return part(
        "SpecifiedTradeSettlementPaymentMeans",
        part("TypeCode", means(most.method)),
        maybe("Information", told if len(tenders) > 1 else most.name),
        _card(most),
    )


def _card(tender: Payment) -> Element | None:
    if means(tender.method) != CARD or not tender.last4:
        return None
    return part("ApplicableTradeSettlementFinancialCard", part("ID", tender.last4))


def _named(name: str, number: str | None, issued: date | None = None) -> Element | None:
    if not number:
        return None
    when = day("FormattedIssueDateTime", issued, within="qdt") if issued else None
    return part(name, part("IssuerAssignedID", number), when)


def _day(record: ReceiptRecord, moment: datetime) -> date:
    """On the wall of the shop."""
    return moment.astimezone(zone_of(record)).date()
