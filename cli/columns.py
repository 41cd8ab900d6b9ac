"""Columns of a table, as somebody at a terminal says what they are for."""

import typer


def asked(told: list[str] | None) -> dict[str, str]:
    """Fields by columns. A column's name may hold an equals sign, a field's does not."""
    if wrong := [each for each in told or [] if "=" not in each]:
        raise typer.BadParameter(f"--map takes Column=field, not {wrong[0]}")
    return {column: path.strip() for column, _, path in (each.rpartition("=") for each in told or [])}
