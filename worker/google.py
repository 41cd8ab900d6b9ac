"""Writing cards anew where Google Wallet shows them."""

from contextlib import closing
from typing import Final

from cards import find, google, wallets
from cards.wallets import GOOGLE
from infra.google_wallet import GoogleWallet
from infra.jobs import Payload
from kernel.errors import NotFound
from worker.passes import change_of
from worker.workshop import Workshop

_AT_ONCE: Final = 50


def write_objects(shop: Workshop, job_id: str, payload: Payload) -> None:
    """Some of the cards, and a job for those after them. Each is read when its turn comes, so that the last word is the
    newest."""
    change, after = change_of(payload), str(payload.get("after", ""))
    told = shop.read(lambda conn: wallets.objects(conn, change, after=after, limit=_AT_ONCE))
    if len(told) == _AT_ONCE:
        last = told[-1]
        rest = dict(payload) | {"after": last}
        shop.write(lambda conn: shop.jobs.enqueue(conn, GOOGLE, rest, job_id=f"{job_id.partition('>')[0]}>{last}"))
    if not told:
        return
    with closing(GoogleWallet(shop.settings.wallet)) as wallet:
        for card_id in told:
            _write(shop, wallet, change.merchant_id, card_id)


def _write(shop: Workshop, wallet: GoogleWallet, merchant_id: str, card_id: str) -> None:
    try:
        record = shop.read(lambda conn: find.one(conn, merchant_id, card_id))
    except NotFound:
        return
    google.write(wallet, record, base_url=shop.settings.server.address())
