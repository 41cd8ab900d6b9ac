"""How a sale comes in: the adapters, and one intake for all of them."""
