"""The ``counterfoil`` command."""
