"""Receipts: what a till says, checked, kept, and shown in every form."""
