"""The user's documents -> a plan. Pure; one package or module for each dialect, listed in `table`."""
