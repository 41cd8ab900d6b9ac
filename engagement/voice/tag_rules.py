"""A merchant's rules for tags, and the tags of answers by them."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Annotated, Final

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import Connection, Engine, and_, delete, func, insert, select, update

from accounts.fields import Language
from engagement.surveys.records import Answer, Segment
from engagement.surveys.tables import SurveyAnswer
from engagement.voice import tags
from engagement.voice.settings import Phrase
from engagement.voice.tables import AnswerTag, TagRow, TagRun, VoiceSettings
from engagement.voice.tags import Tagger, TagRule
from infra.database import in_turn, reading, upsert
from kernel.errors import FieldError, Invalid, NotFound
from kernel.ids import new_id

MOST_RULES: Final = 200
# Of all rules and languages together: who answers waits while they are put together, once for each change.
MOST_PHRASES: Final = 5_000
_MOST_TAGGERS: Final = 64
_MOST_WORDS: Final = 8
_TOGETHER: Final = 200
# By then every answer that was written by the rules of before is there to be seen.
_SETTLED: Final = timedelta(minutes=1)


def _has_words(phrase: str) -> str:
    parts = tags.parts_of(phrase)
    if not 1 <= len(parts) <= _MOST_WORDS:
        raise ValueError(f"must hold 1 to {_MOST_WORDS} words")
    return phrase


RulePhrase = Annotated[Phrase, AfterValidator(_has_words)]


class TagContent(BaseModel):
    """A rule. Case and accents do not matter, words are whole; `wait*` stands for all words that begin so."""

    model_config = ConfigDict(extra="forbid")

    phrases: dict[Language, Annotated[list[RulePhrase], Field(max_length=500)]] = Field(
        {}, description="Words and phrases, by the language of the answer."
    )
    any_language: list[RulePhrase] = Field([], max_length=500, description="Those for answers in any language.")
    denied: bool = Field(
        False, strict=True, description="Whether the tag is given as well where a word before denies it: `not slow`."
    )


@dataclass(frozen=True, slots=True)
class KnownRule:
    tag: str
    content: TagContent
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class TagCount:
    """How many answers have the tag, of each segment."""

    tag: str
    answers: int
    by_segment: Mapping[Segment, int]


class _Taggers:
    """Put together once for each state of a merchant's rules and language; the least recently used goes first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[tuple[str, str, str], Tagger] = OrderedDict()

    def get(self, key: tuple[str, str, str], make: Callable[[], Tagger]) -> Tagger:
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        made = make()
        with self._lock:
            self._known[key] = made
            if len(self._known) > _MOST_TAGGERS:
                self._known.popitem(last=False)
        return made


_TAGGERS: Final = _Taggers()


def put(conn: Connection, merchant_id: str, tag: str, content: TagContent, *, now: datetime) -> None:
    """Answers of before are looked at again, a minute later. Raises :class:`Invalid` beyond 200 rules or 5,000
    phrases of all together."""
    # First: of two who put rules at once the second waits here, and then counts those of the first.
    _mark_changed(conn, merchant_id, now)
    others = [each for each in listed(conn, merchant_id) if each.tag != tag]
    if len(others) >= MOST_RULES:
        raise Invalid(errors=[FieldError("", f"would be one rule more than the {MOST_RULES} that a merchant may have")])
    if sum(_count(each) for each in (content, *(other.content for other in others))) > MOST_PHRASES:
        raise Invalid(errors=[FieldError("", f"would be more than the {MOST_PHRASES} phrases of all rules together")])
    values = {"content": content.model_dump_json(exclude_defaults=True), "changed_at": now}
    row = upsert(conn, TagRow).values(values | {"merchant_id": merchant_id, "tag": tag})
    conn.execute(row.on_conflict_do_update(index_elements=["merchant_id", "tag"], set_=values))
    _look_again(conn, merchant_id, now)


def remove(conn: Connection, merchant_id: str, tag: str, *, now: datetime) -> None:
    """Raises :class:`NotFound`."""
    _mark_changed(conn, merchant_id, now)
    mine = (TagRow.merchant_id == merchant_id, TagRow.tag == tag)
    if not conn.execute(delete(TagRow).where(*mine)).rowcount:
        raise NotFound("There is no such rule")
    _look_again(conn, merchant_id, now)


def listed(conn: Connection, merchant_id: str) -> list[KnownRule]:
    """In the order of their names. They were checked when they were put."""
    query = select(TagRow.tag, TagRow.content, TagRow.changed_at).where(TagRow.merchant_id == merchant_id)
    rows = conn.execute(query.order_by(TagRow.tag))
    return [KnownRule(row.tag, TagContent.model_construct(**orjson.loads(row.content)), row.changed_at) for row in rows]


def is_running(conn: Connection, merchant_id: str) -> bool:
    """Whether answers of before are still to be looked at again."""
    return conn.scalar(select(TagRun.merchant_id).where(TagRun.merchant_id == merchant_id)) is not None


def tagger(conn: Connection, merchant_id: str, language: str) -> Tagger:
    # Before the rules, so that they are at least as new as it says.
    mine = select(VoiceSettings.tag_revision).where(VoiceSettings.merchant_id == merchant_id)
    revision = conn.scalar(mine)
    if revision is None:
        return Tagger([], language)
    return _TAGGERS.get((merchant_id, language, revision), lambda: _tagger(conn, merchant_id, language))


def _tagger(conn: Connection, merchant_id: str, language: str) -> Tagger:
    rules = [TagRule(each.tag, _phrases(each.content), each.content.denied) for each in listed(conn, merchant_id)]
    return Tagger(rules, language)


def tag(conn: Connection, answer: Answer) -> None:
    """In place of the tags that the answer had."""
    found = tagger(conn, answer.merchant_id, answer.language).tags(answer.text) if answer.text else []
    _write(conn, answer.merchant_id, {answer.id: found})


def tags_of(conn: Connection, merchant_id: str, answer_ids: Collection[str]) -> dict[str, list[str]]:
    """By answer, in the order of their names; answers without a tag are left out."""
    query = select(AnswerTag.answer_id, AnswerTag.tag)
    query = query.where(AnswerTag.merchant_id == merchant_id, AnswerTag.answer_id.in_(answer_ids))
    found: dict[str, list[str]] = {}
    for row in conn.execute(query.order_by(AnswerTag.answer_id, AnswerTag.tag)):
        found.setdefault(row.answer_id, []).append(row.tag)
    return found


def counts(
    conn: Connection,
    merchant_id: str,
    *,
    since: datetime,
    before: datetime,
    survey_id: str | None = None,
    store_id: str | None = None,
) -> list[TagCount]:
    """Of answers that count and came in this time; the tag that most have comes first."""
    query = select(AnswerTag.tag, SurveyAnswer.segment, func.count().label("answers"))
    of_answer = and_(SurveyAnswer.merchant_id == AnswerTag.merchant_id, SurveyAnswer.id == AnswerTag.answer_id)
    query = query.join(SurveyAnswer, of_answer).where(AnswerTag.merchant_id == merchant_id, SurveyAnswer.held == "")
    query = query.where(SurveyAnswer.answered_at >= since, SurveyAnswer.answered_at < before)
    if survey_id is not None:
        query = query.where(SurveyAnswer.survey_id == survey_id)
    if store_id is not None:
        query = query.where(SurveyAnswer.store_id == store_id)
    by_tag: dict[str, dict[Segment, int]] = {}
    for row in conn.execute(query.group_by(AnswerTag.tag, SurveyAnswer.segment)):
        by_tag.setdefault(row.tag, {})[row.segment] = row.answers
    found = [TagCount(name, sum(segments.values()), segments) for name, segments in by_tag.items()]
    return sorted(found, key=lambda each: (-each.answers, each.tag))


def look_again(engine: Engine, *, now: datetime, stop: Callable[[], bool]) -> int:
    """Tag answers anew where rules have changed, some at a time, until ``stop``; how many were looked at."""
    with reading(engine) as conn:
        runs = conn.execute(select(TagRun.merchant_id, TagRun.asked_at).where(TagRun.asked_at < now - _SETTLED)).all()
    count = 0
    for run in runs:
        done = _TOGETHER
        while done == _TOGETHER and not stop():
            with in_turn(engine) as conn:
                done = _next(conn, run.merchant_id, run.asked_at)
            count += done
    return count


def _mark_changed(conn: Connection, merchant_id: str, now: datetime) -> None:
    """The rules become others; nobody else changes them until the transaction ends."""
    values = {"tag_revision": new_id("tgr", now)}
    row = upsert(conn, VoiceSettings).values(values | {"merchant_id": merchant_id})
    conn.execute(row.on_conflict_do_update(index_elements=["merchant_id"], set_=values))


def _look_again(conn: Connection, merchant_id: str, now: datetime) -> None:
    values = {"after": "", "asked_at": now}
    row = upsert(conn, TagRun).values(values | {"merchant_id": merchant_id})
    conn.execute(row.on_conflict_do_update(index_elements=["merchant_id"], set_=values))


def _next(conn: Connection, merchant_id: str, asked_at: datetime) -> int:
    """The next answers of a run. Nothing is done where rules were changed again meanwhile: that is another run."""
    mine = (TagRun.merchant_id == merchant_id, TagRun.asked_at == asked_at)
    after = conn.scalar(select(TagRun.after).where(*mine).with_for_update())
    if after is None:
        return 0
    # Held, so that who changes an answer meanwhile comes after us, with the tags of its new words.
    columns = (SurveyAnswer.id, SurveyAnswer.text, SurveyAnswer.language)
    query = select(*columns).where(SurveyAnswer.merchant_id == merchant_id, SurveyAnswer.id > after)
    rows = conn.execute(query.order_by(SurveyAnswer.id).limit(_TOGETHER).with_for_update()).all()
    taggers = {language: tagger(conn, merchant_id, language) for language in {row.language for row in rows}}
    _write(conn, merchant_id, {row.id: taggers[row.language].tags(row.text) for row in rows if row.text})
    if len(rows) < _TOGETHER:
        conn.execute(delete(TagRun).where(*mine))
    else:
        conn.execute(update(TagRun).where(*mine).values(after=rows[-1].id))
    return len(rows)


def _write(conn: Connection, merchant_id: str, found: Mapping[str, Sequence[str]]) -> None:
    if not found:
        return
    mine = (AnswerTag.merchant_id == merchant_id, AnswerTag.answer_id.in_(found))
    conn.execute(delete(AnswerTag).where(*mine))
    rows = [{"merchant_id": merchant_id, "answer_id": each, "tag": tag} for each, tags in found.items() for tag in tags]
    if rows:
        conn.execute(insert(AnswerTag), rows)


def _phrases(content: TagContent) -> dict[str, list[str]]:
    return {str(language): list(found) for language, found in content.phrases.items()} | {
        tags.ANY: content.any_language
    }


def _count(content: TagContent) -> int:
    return sum(map(len, _phrases(content).values()))
