"""Who takes part: merchants, their brands, stores, tills and staff, and the keys that speak for them."""
