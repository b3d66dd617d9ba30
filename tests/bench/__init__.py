"""Speed and size of the tool as ratios and counts: `python -m tests.bench`. Nothing here passes or fails."""
