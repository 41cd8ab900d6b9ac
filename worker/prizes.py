"""Writing prizes anew where Google Wallet shows them."""

from collections.abc import Sequence
from contextlib import closing, suppress

from engagement.rewards import google, prize_wallets
from engagement.rewards.google import Taken
from engagement.rewards.keys import RewardKeys
from infra.google_wallet import GoogleWallet, GoogleWalletRefused, write_newest
from infra.jobs import Payload
from kernel.errors import NotFound
from worker.workshop import Workshop

Prizes = Sequence[tuple[str, str]]


def write_prizes(shop: Workshop, _job_id: str, payload: Payload) -> None:
    """As each is now, and a job for those that had no turn when the worker shall end. Raises
    :class:`GoogleWalletDown` where one could not be written: all of these are written again."""
    prizes = [(merchant_id, reward_id) for merchant_id, reward_id in payload["prizes"]]
    count, refused = _write_each(shop, prizes)
    if count < len(prizes):
        shop.write(lambda conn: prize_wallets.ask(conn, shop.jobs, prizes[count:], now=shop.clock()))
    if refused is not None:
        raise refused


def _write_each(shop: Workshop, prizes: Prizes) -> tuple[int, GoogleWalletRefused | None]:
    """How many had their turn, which is at least the first. One that Google refuses is in no other's way."""
    keys, refused, count = RewardKeys.of(shop.settings.data, shop.sealer), None, 0
    with closing(GoogleWallet(shop.settings.wallet)) as wallet:
        for merchant_id, reward_id in prizes:
            try:
                _write(shop, wallet, keys, merchant_id, reward_id)
            except GoogleWalletRefused as error:
                refused = error
            count += 1
            if shop.ended.is_set():
                break
    return count, refused


def _write(shop: Workshop, wallet: GoogleWallet, keys: RewardKeys, merchant_id: str, reward_id: str) -> None:
    base_url = shop.settings.server.address()

    def read() -> Taken:
        return shop.read(lambda conn: google.taken(conn, keys, merchant_id, reward_id, now=shop.clock()))

    def missed() -> None:
        told = [(merchant_id, reward_id)]
        shop.write(lambda conn: prize_wallets.ask(conn, shop.jobs, told, now=shop.clock(), delay=5))

    # One that is gone has no object that anybody could bring up to date.
    with suppress(NotFound):
        write_newest(read, lambda newest: google.write(wallet, newest, base_url=base_url), missed)
