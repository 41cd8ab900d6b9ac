"""A survey as its stub shows it, at whichever step its shopper is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from api.contexts import Stub
from api.house import House
from api.referral_view import referral_code
from api.survey_shown import ScoreButton, SurveyView
from engagement.surveys import links
from engagement.surveys.links import Linked
from engagement.surveys.manage import SurveyRecord
from engagement.surveys.records import Answer, Channel
from engagement.surveys.settings import scale_of
from engagement.surveys.words import Said, said
from engagement.voice.referrals import Offered
from infra.i18n import Voice, voice

KIND: Final = "survey"
_TEMPLATE: Final = "stubs/survey.html"


@dataclass(frozen=True, slots=True)
class Shown:
    """What is known of a survey where it is shown. ``chosen`` is a link's score; ``is_done`` where somebody has said
    all that they wanted to, ``is_again`` where they wish to change it. ``is_there`` where
    there is an answer, counted or held back: then a page sends nothing by itself, unless it is the trap that only a
    program opens. ``offered`` is a promoter's code to hand on."""

    survey: SurveyRecord
    receipt_id: str
    brand: str
    channel: Channel
    answer: Answer | None
    is_open: bool = True
    chosen: int | None = None
    is_done: bool = False
    is_again: bool = False
    is_trap: bool = False
    is_there: bool = False
    offered: Offered | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


def stub(house: House, shown: Shown, language: str, *, now: datetime) -> Stub:
    spoken, survey, answer = voice(language), shown.survey, shown.answer
    token = links.link_token(house.survey_key, Linked(survey.id, shown.receipt_id, shown.channel))
    here, wish = f"/s/{token}", f"?lang={language}"
    step = _step(shown, now)
    words = said(survey.settings, survey.event, shown.brand, spoken)
    segment = answer.segment if answer else "passive"
    # Nobody sees to an answer that is held back: nothing is promised.
    is_promised = bool(answer and answer.is_counted)
    score = shown.chosen if step == "ask" and shown.chosen is not None else answer.score if answer else None
    content = SurveyView(
        step=step,
        question=words.question,
        low=words.low,
        high=words.high,
        ends=_ends(survey, words, spoken),
        buttons=_buttons(survey, words, spoken),
        score=score,
        score_text="" if score is None else _figure(score, spoken),
        is_chosen=step == "ask" and shown.chosen is not None,
        sends=step == "ask" and shown.chosen is not None and (shown.is_trap or not shown.is_there),
        action=f"{here}{wish}",
        more=f"{here}/more{wish}",
        again=f"{here}{wish}&again=1",
        seen=f"{here}/seen" if step == "ask" else "",
        follow_up=words.follow_up[segment],
        thanks=words.thanks[segment if is_promised else "passive"],
        review_url=(survey.settings.review_url or "") if segment == "promoter" else "",
        referral=referral_code(shown.offered, shown.brand, language) if shown.offered else None,
        consent=words.consent,
        consent_version=survey.settings.consent_version,
        offers_call=segment == "detractor",
        wants_call=bool(answer and answer.wants_call and (is_promised or step == "more")),
        can_change=bool(answer and shown.is_open and now <= answer.answered_at + survey.settings.editable),
        is_trap=shown.is_trap,
        values=dict(shown.values),
        errors=dict(shown.errors),
    )
    return Stub(KIND, _TEMPLATE, content)


def _step(shown: Shown, now: datetime) -> str:
    answer = shown.answer
    if answer is None:
        return "ask" if shown.is_open else "over"
    if not shown.is_open or now > answer.answered_at + shown.survey.settings.editable:
        return "fixed"
    if shown.is_again or shown.is_trap or shown.chosen not in (None, answer.score):
        return "ask"
    has_said = shown.is_done or answer.text or answer.wants_call
    return "thanks" if has_said and not shown.errors else "more"


def _buttons(survey: SurveyRecord, words: Said, spoken: Voice) -> tuple[ScoreButton, ...]:
    scale = scale_of(survey.event)
    meanings = {scale[0]: words.low, scale[-1]: words.high}
    return tuple(
        ScoreButton(score, text, f"{text}, {meanings[score]}" if score in meanings else text)
        for score, text in ((each, _figure(each, spoken)) for each in scale)
    )


def _ends(survey: SurveyRecord, words: Said, spoken: Voice) -> str:
    """Both, for who hears the question before its buttons."""
    scale = scale_of(survey.event)
    low, high = _figure(scale[0], spoken), _figure(scale[-1], spoken)
    told = {"low": low, "high": high, "worst": words.low, "best": words.high}
    return spoken.gettext("%(low)s: %(worst)s, %(high)s: %(best)s") % told


def _figure(score: int, spoken: Voice) -> str:
    return spoken.formats.number(Decimal(score))
