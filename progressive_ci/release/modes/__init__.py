"""How a new version comes to the cluster and how it goes again: one module for each mode, listed in `table`."""
