"""``counterfoil merchants``: who uses this service."""

from typing import Annotated, Literal

import typer

from accounts import find, manage, signing_keys
from cli.opened import looking, transaction
from infra import secrets
from infra.settings import Settings
from kernel.clock import iso, utc_now

app = typer.Typer(help="Create and list merchants.", no_args_is_help=True)


@app.command()
def create(
    slug: Annotated[str, typer.Argument(help="A short name for addresses and commands, such as linden-rye.")],
    name: Annotated[str | None, typer.Option(help="The name as people know it.")] = None,
    on_mismatch: Annotated[
        Literal["refuse", "flag"], typer.Option(help="What happens to sales that do not add up.")
    ] = "refuse",
) -> None:
    """Create a merchant. Brands, stores, tills and staff are then put through the API.

    Example: counterfoil merchants create linden-rye --name "Linden & Rye"
    """
    profile = manage.MerchantProfile(name=name or slug, on_mismatch=on_mismatch)
    with transaction() as conn:
        manage.create_merchant(conn, slug, profile, now=utc_now())
        signing_keys.ensure(conn, sealer=secrets.box(Settings().data))
    typer.echo(f"{slug} is there. A key: counterfoil keys create --merchant {slug} --scopes all")


@app.command("list")
def list_() -> None:
    """List all merchants, oldest first: slug, when it was created, and name. Example: counterfoil merchants list"""
    with looking() as conn:
        found = find.merchants(conn)
    for slug, name, created_at in found:
        typer.echo(f"{slug}  {iso(created_at)}  {name}")
    if not found:
        typer.echo("There is none.")
