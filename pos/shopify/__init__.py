"""Shopify: orders and refunds, as webhooks bring them and as the REST Admin API exports them."""
