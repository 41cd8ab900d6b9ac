"""Commands whose modules are loaded when they are asked for: a server shall not carry what only a backup needs."""

from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup

# The command's name → its module in this package, and what that calls it: a function, or a Typer of its own.
COMMANDS: Final = {
    "demo": ("demo", "demo"),
    "serve": ("serve", "serve"),
    "worker": ("worker", "worker"),
    "migrate": ("serve", "migrate"),
    "bounces": ("bounces", "bounces"),
    "doctor": ("doctor", "doctor"),
    "backup": ("backup", "backup"),
    "restore": ("restore", "restore"),
    "purge": ("purge", "purge"),
    "verify": ("verify", "verify"),
    "merchants": ("merchants", "app"),
    "keys": ("keys", "app"),
    "signing-keys": ("signing_keys", "app"),
    "hooks": ("hooks", "app"),
    "import": ("imports", "app"),
    "jobs": ("jobs", "app"),
    "messages": ("messages", "app"),
    "cards": ("cards", "app"),
    "products": ("products", "app"),
    "offers": ("offers", "app"),
    "rewards": ("rewards", "app"),
}


class Late(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """None for one that there is not."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        return _made(cmd_name, getattr(import_module(f"cli.{module}"), name))


def _made(name: str, found: Any) -> Any:
    """As if it had been there from the start."""
    around = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    if isinstance(found, typer.Typer):
        around.add_typer(found, name=name)
    else:
        around.command(name)(found)
    around.callback()(lambda: None)
    return typer.main.get_group(around).commands[name]
