"""The Net Promoter Score: arithmetic only."""
