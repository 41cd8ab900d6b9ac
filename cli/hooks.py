"""``counterfoil hooks``: addresses for other systems' webhooks."""

import sys
from typing import Annotated

import typer

from accounts import find, manage
from cli.opened import looking, transaction
from infra import secrets
from infra.settings import Commands, Settings
from kernel.clock import iso, utc_now
from pos import endpoints
from pos.adapters import ADAPTERS

app = typer.Typer(help="Create, list, rotate and remove addresses for webhooks.", no_args_is_help=True)
Merchant = Annotated[str, typer.Option(help="The merchant's slug.")]
EndpointId = Annotated[str, typer.Argument(help="The address's id, from `hooks list`.")]


@app.command()
def create(
    merchant: Merchant,
    store: Annotated[str, typer.Option(help="The slug of the store whose receipts the events become.")],
    source: Annotated[str, typer.Option(help="Who sends: " + ", ".join(ADAPTERS) + ".")] = "shopify",
) -> None:
    """Print a new address, alone, on standard output.

    The secret that the other system signs with is asked for, or read from COUNTERFOIL_HOOK_SECRET or from a pipe: on a
    command line others could see it.

    Example: counterfoil hooks create --merchant linden-rye --store mitte
    """
    settings, secret = Settings(), _secret()
    with transaction() as conn:
        merchant_id = manage.merchant_by_slug(conn, merchant)
        endpoint = endpoints.create(
            conn,
            merchant_id,
            source=source,
            store_id=find.store_id(conn, merchant_id, store),
            secret=secret,
            sealer=secrets.box(settings.data),
            now=utc_now(),
        )
    typer.echo(f"{settings.server.address()}{endpoint.path}")


@app.command("list")
def list_(merchant: Merchant) -> None:
    """List a merchant's addresses, oldest first. Example: counterfoil hooks list --merchant linden-rye"""
    address = Settings().server.address()
    with looking() as conn:
        found = endpoints.list_endpoints(conn, manage.merchant_by_slug(conn, merchant))
    for each in found:
        typer.echo(f"{each.id}  {each.store}  {iso(each.created_at)}  {address}{each.path}")


@app.command()
def rotate(merchant: Merchant, endpoint_id: EndpointId) -> None:
    """Take a new secret, asked for as by `create`. Deliveries under the one before are taken until the next rotation.

    Example: counterfoil hooks rotate --merchant linden-rye hep_01…
    """
    sealer, secret = secrets.box(Settings().data), _secret()
    with transaction() as conn:
        merchant_id = manage.merchant_by_slug(conn, merchant)
        endpoints.rotate(conn, merchant_id, endpoint_id, secret=secret, sealer=sealer)
    typer.echo(f"{endpoint_id} takes the new secret and the one before.")


@app.command()
def remove(merchant: Merchant, endpoint_id: EndpointId) -> None:
    """Remove an address: deliveries to it are refused from now on. Its receipts stay.

    Example: counterfoil hooks remove --merchant linden-rye hep_01…
    """
    with transaction() as conn:
        endpoints.remove(conn, manage.merchant_by_slug(conn, merchant), endpoint_id)
    typer.echo(f"{endpoint_id} is removed.")


def _secret() -> str:
    given = Commands().hook_secret
    if given and given.get_secret_value():
        return given.get_secret_value()
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    return str(typer.prompt("Secret", hide_input=True))
