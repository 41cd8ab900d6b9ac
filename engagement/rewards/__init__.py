"""Scratch cards: campaigns, prizes, the draw, and the use of what was won."""
