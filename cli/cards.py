"""``counterfoil cards``: the cards of a merchant's staff, imported, listed, and opened to those who are on them."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Final

import typer
from sqlalchemy import Connection, Engine

from accounts import manage as accounts
from api.deliveries import require_channel, require_open
from cards import find, importing, invites, links, reading
from cards.entries import Entry
from cards.find import CardRecord
from cards.importing import Import, Outcome
from cards.manage import State
from cards.reading import StaffFile
from cli import columns, imported
from cli.opened import opened, transaction
from infra import row_by_row, secrets
from infra.database import reading as looking
from infra.jobs import Jobs
from infra.settings import Settings
from infra.storage import open_storage
from kernel.clock import iso, utc_now
from notify import asking
from notify.asking import Post, Wanted

app = typer.Typer(help="Import, list and share cards of staff.", no_args_is_help=True)
Merchant = Annotated[str, typer.Option(help="The merchant's slug.")]
_PAGE: Final = 500


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A CSV file, or vCards.")],
    merchant: Merchant,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")] = False,
    map_: Annotated[
        list[str] | None, typer.Option("--map", help="Column=field, for a column whose name says something else.")
    ] = None,
) -> None:
    """Import a list of staff: each row makes a card, changes one, or is refused. Twice is the same as once.

    A row is of whom its column `staff` names, else of who has its first email, else of somebody new. The exit code is 1
    where a row was refused.

    Example: counterfoil cards import staff.csv --merchant linden-rye --map "Rufnummer=phones.mobile" --dry-run
    """
    data = file.read_bytes()
    read = reading.read(data, reading.kind_of(data), asked=columns.asked(map_))
    with opened() as engine:
        outcomes = _imported(engine, merchant, read, dry_run=dry_run)
    imported.tell(outcomes, read.columns, lambda each: each.card_id, dry_run=dry_run)


@app.command("list")
def list_(
    merchant: Merchant,
    state: Annotated[State | None, typer.Option(help="Only those in this state.")] = None,
) -> None:
    """List cards, oldest first: id, state, member of staff, store, name and address."""
    base_url, after = Settings().server.address(), ""
    with opened() as engine, looking(engine) as conn:
        merchant_id = accounts.merchant_by_slug(conn, merchant)
        while found := find.listed(conn, merchant_id, limit=_PAGE, after=after, state=state):
            after = found[-1].id
            for each in found:
                typer.echo(_line(each, base_url))
    if not after:
        typer.echo("There is none.")


@app.command()
def invite(
    staff: Annotated[str, typer.Argument(help="The slug of the member of staff, or the card's id.")],
    merchant: Merchant,
    send: Annotated[bool, typer.Option("--send", help="Send it to the card's first email.")] = False,
) -> None:
    """Print a link by which a member of staff edits their own card for 14 days. It takes the place of those before.

    Example: counterfoil cards invite emma --merchant linden-rye
    """
    settings = Settings()
    with closing(Jobs(settings.data.where_database())) as jobs, transaction() as conn:
        merchant_id = accounts.merchant_by_slug(conn, merchant)
        record = find.of_staff_named(conn, merchant_id, staff) or find.one(conn, merchant_id, staff)
        new = invites.invite(conn, merchant_id, record.id, now=utc_now())
        if send:
            _send(conn, Post(jobs, settings.mail.channels()), invites.letter(record, new))
    token = invites.link_token(secrets.derived(settings.data, invites.PURPOSE), new.id)
    typer.echo(f"{settings.server.address()}/i/{token}")


def _send(conn: Connection, post: Post, wanted: Wanted) -> None:
    require_channel(post, wanted.channel, at="--send")
    require_open(conn, wanted)
    asking.ask(conn, post, [wanted], now=utc_now())


def _imported(engine: Engine, merchant: str, file: StaffFile, *, dry_run: bool) -> list[Outcome]:
    settings = Settings()
    storage = open_storage(settings.data)
    with looking(engine) as conn:
        merchant_id = accounts.merchant_by_slug(conn, merchant)
    with closing(Jobs(settings.data.where_database())) as jobs:
        work = Import(merchant_id, jobs, dry_run)

        def bring(some: Sequence[Entry]) -> Iterator[Outcome]:
            rows = importing.ready(storage, some, dry_run=dry_run)
            with engine.begin() as conn:
                outcomes = importing.bring(conn, work, rows, now=utc_now())
            # They are written, whatever becomes of their photos.
            yield from outcomes
            if not dry_run:
                importing.photos_stay(storage, rows)

        slices = row_by_row.slices(file.entries, importing.TOGETHER)
        return imported.brought(slices, file.entries, bring, importing.not_reached, pause=row_by_row.PAUSE)


def _line(card: CardRecord, base_url: str) -> str:
    name, url = card.profile.full_name(), links.page_url(base_url, card.token)
    told = (card.id, f"{card.state:<7}", card.staff, card.store or "-", name, iso(card.changed_at), url)
    return "  ".join(told)
