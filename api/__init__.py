"""HTTP at the edge: reads requests, opens transactions, answers."""
