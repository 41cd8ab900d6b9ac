"""``counterfoil import``: receipts out of files that another system exported."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer
from sqlalchemy import Connection, Engine

from accounts import find, manage
from cli.opened import opened
from infra.database import reading
from kernel.clock import utc_now
from kernel.errors import Problem, in_words
from pos import inbox
from pos.bring_in import Brought, bring_in, known_from
from pos.event import Json, Known, Reading
from pos.shopify import parse
from pos.shopify.fields import identity
from pos.shopify.parse import Documents

app = typer.Typer(help="Import receipts from files.", no_args_is_help=True)

# About so many documents share a commit …
_TOGETHER: Final = 50
# … and in between the tills get their turn: who waits for SQLite looks again after a tenth of a second.
_PAUSE: Final = 0.11


@dataclass(frozen=True, slots=True)
class _Document:
    """One thing in a file, and how it is read; raises :class:`Problem` where it cannot be. ``order`` is the id of the
    order that it is or belongs to; what belongs together is imported in one transaction."""

    file: str
    read: Callable[[Known], Reading]
    order: str = ""


@dataclass(frozen=True, slots=True)
class _Target:
    merchant_id: str
    store_id: str


@app.callback()
def imports() -> None:
    """Import receipts from files."""


@app.command()
def shopify(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="JSON files, in any order.")],
    merchant: Annotated[str, typer.Option(help="The merchant's slug.")],
    store: Annotated[str, typer.Option(help="The slug of the store whose receipts they become.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")] = False,
) -> None:
    """Import orders and refunds as Shopify's REST Admin API or its webhooks give them.

    A file holds an order, a refund or transactions, bare, wrapped or as a list. Twice is the same as once. What does
    not add up is imported and flagged. The exit code is 1 where something could not be imported.

    Example: counterfoil import shopify orders.json transactions.json --merchant linden-rye --store mitte --dry-run
    """
    documents = _in_order([(path.name, _documents(path)) for path in files])
    with opened() as engine:
        tally = _import(engine, _target(engine, merchant, store), documents, dry_run=dry_run)
    told = ", ".join(f"{count} {what}" for what, count in tally.items())
    typer.echo(("Nothing was changed. It would be: " if dry_run else "") + (told or "nothing to import"))
    if tally["failed"]:
        raise typer.Exit(1)


def _target(engine: Engine, merchant: str, store: str) -> _Target:
    with reading(engine) as conn:
        merchant_id = manage.merchant_by_slug(conn, merchant)
        return _Target(merchant_id, find.store_id(conn, merchant_id, store))


def _documents(path: Path) -> Documents | Problem:
    try:
        return parse.documents(path.read_bytes())
    except Problem as problem:
        return problem


def _in_order(found: Sequence[tuple[str, Documents | Problem]]) -> list[_Document]:
    """Each order, whatever file it is in, before its refunds and with its transactions from all files."""
    read = [(file, held) for file, held in found if isinstance(held, Documents)]
    paid = [each for _, held in read for each in held.transactions]
    orders = [_order(file, each, paid) for file, held in read for each in held.orders]
    refunds = [_refund(file, each) for file, held in read for each in held.refunds]
    together: dict[str, list[_Document]] = {}
    for each in [*orders, *refunds]:
        together.setdefault(each.order, []).append(each)
    others = [_Document(file, partial(_skip, why)) for file, held in read for why in _others(held)]
    failed = [_Document(file, partial(_fail, held)) for file, held in found if isinstance(held, Problem)]
    return [*chain.from_iterable(together.values()), *others, *failed]


def _order(file: str, order: Json, paid: Sequence[Json]) -> _Document:
    return _Document(file, partial(parse.read_order, order, paid), identity(order.get("id")) or "")


def _refund(file: str, refund: Json) -> _Document:
    return _Document(file, partial(parse.read_refund, refund), identity(refund.get("order_id")) or "")


def _others(held: Documents) -> list[str]:
    if held.orders or held.refunds or held.others:
        return held.others
    return ["transactions, which go with their orders" if held.transactions else "nothing that makes a receipt"]


def _skip(reason: str, _known: Known) -> Reading:
    return Reading(reason=reason)


def _fail(problem: Problem, _known: Known) -> NoReturn:
    raise problem


def _import(engine: Engine, target: _Target, documents: Sequence[_Document], *, dry_run: bool) -> Counter[str]:
    """A dry run does the same and undoes each transaction."""
    tally: Counter[str] = Counter()
    done = 0
    for some in _slices(documents):
        time.sleep(_PAUSE if done else 0)
        for place, file, what, line in _together(engine, target, some, dry_run=dry_run):
            tally[what] += 1
            typer.echo(f"[{done + place}/{len(documents)}] {file}: {line}")
        done += len(some)
    return tally


def _slices(documents: Sequence[_Document]) -> Iterator[list[_Document]]:
    """An order and its refunds are never parted."""
    some: list[_Document] = []
    for each in documents:
        if len(some) >= _TOGETHER and not each.order == some[-1].order != "":
            yield some
            some = []
        some.append(each)
    if some:
        yield some


def _together(
    engine: Engine, target: _Target, documents: Sequence[_Document], *, dry_run: bool
) -> list[tuple[int, str, str, str]]:
    """In one transaction. What became of each, to be told after the commit: place, file, the sum's word, the line."""
    with engine.connect() as conn, conn.begin() as transaction:
        told = [
            (place, document.file, what, line)
            for place, document in enumerate(documents, 1)
            for what, line in _one(conn, target, document)
        ]
        if dry_run:
            transaction.rollback()
    return told


def _one(conn: Connection, target: _Target, document: _Document) -> Iterator[tuple[str, str]]:
    """What became of each sale of a document, for the sum and for the reader."""
    try:
        reading = document.read(known_from(conn, target.merchant_id, parse.SOURCE))
        bring = partial(bring_in, conn, target.merchant_id, source=parse.SOURCE, store_id=target.store_id)
        brought = bring(sales=reading.sales, now=utc_now())
        inbox.wake(conn, target.merchant_id, brought, now=utc_now())
    except Problem as problem:
        yield "failed", f"failed: {'; '.join(in_words(problem))}"
        return
    if reading.waits_for:
        yield "failed", f"failed: {reading.waits_for} has to be imported first"
    elif reading.reason:
        yield "skipped", f"skipped: {reading.reason}"
    yield from map(_told, brought)
    yield from (("failed", f"a refund inside failed: {'; '.join(in_words(problem))}") for problem in reading.left_out)


def _told(brought: Brought) -> tuple[str, str]:
    name = f"{brought.external_id} ({brought.number})" if brought.number else brought.external_id
    if brought.problem or not brought.issued:
        return "failed", f"{name} failed: {'; '.join(in_words(brought.problem or Problem()))}"
    if not brought.issued.is_new:
        return "there already", f"{name} is there already" + (", told otherwise then" if brought.differs else "")
    flags = "; ".join(f"{finding['pointer']} {finding['detail']}" for finding in brought.findings)
    return ("imported and flagged", f"{name} imported, flagged: {flags}") if flags else ("imported", f"{name} imported")
