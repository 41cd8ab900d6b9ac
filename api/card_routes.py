"""All that a card's link opens. The order is that in which a request passes them."""

from starlette.routing import BaseRoute


def routes() -> list[BaseRoute]:
    """Each part tells its own."""
    return []
