"""The rules of a campaign and the proof of its draws as typed contexts, in a reader's words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson

from accounts.find import BrandLook
from api.contexts_after_sale import CardProof, EntryPage, Fact, FairPage, PrizeRow, RulesPage
from api.receipt_page import brand_view, language_links
from api.scratch_view import chances, winning_percent
from cards.names import country_name
from engagement.rewards.definition import instant
from engagement.rewards.proof import Proof, TheDraw, follows
from engagement.rewards.records import CampaignRecord, Draw, PrizeRecord
from engagement.rewards.words import in_words, worth
from infra.i18n import Voice
from infra.theme import theme
from kernel import jcs

PROOF_PATH: Final = "/v1/campaigns/{}/proof"


@dataclass(frozen=True, slots=True)
class Told:
    """A campaign that was launched, for one reader."""

    campaign: CampaignRecord
    look: BrandLook
    words: Voice

    @property
    def name(self) -> str:
        return in_words(self.campaign.definition.name, self.words.language)

    @property
    def path(self) -> str:
        return f"/campaigns/{self.campaign.id}"

    def address(self, rest: str = "") -> str:
        return f"{self.path}{rest}?lang={self.words.language}"


def rules_page(told: Told, *, is_gone: bool, now: datetime) -> RulesPage:
    """``is_gone`` says that no prize is left."""
    campaign, words = told.campaign, told.words
    written = campaign.definition.rules
    rules = in_words(written, words.language)
    language = next((tag for tag, text in written.items() if text == rules), "")
    return RulesPage(
        **_page(told, words.gettext("Rules and odds")),
        name=told.name,
        state=_state(campaign, words, now),
        prizes=tuple(_prizes(campaign, words)),
        share=words.formats.percent(winning_percent(campaign)),
        is_gone=is_gone,
        limits=tuple(_limits(campaign, words)),
        rules=rules,
        rules_language="" if language == words.language else language,
        entry=told.address("/entry") if takes_entries(campaign, now) else "",
        fair=told.address("/fair"),
    )


def fair_page(told: Told, draw: Draw | None, *, asked: str, base_url: str) -> FairPage:
    """``draw`` is that of the card that was asked about by ``asked``, where there is one."""
    campaign, words = told.campaign, told.words
    address = base_url + PROOF_PATH.format(campaign.id)
    return FairPage(
        **_page(told, words.gettext("Was this fair?")),
        name=told.name,
        has_ended=campaign.has_ended,
        is_seed_lost=campaign.has_ended and campaign.seed is None,
        promises=tuple(_promises(campaign, words)),
        card=_card(told, draw) if draw else None,
        ask=told.address("/fair"),
        asked=asked if draw else "",
        is_unknown=bool(asked) and draw is None,
        proof=address,
        command=f"counterfoil rewards verify {address}",
        rules=told.address(),
    )


def entry_page(told: Told, *, values: Mapping[str, str], errors: Mapping[str, str]) -> EntryPage:
    return EntryPage(
        **_page(told, told.words.gettext("Play without a purchase")),
        name=told.name,
        action=told.address("/entry"),
        rules=told.address(),
        agreement=agreement(told),
        countries=tuple(_countries(told)),
        values=dict(values),
        errors=dict(errors),
    )


def _countries(told: Told) -> list[tuple[str, str]]:
    """Codes with their names, of those in one of which who enters has to live."""
    codes, language = told.campaign.definition.countries, told.words.language
    return sorted(((code, country_name(code, language)) for code in codes), key=lambda each: each[1])


def agreement(told: Told) -> str:
    _, age = told.words.gettext, told.campaign.definition.minimum_age
    if age:
        return _("I have read the rules, and I am at least %(age)s years old.") % {"age": age}
    return _("I have read the rules.")


def takes_entries(campaign: CampaignRecord, now: datetime) -> bool:
    is_running = campaign.state == "live" and campaign.starts_at <= now < campaign.ends_at
    return is_running and campaign.definition.free_entry is not None


def as_proof(campaign: CampaignRecord) -> dict[str, Any]:
    """All of a proof but its draws: the members of :class:`engagement.rewards.proof.Proof`."""
    return {
        "campaign": campaign.id,
        "seed_sha256": campaign.seed_digest,
        "table_sha256": campaign.table_digest,
        "table": campaign.published,
        "ended": campaign.has_ended,
        "seed": campaign.seed,
    }


def _page(told: Told, title: str) -> dict[str, Any]:
    look, language = told.look, told.words.language
    return {
        "language": language,
        "direction": told.words.direction,
        "title": f"{title} · {told.name}",
        "description": f"{title} · {look.name}",
        "theme": theme(look.colour),
        "languages": language_links(look.languages, language),
        "brand": brand_view(look, language),
    }


def _state(campaign: CampaignRecord, words: Voice, now: datetime) -> str:
    _ = words.gettext
    if campaign.has_ended or now >= campaign.ends_at:
        return _("This campaign has ended.")
    if campaign.state == "paused":
        return _("This campaign is paused.")
    return "" if now >= campaign.starts_at else _("This campaign has not begun.")


def _prizes(campaign: CampaignRecord, words: Voice) -> Iterator[PrizeRow]:
    numbers = chances(campaign)
    total = sum(numbers) + campaign.definition.nothing
    for prize, chance in zip(campaign.prizes, numbers, strict=True):
        yield PrizeRow(
            name=in_words(prize.definition.name, words.language),
            worth=worth(prize, words),
            terms=in_words(prize.definition.terms, words.language),
            place=prize.supplier_name if prize.supplier_id != campaign.merchant_id else "",
            count=words.formats.number(Decimal(prize.stock)),
            chance=words.gettext("1 in %(number)s") % {"number": _one_in(total, chance, words)},
            time=_time(campaign, prize, words),
        )


def _time(campaign: CampaignRecord, prize: PrizeRecord, words: Voice) -> tuple[str, str]:
    told, zone = prize.definition, campaign.definition.timezone
    if told.valid_until is not None:
        until = instant(told.valid_until, zone, is_end=True)
        return words.gettext("Valid until"), words.formats.moment(until, ZoneInfo(zone)).text
    return words.gettext("Days to use it, once scratched"), words.formats.number(Decimal(told.valid_days or 0))


def _one_in(total: int, chance: int, words: Voice) -> str:
    """To a tenth where that says something."""
    exact = Decimal(total) / Decimal(chance)
    return words.formats.number(round(exact, 1) if exact < 10 else Decimal(round(exact)))


def _limits(campaign: CampaignRecord, words: Voice) -> Iterator[tuple[str, str]]:
    _, told = words.gettext, campaign.definition
    zone = ZoneInfo(told.timezone)
    yield _("From"), words.formats.moment(campaign.starts_at, zone).text
    yield _("Until"), words.formats.moment(campaign.ends_at, zone).text
    yield _("Time zone"), told.timezone
    if told.countries:
        yield _("Shops in"), ", ".join(country_name(each, words.language) for each in told.countries)
    if told.minimum_age:
        yield _("Minimum age"), words.formats.number(Decimal(told.minimum_age))
    caps = (
        (_("Cards for each shopper"), told.caps.per_shopper),
        (_("Cards for each shopper and day"), told.caps.per_shopper_per_day),
        (_("Cards a day"), told.caps.per_day),
        (_("Free entries for each person"), told.free_entry.per_shopper if told.free_entry else None),
        (_("Days to scratch a card"), told.scratch_days),
    )
    for label, count in caps:
        if count is not None:
            yield label, words.formats.number(Decimal(count))
    if told.holdout:
        yield _("Shoppers who get no card, to see what cards do"), words.formats.percent(Decimal(told.holdout))


def _promises(campaign: CampaignRecord, words: Voice) -> Iterator[Fact]:
    _ = words.gettext
    yield Fact(_("SHA-256 of the seed"), campaign.seed_digest or "")
    yield Fact(_("SHA-256 of the table of prizes"), campaign.table_digest or "")
    if campaign.launched_at is not None:
        moment = words.formats.moment(campaign.launched_at, ZoneInfo(campaign.definition.timezone))
        yield Fact(_("Published"), moment.text)
    if campaign.seed is not None:
        yield Fact(_("Seed"), campaign.seed)


def _card(told: Told, draw: Draw) -> CardProof:
    campaign, words = told.campaign, told.words
    _ = words.gettext
    facts = [Fact(_("Card"), draw.reward_id), Fact(_("Drawn for"), draw.entry)]
    if not campaign.has_ended or draw.is_hidden:
        # Nobody is told what is under the foil, nor what a clever one could tell it by.
        return CardProof(tuple(facts), "", "", None, "")
    facts += [Fact(_("Number"), str(draw.nonce))] if draw.nonce is not None else []
    facts += [Fact(_("Place in the deck"), str(draw.position))] if draw.position is not None else []
    names = [*(in_words(each.definition.name, words.language) for each in campaign.prizes), _("No prize")]
    gone = ", ".join(names[at] for at in draw.gone if at < len(names))
    if campaign.seed is None:
        return CardProof(tuple(facts), names[draw.outcome], gone, None, "")
    return CardProof(tuple(facts), names[draw.outcome], gone, _is_right(campaign, draw), _sums(campaign, draw))


def draw_json(draw: Draw) -> dict[str, Any]:
    """As :class:`engagement.rewards.proof.TheDraw` reads it."""
    return {
        "reward": draw.reward_id,
        "entry": draw.entry,
        "nonce": draw.nonce,
        "gone": list(draw.gone),
        "position": draw.position,
        "outcome": draw.outcome,
        "void": draw.void,
    }


def _is_right(campaign: CampaignRecord, draw: Draw) -> bool:
    proof = Proof.model_validate(as_proof(campaign))
    return follows(proof, TheDraw.model_validate(draw_json(draw)))


def _sums(campaign: CampaignRecord, draw: Draw) -> str:
    """For static/fair.js, which draws again in the browser. The table is in its canonical form, so that its hash can be
    taken as it is. A deck is shuffled by the command: it may have 200,000 cards."""
    if draw.position is not None:
        return ""
    table = jcs.canonicalise(campaign.published).decode()
    return orjson.dumps(as_proof(campaign) | {"table": table, "draw": draw_json(draw)}).decode()
