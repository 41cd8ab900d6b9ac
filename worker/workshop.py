"""What a worker holds open, handed to every handler."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from threading import Event
from typing import TypeVar

from cryptography.fernet import Fernet
from sqlalchemy import Connection, Engine

from cards import invites
from engagement import shoppers
from engagement.surveys import links as survey_links
from infra import secrets
from infra.database import reading
from infra.jobs import Jobs
from infra.mail import Mailer
from infra.pdf import PdfPool
from infra.settings import Settings
from infra.storage import Storage
from kernel.clock import Clock

Found = TypeVar("Found")


@dataclass(frozen=True)
class Workshop:
    settings: Settings
    engine: Engine
    jobs: Jobs
    storage: Storage
    sealer: Fernet
    # Of links that stop messages (notify.stopping).
    stop_key: bytes
    pdf: PdfPool
    # None where no mail is set up: what was asked for before waits until it is.
    mailer: Mailer | None
    # How many messages are sent at the same time.
    mail_at_once: int
    # How long to rest after each message, as a multiple of the processor's time that it took.
    mail_rest: float
    clock: Clock
    # Set when the worker is to stop: what takes long looks at it.
    ended: Event = field(default_factory=Event)

    @cached_property
    def invite_key(self) -> bytes:
        """Of links by which staff edit their cards (cards.invites)."""
        return secrets.derived(self.settings.data, invites.PURPOSE)

    @cached_property
    def survey_key(self) -> bytes:
        """Of links to surveys, and of who is drawn to be asked (engagement.surveys)."""
        return secrets.derived(self.settings.data, survey_links.PURPOSE)

    @cached_property
    def shopper_key(self) -> bytes:
        """Of shoppers' pseudonyms (engagement.shoppers)."""
        return secrets.derived(self.settings.data, shoppers.PURPOSE)

    def read(self, look: Callable[[Connection], Found]) -> Found:
        with reading(self.engine) as conn:
            return look(conn)

    def write(self, change: Callable[[Connection], Found]) -> Found:
        with self.engine.begin() as conn:
            return change(conn)
