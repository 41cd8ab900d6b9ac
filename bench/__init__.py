"""Speed, as ratios side by side in one run: against a floor, and against the naive way."""
