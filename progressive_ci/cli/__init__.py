"""One file for each command; wiring only."""
