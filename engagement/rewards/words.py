"""What a merchant wrote of campaigns and prizes, and what a prize is worth, in a reader's words."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engagement import scratch
from engagement.rewards.records import PrizeRecord
from infra.i18n import Voice
from kernel import money
from kernel.locale import choose, isolated


def in_words(told: Mapping[Any, str], language: str) -> str:
    """Of what a merchant wrote in some languages the reader's, else English, else the first; empty where it is none."""
    written: dict[str, str] = dict(told)
    return written[choose([language, "en"], written, next(iter(written)))] if written else ""


def worth(prize: PrizeRecord, words: Voice) -> str:
    """What a prize is, in a few words; empty where only its name says it."""
    told, _ = prize.definition, words.gettext
    match told.kind:
        case "amount_off":
            return _("%(amount)s off") % {"amount": amount(prize.face_value, prize.currency, words)}
        case "percent_off":
            percent = words.formats.percent(Decimal(told.percent or 0))
            most = amount(prize.face_value, prize.currency, words)
            return _("%(percent)s off, up to %(amount)s") % {"percent": percent, "amount": most}
        case "points":
            count = told.points or 0
            number = words.formats.number(Decimal(count))
            return words.ngettext("%(number)s point", "%(number)s points", count) % {"number": number}
    return ""


def amount(minor: int, currency: str, words: Voice) -> str:
    """``₹2,500``: without the fraction where it is none."""
    if minor % 10 ** money.exponent(currency):
        return words.formats.money(minor, currency)
    figure = words.formats.figure(minor, currency)
    return f"{figure.sign}{figure.before}{figure.whole}{figure.after}"


def from_ally(issuer: str, words: Voice) -> str:
    """Whom a prize is from that another hands out."""
    return words.gettext("From our ally %(ally)s") % {"ally": isolated(issuer, words.direction)}


def in_groups(code: str) -> str:
    """As people read it. One that was imported follows no rule that we know."""
    return scratch.shown(code) if scratch.tidy(code) == code else code
