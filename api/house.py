"""What a server process holds open, handed to every endpoint."""

from asyncio import Lock
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Annotated, Final, TypeVar, cast
from weakref import WeakValueDictionary

from cryptography.fernet import Fernet
from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Connection, Engine

from api.brand_looks import BrandLooks
from api.key_ring import KeyRing
from api.offer_desks import OfferDesks
from api.page_cache import PageCache
from api.rendering import Rendering
from api.signers import Signers
from api.staff_cards import StaffCards
from api.survey_memory import Surveys
from cards import invites, links
from engagement import shoppers
from engagement.offers import links as offer_links
from engagement.rewards import links as scratch_links
from engagement.rewards.keys import RewardKeys
from engagement.surveys import links as survey_links
from engagement.voice import referrals
from engagement.voice.product_reviews import Stars
from infra import metrics, pass_parts, secrets
from infra.changes import Remembered
from infra.database import reading
from infra.google_wallet import GoogleWallet
from infra.pass_parts import PassOffice
from infra.pass_signer import PassSigner, open_signer
from infra.pdf import PdfPool
from infra.scrape import Scrape
from infra.settings import Settings
from infra.storage import Storage
from kernel.clock import Clock
from notify.asking import Post
from pos.writer import Writer

Found = TypeVar("Found")
# So many shoppers may wait for their PDF: the last of them for a few seconds.
_PDFS_WAITING: Final = 16
_READS_AT_ONCE: Final = 16
_READS_WAITING: Final = 200
_PICTURES_AT_ONCE: Final = 2
_PICTURES_WAITING: Final = 100
_PRESENTED_AT_ONCE: Final = 2
_PRESENTED_WAITING: Final = 8
_PROOFS_AT_ONCE: Final = 2
_PROOFS_WAITING: Final = 8
_REPORTS_AT_ONCE: Final = 2
_REPORTS_WAITING: Final = 20
_SAVED_AT_ONCE: Final = 4
_SAVED_WAITING: Final = 40
_KEYS_SECONDS: Final = 5.0
_REVIEWS_SECONDS: Final = 10.0
_COUNTED_SECONDS: Final = 60.0
_LOGO_SECONDS: Final = 86_400.0
_LOGO_BYTES: Final = 8_000_000


@dataclass(frozen=True, slots=True)
class ProofCounts:
    """How many draws a proof tells, how many cards can still be scratched, and the places that were left out."""

    cards: int
    unscratched: int
    left_out: tuple[int, ...]


@dataclass(frozen=True)
class House:
    settings: Settings
    engine: Engine
    writer: Writer
    post: Post
    storage: Storage
    sealer: Fernet
    # Of links that stop messages (notify.stopping).
    stop_key: bytes
    keys: KeyRing
    looks: BrandLooks
    signers: Signers
    pdf: PdfPool
    pages: PageCache
    clock: Clock

    @property
    def base_url(self) -> str:
        return self.settings.server.address()

    @cached_property
    def card_key(self) -> bytes:
        """Of the marks on links that receipts show (cards.links)."""
        return secrets.derived(self.settings.data, links.PURPOSE)

    @cached_property
    def staff_cards(self) -> StaffCards:
        return StaffCards()

    @cached_property
    def surveys(self) -> Surveys:
        return Surveys()

    @cached_property
    def survey_key(self) -> bytes:
        """Of links to surveys, and of who is drawn to be asked (engagement.surveys)."""
        return secrets.derived(self.settings.data, survey_links.PURPOSE)

    @cached_property
    def shopper_key(self) -> bytes:
        """Of shoppers' pseudonyms (engagement.shoppers)."""
        return secrets.derived(self.settings.data, shoppers.PURPOSE)

    @cached_property
    def invite_key(self) -> bytes:
        """Of links by which staff edit their cards (cards.invites)."""
        return secrets.derived(self.settings.data, invites.PURPOSE)

    @cached_property
    def offer_key(self) -> bytes:
        """Of the marks of offers (engagement.offers.links)."""
        return secrets.derived(self.settings.data, offer_links.PURPOSE)

    @cached_property
    def offer_desks(self) -> OfferDesks:
        return OfferDesks()

    @cached_property
    def reward_keys(self) -> RewardKeys:
        """Of codes, seeds and pseudonyms."""
        return RewardKeys.of(self.settings.data, self.sealer)

    @cached_property
    def code_turns(self) -> "WeakValueDictionary[str, Lock]":
        """Of those who look codes up by one API key, by its id, as long as somebody does."""
        return WeakValueDictionary()

    @cached_property
    def launching(self) -> dict[str, object]:
        """The campaigns that this process is launching, by their ids, each with the mark of who does."""
        return {}

    @cached_property
    def scratch_key(self) -> bytes:
        """Of links of scratch cards that came without a purchase (engagement.rewards.links)."""
        return secrets.derived(self.settings.data, scratch_links.PURPOSE)

    @cached_property
    def pass_office(self) -> PassOffice:
        """Where Apple is set up."""
        wallet = self.settings.wallet
        key = secrets.derived(self.settings.data, pass_parts.PURPOSE)
        return PassOffice(self.base_url, wallet.apple_pass_type or "", wallet.apple_team_id or "", key)

    @cached_property
    def pass_signer(self) -> PassSigner:
        """Raises :class:`infra.pass_signer.PassesUnsigned`, until its files can be read."""
        return open_signer(self.settings.wallet)

    @cached_property
    def google_wallet(self) -> GoogleWallet:
        """Raises :class:`infra.google_wallet.GoogleWalletDown`, until its file can be read."""
        return GoogleWallet(self.settings.wallet)

    def close(self) -> None:
        """What was opened when it was first asked for."""
        if "google_wallet" in vars(self):
            self.google_wallet.close()

    @cached_property
    def saving(self) -> Rendering:
        """For what waits for Google Wallet."""
        return Rendering(threads=_SAVED_AT_ONCE, waiting=_SAVED_WAITING)

    @cached_property
    def rendering(self) -> Rendering:
        """For PDFs: as many at once as there are processes."""
        return Rendering(threads=self.settings.pdf.pdf_processes, waiting=_PDFS_WAITING, asked=metrics.PDF_WAITING)

    @cached_property
    def fetching(self) -> Rendering:
        """For objects that were made already: a slow storage takes no thread from others."""
        return Rendering(threads=_READS_AT_ONCE, waiting=_READS_WAITING)

    @cached_property
    def drawing(self) -> Rendering:
        """For codes and logos."""
        return Rendering(threads=_PICTURES_AT_ONCE, waiting=_PICTURES_WAITING)

    @cached_property
    def reporting(self) -> Rendering:
        """For what is read of very many rows, and for files of who has a key."""
        return Rendering(threads=_REPORTS_AT_ONCE, waiting=_REPORTS_WAITING)

    @cached_property
    def verifying(self) -> Rendering:
        """For what strangers present: a file may take seconds to read."""
        return Rendering(threads=_PRESENTED_AT_ONCE, waiting=_PRESENTED_WAITING)

    @cached_property
    def proving(self) -> Rendering:
        """For draws of campaigns that have ended: who asks needs no key and may be many, and verifying is not to wait
        for them."""
        return Rendering(threads=_PROOFS_AT_ONCE, waiting=_PROOFS_WAITING)

    @cached_property
    def proof_counts(self) -> Remembered[ProofCounts]:
        """Of campaigns that have ended, by their ids."""
        return Remembered(_COUNTED_SECONDS)

    @cached_property
    def key_sets(self) -> PageCache:
        """Public keys, by the merchant's slug."""
        return PageCache("key-sets", seconds=_KEYS_SECONDS, most_bytes=_LOGO_BYTES)

    @cached_property
    def shown_reviews(self) -> PageCache:
        """What is said of products, by the merchant's id."""
        return PageCache("reviews", seconds=_REVIEWS_SECONDS, most_bytes=_LOGO_BYTES)

    @cached_property
    def counted_stars(self) -> Remembered[Stars]:
        """Of reviewed products, by the merchant's id and the SKU."""
        return Remembered(_REVIEWS_SECONDS)

    def forget_reviews(self, merchant_id: str) -> None:
        """After one was written or decided on."""
        self.shown_reviews.forget(merchant_id)
        self.counted_stars.forget()

    @cached_property
    def referral_key(self) -> bytes:
        """Of codes that promoters hand on (engagement.voice.referrals)."""
        return secrets.derived(self.settings.data, referrals.PURPOSE)

    @cached_property
    def logos(self) -> PageCache:
        """Small ones, as pages show them."""
        return PageCache("logos", seconds=_LOGO_SECONDS, most_bytes=_LOGO_BYTES)

    @cached_property
    def scrape(self) -> Scrape:
        return Scrape(self.engine)

    async def read(self, look: Callable[[Connection], Found]) -> Found:
        """What ``look`` finds. A server that is slow or gone must not hold up everybody, so PostgreSQL gets a thread;
        SQLite's reads wait for nobody, and a thread would cost as much as they do."""
        if self.engine.dialect.name == "sqlite":
            return self._look(look)
        return await run_in_threadpool(self._look, look)

    async def read_long(self, look: Callable[[Connection], Found]) -> Found:
        """What ``look`` finds in very many rows, and makes of them. SQLite gets a thread for it too, or everybody else
        would wait for seconds. Raises :class:`kernel.errors.Unavailable` where too many wait already."""
        return await self.reporting.run(partial(self._look, look))

    async def write(self, change: Callable[[Connection], Found]) -> Found:
        """``change`` in a transaction of its own, in a thread: it may wait for another writer."""
        return await run_in_threadpool(self._change, change)

    async def write_in_slices(self, change: Callable[[Engine], Found]) -> Found:
        """``change`` in transactions of its own making, between which others write."""
        return await run_in_threadpool(change, self.engine)

    def _look(self, look: Callable[[Connection], Found]) -> Found:
        with reading(self.engine) as conn:
            return look(conn)

    def _change(self, change: Callable[[Connection], Found]) -> Found:
        with self.engine.begin() as conn:
            return change(conn)


async def house_of(request: Request) -> House:
    return cast("House", request.app.state.house)


TheHouse = Annotated[House, Depends(house_of)]
