"""Durable jobs: the one place that names all their handlers."""
