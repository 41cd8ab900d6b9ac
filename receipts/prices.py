"""Amounts in free text: what a gift receipt must not repeat, wherever a till wrote it.

It errs on the side of the giver: every percentage and ``GEL 50`` are taken for amounts. A decimal number that counts a
unit, such as ``0.75 l``, is none.
"""

import re
from typing import Final

from kernel import money

# Unicode's category Sc.
_SIGN: Final = r"[$¢£¤¥֏؋߾߿৲৳৻૱௹฿៛₠-⃀꠸﷼﹩＄￠￡￥￦\U00011fdd-\U00011fe0\U0001e2ff\U0001ecb0]"
_CODE: Final = "|".join(sorted(money.EXPONENTS))
# As people write them, in any case, in the languages of the receipts and of their neighbours.
_WORD: Final = (
    r"rs\.?|inr|eur|euros?|usd|dollars?|gbp|pounds?|pence|cents?|chf|s?fr\.|franken|francs?|rappen|pesos?|dollari"
    r"|aed|dhs?\.?|dirhams?|riyals?|rupees?|sek|nok|dkk|kr\.?|kronor|kroner|pln|zł|czk|kč|huf|ft|lei|tl|yen"
    r"|лв\.?|руб\.?|грн\.?|रु\.?|रुपये|रुपया|درهم|دراهم|ريال|دينار|د\.إ|ر\.س"
)
_MONEY: Final = rf"(?:(?-i:{_CODE})|{_WORD})"
_NUMBER: Final = r"[+\-−–]?\d++(?:[.,٫٬'’\s]\d++)*+(?:[.,][-–—]+)?"
_PERCENT: Final = r"(?:[%٪﹪％‰]|per ?cent|prozent|pour ?cent|por ?ciento|प्रतिशत)"
_UNIT: Final = r"(?:[mcd]?l|[mk]?g|[mck]?m|m²|oz|lbs?|inch|[gtm]b|m?ah|k?wh?|v|[mg]?hz|mp)"
_AMOUNT: Final = re.compile(
    "|".join(
        (
            rf"{_SIGN}+(?:\s*{_NUMBER})?",
            rf"{_NUMBER}\s*(?:{_SIGN}+|[円元圓원])",
            rf"(?<![^\W\d_]){_MONEY}\s*{_NUMBER}",
            rf"{_NUMBER}\s*{_MONEY}(?![^\W\d_])",
            rf"{_NUMBER}\s*{_PERCENT}",
            rf"\d++(?:[.,٫]\d++)++(?!\s*{_UNIT}(?![\w/]))",
            r"\d++[.,][-–—]+",
        )
    ),
    re.IGNORECASE,
)


def tells_a_price(text: str) -> bool:
    """Whether ``text`` holds an amount: with a currency's sign, code or name, a percentage, or a decimal number."""
    return _AMOUNT.search(text) is not None


def without_prices(text: str) -> str:
    """``text`` with ``…`` in place of each amount."""
    return _AMOUNT.sub("…", text)
