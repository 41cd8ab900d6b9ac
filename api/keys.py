"""API keys over the API: create, list, revoke."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from sqlalchemy import Connection

from accounts import find, keys
from accounts.fields import Name, Slug
from accounts.keys import KeyInfo
from api import schemas
from api.answers import json_answer, no_content
from api.body import model_body
from api.house import TheHouse
from api.key_ring import TheCaller
from kernel.clock import iso
from kernel.errors import FieldError, Forbidden, Invalid

router = APIRouter(prefix="/v1/keys", tags=["Keys"])


Scope = Annotated[str, WithJsonSchema({"type": "string", "enum": list(keys.SCOPES)})]


class NewKey(BaseModel):
    """What the key may do, and where. A key bound to a store sees and writes only that store's receipts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    scopes: list[Scope] = Field(min_length=1, max_length=20)
    store: Slug | None = None
    till: Slug | None = Field(None, description="Needs `store` beside it.")


@router.post("", status_code=201, responses=schemas.NEW_KEY, openapi_extra=schemas.body("NewKey"))
async def create_key(request: Request, house: TheHouse, caller: TheCaller) -> Response:
    """The answer holds the key itself, this once. Nobody creates a key that may do more than their own."""
    caller.require_whole("keys:write")
    wanted = await model_body(request, NewKey)
    if not keys.covers(caller, [scope for scope in wanted.scopes if scope in keys.SCOPES]):
        raise Forbidden("A key cannot give scopes that it does not have itself")
    key, info = await house.write(lambda conn: _created(conn, caller.merchant_id, wanted, house.clock()))
    return json_answer({"key": key} | _shown(info), 201)


@router.get("", response_model=schemas.KeyList, responses=schemas.READS)
async def list_keys(house: TheHouse, caller: TheCaller) -> Response:
    """Oldest first, revoked ones included. A key shows only its first characters."""
    caller.require_whole("keys:write")
    infos = await house.read(lambda conn: keys.list_keys(conn, caller.merchant_id))
    return json_answer({"keys": [_shown(info) for info in infos]})


@router.delete("/{key_id}", status_code=204, responses=schemas.READS)
async def revoke_key(key_id: schemas.Id, house: TheHouse, caller: TheCaller) -> Response:
    """At once in this process, within a second in every other."""
    caller.require_whole("keys:write")
    await house.write(lambda conn: keys.revoke(conn, caller.merchant_id, key_id, now=house.clock()))
    house.keys.forget()
    return no_content()


def _created(conn: Connection, merchant_id: str, wanted: NewKey, now: datetime) -> tuple[str, KeyInfo]:
    store_id, till_id = _bound(conn, merchant_id, wanted)
    name, scopes = wanted.name, wanted.scopes
    return keys.create(conn, merchant_id, name=name, scopes=scopes, now=now, store_id=store_id, till_id=till_id)


def _bound(conn: Connection, merchant_id: str, wanted: NewKey) -> tuple[str | None, str | None]:
    if wanted.store is None:
        if wanted.till is not None:
            raise Invalid(errors=[FieldError("/store", "is missing; a till is found in its store")])
        return None, None
    store_id = find.store_id(conn, merchant_id, wanted.store)
    return store_id, find.till_id(conn, merchant_id, store_id, wanted.till) if wanted.till else None


def _shown(info: KeyInfo) -> dict[str, object]:
    return {
        "id": info.id,
        "name": info.name,
        "hint": info.hint + "…",
        "scopes": list(info.scopes),
        "store_id": info.store_id,
        "till_id": info.till_id,
        "created_at": iso(info.created_at),
        "revoked_at": iso(info.revoked_at) if info.revoked_at else None,
    }
