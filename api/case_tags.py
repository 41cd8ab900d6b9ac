"""Tags of what shoppers write: the rules that give them, and how many answers have each."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import Connection

from accounts.fields import SLUG, Language, Text
from api import card_answers, schemas
from api.answers import json_answer, no_content
from api.body import model_body
from api.days import TheDays
from api.house import TheHouse
from api.key_ring import TheCaller
from engagement.voice import tag_rules
from engagement.voice.tag_rules import TagContent
from kernel.clock import iso

router = APIRouter(prefix="/v1", tags=["Cases and reviews"])
Tag = Annotated[str, Path(pattern=SLUG, description="What the tag is called, such as `waiting-time`.")]


class _Answer(BaseModel):
    model_config = ConfigDict(json_schema_mode_override="serialization")


class TagRule(_Answer):
    tag: str
    rule: TagContent
    changed_at: AwareDatetime


class TagRuleList(_Answer):
    tag_rules: list[TagRule]
    is_running: bool = Field(
        description="Whether answers of before are still to be looked at by the rules as they are."
    )


class TextToTag(BaseModel):
    """A text to try the rules with. It is not kept."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[Text, StringConstraints(min_length=1)]
    language: Language


class TagsOfText(_Answer):
    tags: list[str]


class TagCount(_Answer):
    tag: str
    answers: int
    promoters: int
    passives: int
    detractors: int


class TagCounts(_Answer):
    first: str = Field(alias="from")
    to: str
    tags: list[TagCount] = Field(description="The one that most answers have comes first.")


@router.get("/tag-rules", response_model=TagRuleList, responses=schemas.READS)
async def list_tag_rules(house: TheHouse, caller: TheCaller) -> Response:
    """By name."""
    caller.require_whole("surveys:read")

    def look(conn: Connection) -> Response:
        rules = [
            {"tag": each.tag, "rule": each.content.model_dump(mode="json"), "changed_at": iso(each.changed_at)}
            for each in tag_rules.listed(conn, caller.merchant_id)
        ]
        return json_answer({"tag_rules": rules, "is_running": tag_rules.is_running(conn, caller.merchant_id)})

    return await house.read(look)


@router.put("/tag-rules/{tag}", status_code=204, responses=schemas.WRITES, openapi_extra=schemas.body("TagContent"))
async def put_tag_rule(tag: Tag, request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """Create it, or put another in its place. Answers of before are looked at again within minutes."""
    caller.require_whole("surveys:write")
    content = await model_body(request, TagContent)
    await house.write(lambda conn: tag_rules.put(conn, caller.merchant_id, tag, content, now=house.clock()))
    return no_content()


@router.delete("/tag-rules/{tag}", status_code=204, responses=schemas.READS)
async def delete_tag_rule(tag: Tag, house: TheHouse, caller: TheCaller) -> Response:
    """The tag goes from answers of before, too, within minutes."""
    caller.require_whole("surveys:write")
    await house.write(lambda conn: tag_rules.remove(conn, caller.merchant_id, tag, now=house.clock()))
    return no_content()


@router.post("/tag-trial", response_model=TagsOfText, responses=schemas.WRITES, openapi_extra=schemas.body("TextToTag"))
async def try_tag_rules(request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """Which tags a text would get. Nothing is kept."""
    caller.require_whole("surveys:read")
    told = await model_body(request, TextToTag)
    tagger = await house.read(lambda conn: tag_rules.tagger(conn, caller.merchant_id, told.language))
    return json_answer({"tags": tagger.tags(told.text)})


@router.get("/tags", response_model=TagCounts, responses=schemas.READS)
async def count_tags(
    house: TheHouse,
    caller: TheCaller,
    days: TheDays,
    store: Annotated[str | None, Query(pattern=SLUG)] = None,
    survey: Annotated[str | None, Query(pattern=schemas.ID_PATTERN)] = None,
) -> Response:
    """How many answers of a time have each tag. A key that is bound to a store sees those of that store."""
    caller.require("surveys:read")

    def look(conn: Connection) -> Response:
        where = {"survey_id": survey, "store_id": card_answers.within(conn, caller, store)}
        found = tag_rules.counts(conn, caller.merchant_id, since=days.since, before=days.before, **where)
        return json_answer(days.as_json() | {"tags": [_count(each) for each in found]})

    return await house.read_long(look)


def _count(each: tag_rules.TagCount) -> dict[str, Any]:
    segments = {f"{name}s": each.by_segment.get(name, 0) for name in ("promoter", "passive", "detractor")}
    return {"tag": each.tag, "answers": each.answers} | segments
