"""Where a sale happened and who served: looked up for a whole batch of sales at once."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from accounts.tables import Brand, Merchant, StaffMember, Store, Till
from infra.changes import Changes


@dataclass(frozen=True, slots=True)
class Place:
    """A store with what a receipt keeps of it, as it is at this moment. ``brand`` is the brand's slug."""

    id: str
    slug: str
    name: str
    legal_name: str | None
    address: dict[str, Any]
    phone: str | None
    timezone: str
    tax_id: str | None
    brand_id: str
    brand: str
    brand_name: str
    language: str


@dataclass(frozen=True, slots=True)
class Directory:
    """The stores, tills and staff of one merchant, by slug."""

    on_mismatch: str
    stores: dict[str, Place] = field(default_factory=dict)
    # (store id, slug) → (id, name)
    tills: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    # slug → (id, name)
    staff: dict[str, tuple[str, str]] = field(default_factory=dict)

    def store_of(self, slug: str | None, bound_store_id: str | None) -> Place | None:
        """The store that a sale names; without a name the one that the key is bound to, else the only one."""
        if slug is not None:
            return self.stores.get(slug)
        if bound_store_id is not None:
            return next((place for place in self.stores.values() if place.id == bound_store_id), None)
        return next(iter(self.stores.values())) if len(self.stores) == 1 else None


def directories(conn: Connection, merchant_ids: Collection[str]) -> dict[str, Directory]:
    merchants = select(Merchant.id, Merchant.on_mismatch).where(Merchant.id.in_(merchant_ids))
    found = {row.id: Directory(row.on_mismatch) for row in conn.execute(merchants)}
    stores = select(Store.__table__, Brand.name.label("brand_name"), Brand.slug.label("brand"), Brand.languages).join(
        Brand, Brand.id == Store.brand_id
    )
    for row in conn.execute(stores.where(Store.merchant_id.in_(merchant_ids))):
        found[row.merchant_id].stores[row.slug] = _place(row)
    tills = select(Till.merchant_id, Till.store_id, Till.slug, Till.id, Till.name).where(
        Till.merchant_id.in_(merchant_ids)
    )
    for till in conn.execute(tills):
        found[till.merchant_id].tills[till.store_id, till.slug] = (till.id, till.name)
    staff = select(StaffMember.merchant_id, StaffMember.slug, StaffMember.id, StaffMember.name)
    for person in conn.execute(staff.where(StaffMember.merchant_id.in_(merchant_ids))):
        found[person.merchant_id].staff[person.slug] = (person.id, person.name)
    return found


def _place(row: Any) -> Place:
    return Place(
        id=row.id,
        slug=row.slug,
        name=row.name,
        legal_name=row.legal_name,
        address=row.address,
        phone=row.phone,
        timezone=row.timezone,
        tax_id=row.tax_id,
        brand_id=row.brand_id,
        brand=row.brand,
        brand_name=row.brand_name,
        language=row.languages[0],
    )


class DirectoryCache:
    """Directories read no more than once in ``seconds``; only the writer's thread reads through it.

    What another process changes is seen after that time, what this one changes at once. A name that a sale gives and
    the cache does not know makes the writer look again after a tenth of a second.
    """

    def __init__(self, seconds: float = 2.0) -> None:
        self._seconds = seconds
        # The mark that was taken before the directory was read, and when that was.
        self._read: dict[str, tuple[int, float, Directory]] = {}
        self._changes = Changes()

    def get(
        self, conn: Connection, merchant_ids: Collection[str], *, at: float, no_older_than: float | None = None
    ) -> dict[str, Directory]:
        """Directories no older than ``seconds`` at the monotonic instant ``at``, and than the last change."""
        wanted, mark = set(merchant_ids), self._changes.mark()
        oldest = at - (self._seconds if no_older_than is None else no_older_than)
        stale = [each for each in wanted if each not in self._read or not self._is_fresh(each, oldest)]
        if stale:
            self._read |= {each: (mark, at, found) for each, found in directories(conn, stale).items()}
        return {each: self._read[each][2] for each in wanted & self._read.keys()}

    def _is_fresh(self, merchant_id: str, oldest: float) -> bool:
        mark, at, _ = self._read[merchant_id]
        return at >= oldest and not self._changes.since(mark)

    def forget(self) -> None:
        """After a change was committed; any thread may say so. What is being read meanwhile counts as old."""
        self._changes.tell_all()
