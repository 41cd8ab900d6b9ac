"""``counterfoil signing-keys``: the keys with which receipts are signed."""

from typing import Annotated

import typer

from accounts import manage, signing_keys
from cli.opened import looking, transaction
from infra import secrets
from infra.settings import Settings
from kernel.clock import iso, utc_now

app = typer.Typer(help="List, rotate and distrust the keys that sign receipts.", no_args_is_help=True)
Merchant = Annotated[str, typer.Option(help="The merchant's slug.")]


@app.command("list")
def list_(merchant: Merchant) -> None:
    """List a merchant's signing keys, oldest first. Example: counterfoil signing-keys list --merchant linden-rye"""
    with looking() as conn:
        found = signing_keys.public_keys(conn, manage.merchant_by_slug(conn, merchant))
    for key in found:
        state = f"distrusted {iso(key.distrusted_at)}" if key.distrusted_at else "trusted"
        typer.echo(f"{key.kid}  from {iso(key.active_from)}  {state}")


@app.command()
def rotate(merchant: Merchant) -> None:
    """Print the new key's id. What is accepted from now on is signed with it; earlier receipts keep their key.

    Example: counterfoil signing-keys rotate --merchant linden-rye
    """
    sealer = secrets.box(Settings().data)
    with transaction() as conn:
        kid = signing_keys.rotate(conn, manage.merchant_by_slug(conn, merchant), sealer=sealer, now=utc_now())
    typer.echo(kid)


@app.command()
def distrust(
    merchant: Merchant, kid: Annotated[str, typer.Argument(help="The key's id, from `signing-keys list`.")]
) -> None:
    """Say that somebody else may hold a key: what it signed is not believed any more, and signed anew when read.

    There is no way back. Example: counterfoil signing-keys distrust --merchant linden-rye sgk_01…
    """
    sealer = secrets.box(Settings().data)
    with transaction() as conn:
        merchant_id = manage.merchant_by_slug(conn, merchant)
        signing_keys.distrust(conn, merchant_id, kid, sealer=sealer, now=utc_now())
    typer.echo(f"{kid} is distrusted. What it signed is signed by another key when it is next read.")
