"""After the sale: what a receipt asks (surveys), suggests (offers) and gives (rewards), and what comes of it."""
