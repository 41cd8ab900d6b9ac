"""Messages as the service would have written them, without waiting for anybody who sends them."""

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta

from sqlalchemy import Engine, select

from infra.jobs import Jobs
from kernel.clock import utc_now
from notify import asking, sending
from notify.asking import Post, Wanted
from notify.find import MessageInfo, listed
from notify.sending import State
from notify.tables import Suppression

LEASE = timedelta(minutes=10)


def ask_for(
    engine: Engine, merchant_id: str, *addresses: str, subject: str = "rct_1", now: datetime | None = None
) -> list[str]:
    """Ids of new messages."""
    wanted = [Wanted(merchant_id, subject, address, is_automatic=True) for address in addresses]
    before = {message.id for message in messages_of(engine, merchant_id)}
    with closing(Jobs(engine.url.render_as_string(hide_password=False))) as jobs, engine.begin() as conn:
        asking.ask(conn, Post(jobs, frozenset({"email"})), wanted, now=now or utc_now())
    return sorted({message.id for message in messages_of(engine, merchant_id)} - before)


def settle_all(engine: Engine, state: State, detail: str = "250 queued") -> None:
    """All that waits."""
    now = utc_now()
    with engine.begin() as conn:
        for message in sending.claim(conn, "a test", now=now, lease=LEASE, at_most=100):
            sending.settle(conn, message, state, detail, now=now)


def messages_of(engine: Engine, merchant_id: str) -> Sequence[MessageInfo]:
    """Newest first."""
    with engine.connect() as conn:
        return listed(conn, merchant_id, state=None, limit=1000, after=None)


def stopped(engine: Engine) -> list[tuple[str, str]]:
    """Merchant and reason of each address that is written to no more."""
    with engine.connect() as conn:
        rows = conn.execute(select(Suppression.merchant_id, Suppression.reason))
        return sorted((row.merchant_id, row.reason) for row in rows)
