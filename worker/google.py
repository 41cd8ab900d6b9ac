"""Writing cards anew where Google Wallet shows them."""

from collections.abc import Sequence
from contextlib import closing, suppress
from typing import Final

from cards import find, google, wallets
from cards.find import CardRecord
from cards.wallets import GOOGLE
from infra.google_wallet import GoogleWallet, GoogleWalletRefused
from infra.jobs import Payload
from kernel.errors import NotFound
from worker.passes import change_of
from worker.workshop import Workshop

_AT_ONCE: Final = 50


def write_objects(shop: Workshop, job_id: str, payload: Payload) -> None:
    """Some of the cards, and a job for those after them. Raises :class:`GoogleWalletDown` where one could not be
    written: all of these are written again. Where Google does not answer, those after them wait for that, too."""
    change, after = change_of(payload), str(payload.get("after", ""))
    told = shop.read(lambda conn: wallets.objects(conn, change, after=after, limit=_AT_ONCE))
    if not told:
        return
    count, refused = _write_each(shop, change.merchant_id, told)
    if count < len(told) or len(told) == _AT_ONCE:
        last = told[count - 1]
        rest = dict(payload) | {"after": last}
        shop.write(lambda conn: shop.jobs.enqueue(conn, GOOGLE, rest, job_id=f"{job_id.partition('>')[0]}>{last}"))
    if refused is not None:
        raise refused


def _write_each(shop: Workshop, merchant_id: str, cards: Sequence[str]) -> tuple[int, GoogleWalletRefused | None]:
    """How many had their turn: at least the first, and no more when the worker shall end."""
    count, refused = 0, None
    with closing(GoogleWallet(shop.settings.wallet)) as wallet:
        for card_id in cards:
            try:
                _write(shop, wallet, merchant_id, card_id)
            except GoogleWalletRefused as error:
                refused = error
            count += 1
            if shop.ended.is_set():
                break
    return count, refused


def _write(shop: Workshop, wallet: GoogleWallet, merchant_id: str, card_id: str) -> None:
    def read() -> CardRecord:
        return shop.read(lambda conn: find.one(conn, merchant_id, card_id))

    def missed() -> None:
        record = read()
        shop.write(lambda conn: google.ask(conn, shop.jobs, record, now=shop.clock()))

    # One that is gone has no object that anybody could bring up to date.
    with suppress(NotFound):
        google.write_newest(wallet, read, missed, base_url=shop.settings.server.address())
