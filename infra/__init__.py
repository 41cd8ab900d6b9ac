"""Small doors, each to one outside thing: the database, object storage, PDF, QR, settings."""
