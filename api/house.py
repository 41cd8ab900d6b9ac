"""What a server process holds open, handed to every endpoint."""

from dataclasses import dataclass
from typing import Annotated, cast

from cryptography.fernet import Fernet
from fastapi import Depends, Request
from sqlalchemy import Engine

from api.key_ring import KeyRing
from api.page_cache import PageCache
from infra.settings import Settings
from infra.storage import Folder
from kernel.clock import Clock
from pos.writer import Writer


@dataclass(frozen=True, slots=True)
class House:
    settings: Settings
    engine: Engine
    writer: Writer
    storage: Folder
    sealer: Fernet
    keys: KeyRing
    pages: PageCache
    clock: Clock

    @property
    def base_url(self) -> str:
        return self.settings.server.address()


def house_of(request: Request) -> House:
    return cast("House", request.app.state.house)


TheHouse = Annotated[House, Depends(house_of)]
