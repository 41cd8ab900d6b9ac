"""``counterfoil keys``: create, list and revoke API keys."""

from typing import Annotated

import typer

from accounts import find, keys, manage
from cli.opened import looking, transaction
from kernel.clock import iso, utc_now

app = typer.Typer(help="Create, list and revoke API keys.", no_args_is_help=True)
Merchant = Annotated[str, typer.Option(help="The merchant's slug.")]


@app.command()
def create(
    merchant: Merchant,
    scopes: Annotated[str, typer.Option(help="Comma-separated: " + ", ".join(keys.SCOPES) + "; or all.")],
    name: Annotated[str, typer.Option(help="What the key is for.")] = "command line",
    store: Annotated[str | None, typer.Option(help="Bind the key to this store.")] = None,
    till: Annotated[str | None, typer.Option(help="Bind the key to this till of the store.")] = None,
) -> None:
    """Print a new key, alone, on standard output. It is shown this once.

    Example: counterfoil keys create --merchant linden-rye --scopes receipts:write --store mitte --till till-3
    """
    wanted = list(keys.SCOPES) if scopes == "all" else scopes.replace(",", " ").split()
    if till is not None and store is None:
        raise typer.BadParameter("--till needs --store beside it")
    with transaction() as conn:
        merchant_id = manage.merchant_by_slug(conn, merchant)
        store_id = find.store_id(conn, merchant_id, store) if store else None
        till_id = find.till_id(conn, merchant_id, store_id, till) if store_id and till else None
        key, _ = keys.create(
            conn, merchant_id, name=name, scopes=wanted, now=utc_now(), store_id=store_id, till_id=till_id
        )
    typer.echo(key)


@app.command("list")
def list_(merchant: Merchant) -> None:
    """List a merchant's keys, oldest first. Example: counterfoil keys list --merchant linden-rye"""
    with looking() as conn:
        infos = keys.list_keys(conn, manage.merchant_by_slug(conn, merchant))
    for info in infos:
        state = f"revoked {iso(info.revoked_at)}" if info.revoked_at else "active"
        typer.echo(f"{info.id}  {info.hint}…  {state}  {','.join(info.scopes)}  {info.name}")


@app.command()
def revoke(merchant: Merchant, key_id: Annotated[str, typer.Argument(help="The key's id, from `keys list`.")]) -> None:
    """Revoke a key: servers refuse it within a second.

    Example: counterfoil keys revoke --merchant linden-rye key_01…
    """
    with transaction() as conn:
        keys.revoke(conn, manage.merchant_by_slug(conn, merchant), key_id, now=utc_now())
    typer.echo(f"{key_id} is revoked.")
