"""``counterfoil import``: receipts out of files that another system exported."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer
from sqlalchemy import Connection, Engine

from accounts import find, manage
from cli.opened import opened
from infra.database import reading
from kernel.clock import utc_now
from kernel.errors import Problem
from pos.bring_in import Brought, bring_in, known_from
from pos.event import Known, Reading
from pos.shopify import parse
from pos.shopify.parse import Documents

app = typer.Typer(help="Import receipts from files.", no_args_is_help=True)

# So many documents share a commit: a server on the same database gets its turn in between.
_TOGETHER: Final = 50


@dataclass(frozen=True, slots=True)
class _Document:
    """One thing in a file, and how it is read; raises :class:`Problem` where it cannot be."""

    file: str
    read: Callable[[Known], Reading]


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
    """Orders before refunds, whatever file they are in, each order with its transactions from all files."""
    read = [(file, held) for file, held in found if isinstance(held, Documents)]
    paid = [each for _, held in read for each in held.transactions]
    orders = [_Document(file, partial(parse.read_order, each, paid)) for file, held in read for each in held.orders]
    refunds = [_Document(file, partial(parse.read_refund, each)) for file, held in read for each in held.refunds]
    others = [_Document(file, partial(_skip, why)) for file, held in read for why in _others(held)]
    failed = [_Document(file, partial(_fail, held)) for file, held in found if isinstance(held, Problem)]
    return [*orders, *refunds, *others, *failed]


def _others(held: Documents) -> list[str]:
    if held.orders or held.refunds or held.others:
        return held.others
    return ["transactions, which go with their orders" if held.transactions else "nothing that makes a receipt"]


def _skip(reason: str, _known: Known) -> Reading:
    return Reading(reason=reason)


def _fail(problem: Problem, _known: Known) -> NoReturn:
    raise problem


def _import(engine: Engine, target: _Target, documents: Sequence[_Document], *, dry_run: bool) -> Counter[str]:
    """A dry run is one transaction, so that a refund finds its order, and then undone."""
    tally: Counter[str] = Counter()
    together = max(len(documents), 1) if dry_run else _TOGETHER
    for start in range(0, len(documents), together):
        with engine.connect() as conn, conn.begin() as transaction:
            for index, document in enumerate(documents[start : start + together], start + 1):
                for what, line in _one(conn, target, document):
                    tally[what] += 1
                    typer.echo(f"[{index}/{len(documents)}] {document.file}: {line}")
            if dry_run:
                transaction.rollback()
    return tally


def _one(conn: Connection, target: _Target, document: _Document) -> Iterator[tuple[str, str]]:
    """What became of each sale of a document, for the sum and for the reader."""
    try:
        reading = document.read(known_from(conn, target.merchant_id, parse.SOURCE))
        bring = partial(bring_in, conn, target.merchant_id, source=parse.SOURCE, store_id=target.store_id)
        brought = bring(sales=reading.sales, now=utc_now())
    except Problem as problem:
        yield "failed", f"failed: {_why(problem)}"
        return
    if reading.waits_for:
        yield "failed", f"failed: {reading.waits_for} has to be imported first"
    elif reading.reason:
        yield "skipped", f"skipped: {reading.reason}"
    yield from map(_told, brought)
    yield from (("failed", f"a refund inside failed: {_why(problem)}") for problem in reading.left_out)


def _told(brought: Brought) -> tuple[str, str]:
    name = f"{brought.external_id} ({brought.number})" if brought.number else brought.external_id
    if brought.problem or not brought.issued:
        return "failed", f"{name} failed: {_why(brought.problem or Problem())}"
    if not brought.issued.is_new:
        return "there already", f"{name} is there already" + (", told otherwise then" if brought.differs else "")
    flags = "; ".join(f"{finding['pointer']} {finding['detail']}" for finding in brought.findings)
    return ("imported and flagged", f"{name} imported, flagged: {flags}") if flags else ("imported", f"{name} imported")


def _why(problem: Problem) -> str:
    fields = [f"{error.pointer} {error.detail}" for error in problem.errors]
    return "; ".join([problem.detail or problem.title, *fields])
