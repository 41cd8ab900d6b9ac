"""Scratch cards: codes, draws and their proofs. Arithmetic only."""
