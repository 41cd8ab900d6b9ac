"""The codes that EN 16931 wants: countries, units, means of payment, categories of VAT."""

import re
from typing import Final

# ISO 3166-1.
COUNTRIES: Final = frozenset(
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA "
    "CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA "
    "GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP "
    "KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS "
    "MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS "
    "RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW "
    "TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW".split()
)
# Where the standard is law or in use: the European Union, the European Economic Area, Monaco, Switzerland, Britain.
SELLERS: Final = frozenset(
    "AT BE BG CH CY CZ DE DK EE ES FI FR GB GR HR HU IE IS IT LI LT LU LV MC MT NL NO PL PT RO SE SI SK".split()
)
# VAT identification numbers begin with these where they do not begin with the country: Greece, Northern Ireland.
_PREFIXES: Final = {"EL": "GR", "XI": "GB"}
_VAT_ID: Final = re.compile(r"([A-Z]{2})[0-9A-Z+*]{2,18}")
_BETWEEN: Final = re.compile(r"[\s.\-/]")

# UN/ECE Recommendation 20; what is not here is counted in C62, "one".
_UNITS: Final = {
    "C62": "ea each one unit x",
    "H87": "pc pcs piece pieces st stk stück pce",
    "KGM": "kg",
    "GRM": "g",
    "LTR": "l ltr liter litre",
    "MLT": "ml",
    "CLT": "cl",
    "MTR": "m",
    "CMT": "cm",
    "MMT": "mm",
    "MTK": "m2 m² qm sqm",
    "MTQ": "m3 m³ cbm",
    "HUR": "h hr hour hours std",
    "MIN": "min",
    "DAY": "d day days tag tage",
    "MON": "month months",
    "KMT": "km",
    "KWH": "kwh",
    "TNE": "t",
    "LBR": "lb lbs",
    "ONZ": "oz",
    "PR": "pair pairs paar",
    "SET": "set",
}
_UNIT_OF: Final = {name: code for code, names in _UNITS.items() for name in names.split()}

# UNTDID 4461; what is not here is "mutually defined".
_MEANS: Final = {
    "cash": "10",
    "cheque": "20",
    "check": "20",
    "bank_transfer": "42",
    "card": "48",
    "direct_debit": "49",
    "wallet": "68",
    "online": "68",
}
# On account: the invoice is what is still to be paid.
ON_ACCOUNT: Final = "invoice"
CARD: Final = "48"

# UNTDID 5305, as far as a till needs them: without tax, and why. The words stand where the till gives none.
WITHOUT_TAX: Final = {
    "Z": "",
    "E": "Exempt from VAT",
    "AE": "Reverse charge",
    "O": "Not subject to VAT",
}
STANDARD: Final = "S"
# With tax: EN 16931 writes lower and higher rates as S.
TAXED: Final = frozenset({STANDARD, "AA", "H"})
# All of UNTDID 5305. Export and supply within the union (G, K) want proofs that no till has, the Canary Islands, Ceuta
# and Melilla (L, M) have taxes of their own.
CATEGORIES: Final = frozenset("A AA AB AC AD AE B C D E F G H I J K L M O S Z".split())
# What the law does not tax stands beside what it does, and category O may not.
OUTSIDE: Final = {
    "gift_card": "Multi-purpose voucher, outside the scope of VAT (Directive 2006/112/EC, Article 30b)",
    "donation": "Donation, outside the scope of VAT",
    "tip": "Tip, outside the scope of VAT",
}


def unit(printed: str) -> str:
    return _UNIT_OF.get(printed.strip(" .").lower(), "C62")


def means(method: str) -> str:
    return _MEANS.get(method, "ZZZ")


def vat_id(tax_id: str | None) -> str | None:
    """As VIES writes it, ``DE123456789`` for ``DE 123 456 789``; None for what is no VAT identification number."""
    joined = _BETWEEN.sub("", (tax_id or "").upper())
    found = _VAT_ID.fullmatch(joined)
    has_digit = any(letter.isdigit() for letter in joined)
    return joined if found and has_digit and _PREFIXES.get(found[1], found[1]) in COUNTRIES else None


def country_of(vat: str | None) -> str | None:
    return None if vat is None else _PREFIXES.get(vat[:2], vat[:2])
