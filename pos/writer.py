"""The intake behind a group commit: how a server process takes sales."""

import time
from collections.abc import Sequence

from sqlalchemy import Connection, Engine

from accounts.places import Directory, DirectoryCache
from infra import metrics
from infra.group_commit import GroupCommit
from kernel.clock import Clock
from kernel.errors import Problem
from notify.asking import Post
from pos.gifts import Giver
from pos.intake import Arrival, take
from receipts.issue import Issued

# A name that is not known may be new: seconds after which it is looked for again, though not for each batch.
_LOOK_AGAIN = 0.1


class Writer(GroupCommit[Arrival, Issued]):
    """``places`` is what it remembers of stores, tills and staff: whoever changes them tells it to forget."""

    def __init__(self, engine: Engine, clock: Clock, post: Post, giver: Giver) -> None:
        self.places = DirectoryCache()
        self.giver = giver
        self._clock = clock
        self._post = post
        super().__init__(engine, self._take)

    async def submit_all(self, items: Sequence[Arrival]) -> list[Issued | Problem]:
        answers = await super().submit_all(items)
        issued = [answer for answer in answers if isinstance(answer, Issued)]
        new = sum(1 for each in issued if each.is_new)
        metrics.receipts_answered(accepted=new, repeated=len(issued) - new, refused=len(answers) - len(issued))
        return answers

    def _take(self, conn: Connection, arrivals: Sequence[Arrival]) -> list[Issued | Problem]:
        directories = _directories(conn, self.places, arrivals)
        return take(conn, arrivals, directories=directories, now=self._clock(), post=self._post, giver=self.giver)


def _directories(conn: Connection, places: DirectoryCache, arrivals: Sequence[Arrival]) -> dict[str, Directory]:
    merchant_ids = {arrival.merchant_id for arrival in arrivals}
    known = places.get(conn, merchant_ids, at=time.monotonic())
    if all(_knows(known.get(arrival.merchant_id), arrival) for arrival in arrivals):
        return known
    return places.get(conn, merchant_ids, at=time.monotonic(), no_older_than=_LOOK_AGAIN)


def _knows(directory: Directory | None, arrival: Arrival) -> bool:
    if directory is None:
        return False
    sale, place = arrival.sale, directory.store_of(arrival.sale.store, arrival.store_id)
    if place is None or (sale.staff is not None and sale.staff not in directory.staff):
        return False
    return sale.till is None or (place.id, sale.till) in directory.tills
