"""Cross-sell: products, what goes with what, which of it a receipt suggests, and what was bought in the end."""
