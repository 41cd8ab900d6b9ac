"""Cards out of files: each row by itself makes a card, changes one, or is refused with what would be right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import Connection

from accounts.refusals import field_errors
from cards import find, manage, photos, stale, wallets
from cards.entries import Entry
from cards.find import CardRecord
from cards.manage import Belongs
from cards.profile import Profile
from cards.recognised import Recognised, known_cards
from infra.csv_columns import Fault
from infra.jobs import Jobs
from infra.row_by_row import State, unreached
from infra.storage import Storage
from kernel.errors import FieldError, Invalid, Problem, TooLarge

# A card as it was and as it is.
Change = tuple[CardRecord, CardRecord]
# So many rows share a transaction.
TOGETHER: Final = 50
_GONE: Final = "has the name of somebody whose card was revoked; a column `staff` would tell somebody else apart"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row, and of which card."""

    row: int
    state: State
    card_id: str | None = None
    faults: tuple[Fault, ...] = ()
    lost: tuple[str, ...] = ()


@dataclass(slots=True)
class Import:
    """Of one file. ``seen`` are its rows by whom they are of, with their cards; ``rows`` the rows by their cards;
    ``known`` the merchant's cards, read once and then as far as they change."""

    merchant_id: str
    jobs: Jobs
    dry_run: bool = False
    seen: dict[str, tuple[Entry, str | None]] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    created: set[str] = field(default_factory=set)
    known: Recognised = field(default_factory=Recognised)


@dataclass(frozen=True, slots=True)
class Ready:
    """A row whose photo, if it has one, is kept."""

    entry: Entry
    photo_key: str | None = None


def ready(storage: Storage, entries: Sequence[Entry], *, dry_run: bool) -> list[Ready]:
    """Takes up to a second for each photo. One that cannot be used is lost, and the row is not."""
    return [_ready(storage, each, dry_run) for each in entries]


def _ready(storage: Storage, entry: Entry, dry_run: bool) -> Ready:
    if entry.photo is None:
        return Ready(entry)
    try:
        return Ready(entry, photos.kept(storage, entry.photo, dry_run=dry_run))
    except (Invalid, TooLarge) as problem:
        return Ready(replace(entry, lost=(*entry.lost, f"PHOTO: {problem.detail}")))


def not_reached(entries: Sequence[Entry], trouble: Exception) -> list[Outcome]:
    fault = unreached(trouble)
    return [Outcome(each.row, "refused", faults=(*each.faults, fault), lost=each.lost) for each in entries]


def bring(conn: Connection, work: Import, rows: Sequence[Ready], *, now: datetime) -> list[Outcome]:
    """What becomes of some rows. A dry run does the same and undoes it.

    Who imports for the same merchant at the same time waits until the transaction ends: one person gets one card.
    """
    with conn.begin_nested() as written:
        known_cards(conn, work.merchant_id, work.known)
        changes: list[Change] = []
        outcomes = [_outcome(conn, work, each, changes, now) for each in rows]
        _let_go(conn, work, rows, changes, now)
        if work.dry_run:
            written.rollback()
    if not work.dry_run:
        return outcomes
    # The ids of cards that are not there after all.
    return [replace(each, card_id=None) if each.card_id in work.created else each for each in outcomes]


def _let_go(conn: Connection, work: Import, rows: Sequence[Ready], changes: Sequence[Change], now: datetime) -> None:
    """What showed the cards before, and photos of rows that were not taken; those that were are on their cards."""
    old = stale.changed(work.merchant_id, changes, photos=[each.photo_key for each in rows if each.photo_key])
    if old.cards or old.photos:
        stale.let_go(conn, work.jobs, old, now=now)


def photos_stay(storage: Storage, rows: Sequence[Ready]) -> None:
    """After the rows were written: as :func:`cards.photos.stays`."""
    for each in rows:
        if each.photo_key and each.entry.photo:
            photos.stays(storage, each.photo_key, each.entry.photo)


def _outcome(conn: Connection, work: Import, row: Ready, changes: list[Change], now: datetime) -> Outcome:
    entry, key = row.entry, _key(row.entry)
    refused = Outcome(entry.row, "refused", faults=entry.faults, lost=entry.lost)
    if entry.faults:
        return refused
    try:
        if key in work.seen:
            return replace(refused, state="unchanged", card_id=_twin(*work.seen[key], entry))
        work.seen[key] = entry, None
        with conn.begin_nested():
            before, after = _written(conn, work, row, now)
    except Problem as problem:
        errors = problem.errors or (FieldError("", problem.detail or problem.title),)
        return replace(refused, faults=tuple(entry.fault(each) for each in errors))
    work.seen[key], work.rows[after.id] = (entry, after.id), entry.row
    work.known.put(after.id, after.profile)
    if before is None:
        work.created.add(after.id)
    elif before != after:
        changes.append((before, after))
    state: State = "created" if before is None else "unchanged" if before == after else "changed"
    return replace(refused, state=state, card_id=after.id)


def _key(entry: Entry) -> str:
    if entry.staff:
        return f"staff {entry.staff}"
    return f"email {email}" if (email := _first_email(entry)) else f"content {entry.content!r}"


def _first_email(entry: Entry) -> str | None:
    emails = entry.content.get("emails")
    return str(emails[0]["address"]).lower() if emails else None


def _twin(earlier: Entry, card_id: str | None, entry: Entry) -> str:
    """The card of an earlier row that says the same. Raises :class:`Invalid` for one that says something else of the
    same person: at each import the card would be changed there and back."""
    if (earlier.content, earlier.store, earlier.brand) != (entry.content, entry.store, entry.brand):
        at = "/staff" if entry.staff else "/emails/0"
        raise Invalid(errors=[FieldError(at, f"is in row {earlier.row} too; each person belongs there once")])
    if card_id is None:
        raise Invalid(errors=[FieldError("", f"says what row {earlier.row} says, which was refused")])
    return card_id


def _written(conn: Connection, work: Import, row: Ready, now: datetime) -> tuple[CardRecord | None, CardRecord]:
    """The card before, if there was one, and as it is now."""
    entry = row.entry
    before = _found(conn, work.merchant_id, work.known, entry)
    content = _content(entry, before)
    if before is None and not entry.staff:
        before = _same(conn, work, content)
    if before is None:
        belongs = Belongs(entry.staff, entry.brand, entry.store)
        card = find.one(conn, work.merchant_id, manage.create(conn, work.merchant_id, belongs, content, now=now))
    else:
        card = before
        _change(conn, work, before, entry, content, now)
    if row.photo_key:
        manage.set_photo(conn, card, row.photo_key, now=now)
    after = find.one(conn, work.merchant_id, card.id)
    if before not in (None, after):
        wallets.tell_wallets(conn, work.jobs, after, now=now)
    return before, after


def _found(conn: Connection, merchant_id: str, known: Recognised, entry: Entry) -> CardRecord | None:
    """By the member of staff, else by the first email."""
    if entry.staff:
        found = find.of_staff_named(conn, merchant_id, entry.staff)
        return manage.hold(conn, merchant_id, found.id) if found else None
    cards = known.with_email(_first_email(entry) or "")
    if len(cards) > 1:
        raise Invalid(errors=[FieldError("/emails/0", "is on several cards; a column `staff` would tell them apart")])
    return manage.hold(conn, merchant_id, cards[0]) if cards else None


def _same(conn: Connection, work: Import, content: Profile) -> CardRecord | None:
    """The card that says just this. Raises :class:`Invalid` where there is none, and one of this name was revoked."""
    if alike := work.known.saying(content):
        same = manage.hold(conn, work.merchant_id, alike)
        if same.profile == content:
            return same
    if work.known.is_gone(content):
        raise Invalid(errors=[FieldError("", _GONE)])
    return None


def _content(entry: Entry, before: CardRecord | None) -> Profile:
    """What the row says nothing of stays as it is. Raises :class:`Invalid`."""
    there: Mapping[str, Any] = before.profile.model_dump(exclude_defaults=True) if before else {}
    try:
        return Profile.model_validate({**there, **entry.content})
    except ValidationError as error:
        raise Invalid(errors=field_errors(error)) from None


def _change(conn: Connection, work: Import, before: CardRecord, entry: Entry, content: Profile, now: datetime) -> None:
    manage.require_alive(before)
    if (row := work.rows.get(before.id)) is not None:
        raise Invalid(errors=[FieldError("", f"is of whom row {row} is; each person belongs there once")])
    manage.put_profile(conn, before, content, now=now)
    if entry.store or entry.brand:
        # In another store the card is of that store's brand, if the row names none.
        own = before.brand if entry.store in (None, before.store) else None
        belongs = Belongs(brand=entry.brand or own, store=entry.store or before.store)
        manage.move(conn, before, belongs, now=now)
